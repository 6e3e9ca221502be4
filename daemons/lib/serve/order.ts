// The order of requests: many are in flight, but one that names a fid which an earlier one makes,
// moves or gives up waits for it, since clients send a walk and what follows it in one go.

import { sleep, type Task, WaitQueue, wakeAll } from '../../../kernel/ipc/task.ts';
import { NOFID, type TMessage } from '../../../kernel/ninep/types.ts';

interface Claims {
  readonly uses: readonly number[]; // fids
  readonly changes: readonly number[] | 'all';
}

export interface InFlight {
  readonly tag: number;
  readonly claims: Claims;
  readonly done: WaitQueue;
}

export class RequestOrder {
  readonly #inFlight = new Set<InFlight>(); // in order of arrival

  get size(): number {
    return this.#inFlight.size;
  }

  /** Whether it need not wait for any request that has arrived. */
  isFree(message: TMessage): boolean {
    if (this.#inFlight.size === 0) return true;
    const claims = claimsOf(message);
    for (const other of this.#inFlight) if (conflict(other.claims, claims)) return false;
    return true;
  }

  /** Call it as the request arrives; then run the request by `inTurn`. */
  enter(tag: number, message: TMessage): InFlight {
    const entry = { tag, claims: claimsOf(message), done: new WaitQueue(message.name) };
    this.#inFlight.add(entry);
    return entry;
  }

  /** Waits for the earlier requests that the entry depends on. */
  *inTurn(entry: InFlight): Task<void> {
    yield* this.#waitFor(entry, (other) => conflict(other.claims, entry.claims));
  }

  leave(entry: InFlight): void {
    this.#inFlight.delete(entry);
    wakeAll(entry.done);
  }

  /** Waits for the earlier request with that tag: Tflush. */
  *flushed(entry: InFlight, tag: number): Task<void> {
    yield* this.#waitFor(entry, (other) => other.tag === tag);
  }

  /** Waits for all earlier requests. */
  *alone(entry: InFlight): Task<void> {
    yield* this.#waitFor(entry, () => true);
  }

  *#waitFor(entry: InFlight, which: (other: InFlight) => boolean): Task<void> {
    for (const other of [...this.#inFlight]) {
      if (other === entry) return;
      while (this.#inFlight.has(other) && which(other)) yield* sleep(other.done);
    }
  }
}

function conflict(a: Claims, b: Claims): boolean {
  if (a.changes === 'all' || b.changes === 'all') return true;
  return touches(a.changes, b) || touches(b.changes, a);
}

const touches = (fids: readonly number[], { uses, changes }: Claims): boolean =>
  fids.some((fid) => uses.includes(fid) || changes === 'all' || changes.includes(fid));

/** Requests that change names count as changing their directory's fid. */
function claimsOf(m: TMessage): Claims {
  switch (m.name) {
    case 'Tversion':
      return { uses: [], changes: 'all' };
    case 'Tattach':
      return { uses: m.afid === NOFID ? [] : [m.afid], changes: [m.fid] };
    case 'Twalk':
    case 'Txattrwalk':
      return { uses: [m.fid], changes: [m.newfid] };
    case 'Tlopen':
    case 'Tlcreate':
    case 'Tclunk':
    case 'Tremove':
    case 'Txattrcreate':
    case 'Tfsync':
    case 'Tsetattr': // a client tells the times behind the data that changed them
      return { uses: [], changes: [m.fid] };
    case 'Tsymlink':
    case 'Tmknod':
    case 'Tmkdir':
      return { uses: [], changes: [m.dfid] };
    case 'Tunlinkat':
      return { uses: [], changes: [m.dirfd] };
    case 'Tlink':
      return { uses: [m.fid], changes: [m.dfid] };
    case 'Trename':
      return { uses: [], changes: [m.fid, m.dfid] };
    case 'Trenameat':
      return { uses: [], changes: [m.olddirfid, m.newdirfid] };
    case 'Tauth':
    case 'Tflush':
      return { uses: [], changes: [] };
    default:
      return { uses: [m.fid], changes: [] };
  }
}

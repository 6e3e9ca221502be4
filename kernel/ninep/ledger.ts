// What a client knows of its session, to begin it anew when the server's worker was replaced: which
// fid stands for what. It learns from the replies; nothing is asked of the server.

import type { Request } from './client.ts';
import {
  MAXWELEM,
  type MessageOf,
  NOFID,
  P9_VERSION,
  type Qid,
  type RMessage,
  type TMessage,
} from './types.ts';

/** One live fid. */
export interface LiveFid {
  readonly fid: number;
  readonly qid: Qid;
  /** The names that lead to it from the root, for servers whose files keep their names. */
  readonly names: readonly string[];
  /** Of Tlopen; undefined while it is not open. */
  readonly flags: number | undefined;
  /** It was made by Tattach, so. */
  readonly attach: MessageOf<'Tattach'> | undefined;
  /** What made it the fid of an extended attribute, and wrote to it. */
  readonly xattr: readonly Request[];
}

export class FidLedger {
  readonly #fids = new Map<number, LiveFid>();
  readonly #keep: 'names' | 'qids';

  /** 'qids': of a server that finds its files again by qid, names are not worth their memory. */
  constructor(keep: 'names' | 'qids') {
    this.#keep = keep;
  }

  get live(): readonly LiveFid[] {
    return [...this.#fids.values()];
  }

  /** A request was answered. */
  learn(request: Request, reply: RMessage): void {
    const { message: m } = request;
    if (m.name === 'Tclunk' || m.name === 'Tremove') this.#fids.delete(m.fid);
    else if (reply.name === 'Rlerror') return;
    else if (m.name === 'Tversion') this.#fids.clear();
    else if (m.name === 'Twalk' && reply.name === 'Rwalk') this.#walked(m, reply);
    else if (m.name === 'Tattach' && reply.name === 'Rattach') {
      this.#set(m.fid, { qid: reply.qid, attach: m.afid === NOFID ? m : undefined });
    } else if (m.name === 'Tlopen') this.#change(m.fid, { flags: m.flags });
    else if (m.name === 'Tlcreate' && reply.name === 'Rlcreate') {
      const names = this.#below(m.fid, [m.filename]);
      this.#set(m.fid, { qid: reply.qid, flags: m.flags, names });
    } else this.#learnXattr(request, m);
  }

  #learnXattr(request: Request, m: TMessage): void {
    if (m.name === 'Txattrwalk') {
      const file = this.#fids.get(m.fid);
      if (file) this.#set(m.newfid, { qid: file.qid, names: file.names, xattr: [request] });
    } else if (m.name === 'Txattrcreate') this.#change(m.fid, { xattr: [request] });
    else if (m.name === 'Twrite') {
      const file = this.#fids.get(m.fid);
      if (file && file.xattr.length > 0) this.#change(m.fid, { xattr: [...file.xattr, request] });
    }
  }

  #walked(m: MessageOf<'Twalk'>, { wqid }: MessageOf<'Rwalk'>): void {
    const from = this.#fids.get(m.fid);
    if (wqid.length < m.wname.length || from === undefined) return;
    const qid = wqid.at(-1) ?? from.qid;
    this.#set(m.newfid, { qid, names: this.#below(m.fid, m.wname) });
  }

  #below(fid: number, names: readonly string[]): readonly string[] {
    if (this.#keep === 'qids') return [];
    return [...(this.#fids.get(fid)?.names ?? []), ...names];
  }

  #set(fid: number, what: Partial<LiveFid> & Pick<LiveFid, 'qid'>): void {
    const fresh = { names: [], flags: undefined, attach: undefined, xattr: [] };
    this.#fids.set(fid, { ...fresh, ...what, fid });
  }

  #change(fid: number, what: Partial<LiveFid>): void {
    const entry = this.#fids.get(fid);
    if (entry) this.#fids.set(fid, { ...entry, ...what });
  }
}

/** The requests that bring the fids back on a server that finds files by name. */
export function* byName(live: readonly LiveFid[]): Generator<Request> {
  const attached = live.filter(({ attach }) => attach !== undefined);
  const [root] = attached;
  yield { message: { name: 'Tversion', msize: 8160, version: P9_VERSION } };
  for (const { attach } of attached) if (attach) yield { message: attach };
  for (const { fid, names, attach } of live) {
    if (attach !== undefined || root === undefined || names.length > MAXWELEM) continue;
    yield { message: { name: 'Twalk', fid: root.fid, newfid: fid, wname: [...names] } };
  }
  for (const { fid, flags } of live) {
    if (flags !== undefined) yield { message: { name: 'Tlopen', fid, flags } };
  }
}

/** On a server that got the fids with its orders: a sign of life, and what it cannot know. */
export function* byQid(live: readonly LiveFid[]): Generator<Request> {
  const root = live.find(({ attach }) => attach !== undefined);
  if (root) yield { message: { name: 'Tgetattr', fid: root.fid, requestMask: 0 } };
  for (const { xattr } of live) yield* xattr;
}

/** The fids that a server gets with its orders: those that are files and not values of attributes. */
export const files = (live: readonly LiveFid[]): LiveFid[] =>
  live.filter(({ xattr }) => xattr[0]?.message.name !== 'Txattrwalk');

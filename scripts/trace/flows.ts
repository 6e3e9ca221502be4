// Reads a trace file (drivers/hw/trace/chrome.ts writes one event a line) and finds, for every system
// call, the points in time at which something was done for it, in whatever worker.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One moment of a call. From here to the call's next moment the worker does `doing`; '' = nothing. */
export interface Point {
  readonly us: number;
  readonly seat: number;
  readonly doing: string;
  readonly kind: 'begin' | 'end' | 'publish' | 'take' | 'other';
}

export interface Flow {
  /** Of the system call; '' while its begin was not found. */
  name: string;
  readonly points: Point[];
  beginUs: number | undefined;
  endUs: number | undefined;
}

export interface Trace {
  /** Calls that ended, each with its points in order of time. */
  readonly flows: readonly Flow[];
  /** Names of the workers by seat. */
  readonly workers: ReadonlyMap<number, string>;
  readonly lost: number;
}

/** A line of the file, as far as it matters here. */
interface Line {
  readonly ph: string;
  readonly ts: number;
  readonly pid: number;
  readonly tid: number;
  readonly name?: string;
  readonly args?: { readonly flow?: number; readonly name?: string; readonly number?: number };
}

const WORKERS = 1;
/** What a program waits in is not something that is done for it. */
const WAITS = ['idle', 'sleep'];
/** What the call itself is called among the things that are done for it. */
export const CALL = 'call';

export async function readTrace(file: string): Promise<Trace> {
  const reader = new Reader();
  const input = createReadStream(file);
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.startsWith('{"ph"')) reader.add(JSON.parse(line.replace(/,$/, '')) as Line);
    else reader.lost = Number(/"lost":(\d+)/.exec(line)?.[1] ?? reader.lost);
  }
  return reader.finish();
}

/** An open span of a worker, and the flow it is for. */
interface Open {
  readonly name: string;
  readonly flow: number;
}

class Reader {
  lost = 0;
  readonly #flows = new Map<number, Flow>();
  readonly #workers = new Map<number, string>();
  readonly #open = new Map<number, Open[]>();

  add(line: Line): void {
    if (line.pid !== WORKERS) return;
    if (line.ph === 'M' && line.name === 'thread_name') {
      this.#workers.set(line.tid, line.args?.name ?? '');
    } else if (line.ph === 'B') this.#begin(line);
    else if (line.ph === 'E') this.#end(line);
    else if (line.ph === 'i') this.#pass(line);
  }

  finish(): Trace {
    const flows = [...this.#flows.values()].filter(
      ({ beginUs, endUs }) => beginUs !== undefined && endUs !== undefined,
    );
    const workers = this.#workers;
    return { flows: flows.map(withinCall), workers, lost: this.lost };
  }

  #begin({ tid: seat, ts: us, name = '', args }: Line): void {
    const flow = args?.flow ?? 0;
    const isCall = args?.number !== undefined;
    const doing = isCall ? CALL : name;
    this.#stack(seat).push({ name: doing, flow });
    if (flow === 0 || WAITS.includes(name)) return;
    if (isCall) Object.assign(this.#flow(flow), { name, beginUs: us });
    this.#flow(flow).points.push({ us, seat, doing, kind: 'begin' });
  }

  #end({ tid: seat, ts: us }: Line): void {
    const stack = this.#stack(seat);
    const span = stack.pop();
    if (span === undefined || span.flow === 0 || WAITS.includes(span.name)) return;
    const flow = this.#flow(span.flow);
    if (span.name === CALL) flow.endUs = us;
    flow.points.push({ us, seat, doing: this.#inside(seat, span.flow), kind: 'end' });
  }

  #pass({ tid: seat, ts: us, name = '', args }: Line): void {
    const flow = args?.flow ?? 0;
    if (flow === 0) return;
    const kind = name === 'publish' || name === 'take' ? name : 'other';
    this.#flow(flow).points.push({ us, seat, doing: this.#inside(seat, flow), kind });
  }

  /** The innermost span of the worker that is for the flow. */
  #inside(seat: number, flow: number): string {
    return this.#stack(seat).findLast((span) => span.flow === flow)?.name ?? '';
  }

  #stack(seat: number): Open[] {
    const stack = this.#open.get(seat) ?? [];
    this.#open.set(seat, stack);
    return stack;
  }

  #flow(number: number): Flow {
    const flow = this.#flows.get(number) ?? {
      ...{ name: '', points: [] },
      ...{ beginUs: undefined, endUs: undefined },
    };
    this.#flows.set(number, flow);
    return flow;
  }
}

/** What the call left to be done behind its end is no part of its time. */
function withinCall(flow: Flow): Flow {
  const [from = 0, to = 0] = [flow.beginUs, flow.endUs];
  const inside = flow.points.filter(({ us }) => us >= from && us <= to);
  inside.sort((a, b) => a.us - b.us);
  const points: Point[] = [];
  for (const point of inside) {
    // A worker that has handed the call on and ends its step later is no longer on the call's way.
    const late = point.kind === 'end' || point.kind === 'other';
    if (!late || points.at(-1)?.seat === point.seat) points.push(point);
  }
  return { ...flow, points };
}

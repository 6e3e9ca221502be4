// For tests of traces: the file parsed, and what Perfetto would refuse or show wrongly.

import { readFile } from 'node:fs/promises';

export interface ChromeEvent {
  readonly ph: string;
  readonly ts: number;
  readonly pid: number;
  readonly tid: number;
  readonly name?: string;
  readonly id?: string;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, string | number>>;
}

export interface ChromeTrace {
  readonly traceEvents: readonly ChromeEvent[];
  readonly otherData: { readonly lost: number };
}

export const parseTrace = async (file: string): Promise<ChromeTrace> =>
  JSON.parse(await readFile(file, 'utf8')) as ChromeTrace;

/** Names of the tracks of workers (group 1) or processes (group 2). */
export const trackNames = ({ traceEvents }: ChromeTrace, group: number): string[] =>
  traceEvents
    .filter(({ ph, pid, name }) => ph === 'M' && pid === group && name === 'thread_name')
    .map(({ args }) => String(args?.['name']));

/** Spans that do not nest, of workers (begin and end) and of processes (complete events). */
export function badNesting({ traceEvents }: ChromeTrace): string[] {
  const bad: string[] = [];
  const tracks = new Map<string, { depth: number; lastTs: number; endOfLast: number }>();
  for (const { ph, ts, dur = 0, pid, tid, name } of traceEvents) {
    const key = `${pid}.${tid}`;
    const track = tracks.get(key) ?? { depth: 0, lastTs: 0, endOfLast: 0 };
    tracks.set(key, track);
    if (ph === 'B' || ph === 'E') {
      if (ts < track.lastTs) bad.push(`${key}: ${name} at ${ts} stands behind ${track.lastTs}`);
      track.lastTs = ts;
      track.depth += ph === 'B' ? 1 : -1;
      if (track.depth < 0) bad.push(`${key}: an end without a begin at ${ts}`);
    } else if (ph === 'X' && pid === 2) {
      if (ts < track.endOfLast) bad.push(`${key}: ${name} at ${ts} begins inside another call`);
      track.endOfLast = ts + dur;
    }
  }
  for (const [key, { depth }] of tracks) if (depth !== 0) bad.push(`${key}: ${depth} never end`);
  return bad;
}

/** Flow ids whose arrows have no tail. */
export function loose({ traceEvents }: ChromeTrace): string[] {
  const starts = new Set(traceEvents.filter(({ ph }) => ph === 's').map(({ id }) => id));
  const others = traceEvents.filter(({ ph }) => ph === 't' || ph === 'f').map(({ id }) => id ?? '');
  return [...new Set(others.filter((id) => !starts.has(id)))];
}

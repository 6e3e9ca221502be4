// Where each microsecond of a system call goes, from a trace: calls of one name that took the same way
// are taken together, and their time is divided between the workers and the way between them.

import { CALL, type Flow, type Point, readTrace, type Trace } from './flows.ts';

/** Ways that are shown, those that took most time in all first. */
const WAYS_SHOWN = 8;

/** The call in which a warm worker waits for a program. */
const IDLE = 'ready';

/** Calls of one name that passed the same workers. */
interface Way {
  readonly name: string;
  readonly hops: number;
  readonly transfers: number;
  readonly flows: Flow[];
}

/** The summary as text; `calls` picks names of system calls, none = all. */
export async function summarize(file: string, calls: readonly string[]): Promise<string> {
  const trace = await readTrace(file);
  const flows = trace.flows.filter(({ name }) =>
    calls.length === 0 ? name !== IDLE : calls.includes(name),
  );
  const ways = waysOf(flows).sort((a, b) => totalUs(b) - totalUs(a));
  const shown = ways.slice(0, WAYS_SHOWN).map((way) => describe(way, trace));
  const rest = ways.length - shown.length;
  return [
    ...shown,
    ...(rest > 0 ? [`${rest} other ways of calls that took less time\n`] : []),
    ...(trace.lost > 0 ? [`${trace.lost} events were lost: some calls are missing\n`] : []),
    ...(ways.length === 0 ? ['no such call in this trace\n'] : []),
  ].join('\n');
}

function waysOf(flows: readonly Flow[]): Way[] {
  const ways = new Map<string, Way>();
  for (const flow of flows) {
    const hops = hopsOf(flow);
    const transfers = flow.points.filter((p) => p.doing === 'dma' && p.kind === 'begin').length;
    const key = `${flow.name} ${hops} ${transfers}`;
    const way = ways.get(key) ?? { name: flow.name, hops, transfers, flows: [] };
    ways.set(key, way);
    way.flows.push(flow);
  }
  return [...ways.values()];
}

/** Times that the call went from one worker to another. */
export const hopsOf = ({ points }: Flow): number =>
  points.filter((p, i) => i > 0 && points[i - 1]?.seat !== p.seat).length;

const durationUs = ({ points }: Flow): number => (points.at(-1)?.us ?? 0) - (points[0]?.us ?? 0);
const totalUs = ({ flows }: Way): number => flows.reduce((sum, f) => sum + durationUs(f), 0);

function describe(way: Way, { workers }: Trace): string {
  const { name, hops, transfers, flows } = way;
  const head =
    `${name}: ${flows.length} calls of ${hops} hops and ${transfers} transfers, ` +
    `median ${median(flows.map(durationUs)).toFixed(1)} µs`;
  const parts = [...partsOf(flows, workers)].map(([what, us]) => ({ what, us: median(us) }));
  const sum = parts.reduce((all, { us }) => all + us, 0);
  const rows = parts
    .filter(({ us }) => us > 0) // less than half of the calls did it
    .map(({ what, us }) => {
      const share = ((us / sum) * 100).toFixed(1).padStart(5);
      return `  ${us.toFixed(1).padStart(9)} µs ${share} %  ${what}`;
    });
  return `${[head, ...rows].join('\n')}\n`;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** What each call spent on each part, in the order in which the first call did it; 0 = nothing. */
function partsOf(
  flows: readonly Flow[],
  workers: ReadonlyMap<number, string>,
): ReadonlyMap<string, number[]> {
  const parts = new Map<string, number[]>();
  for (const [which, { points }] of flows.entries()) {
    for (const [i, point] of points.entries()) {
      const next = points[i + 1];
      if (next === undefined) break;
      const what = partOf(point, next, workers);
      const times = parts.get(what) ?? new Array<number>(flows.length).fill(0);
      parts.set(what, times);
      times[which] = (times[which] ?? 0) + next.us - point.us;
    }
  }
  return parts;
}

function partOf(from: Point, to: Point, workers: ReadonlyMap<number, string>): string {
  const here = roleOf(workers.get(from.seat));
  if (from.seat !== to.seat) return `${here} → ${roleOf(workers.get(to.seat))}: hand-off`;
  if (from.doing === CALL) return `${here}: ${from.kind === 'take' ? 'returns' : 'makes the call'}`;
  if (from.doing !== '') return `${here}: ${from.doing}`;
  return `${here}: ${from.kind === 'end' ? 'waits' : 'takes the message'}`;
}

/** All workers of processes count as one. */
const roleOf = (name = '?'): string => name.replace(/^process worker \d+$/, 'process');

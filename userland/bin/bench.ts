// bench: runs one operation over and over and tells what it costs: time, and wake-ups of workers.

import { type Measured, measure } from '../libc/bench/measure.ts';
import { operations } from '../libc/bench/operations.ts';
import { program, type Tool } from '../libc/program.ts';
import { quoted } from '../libc/text/quote.ts';

const LIST = Object.entries(operations)
  .map(([name, { does }]) => `  ${name.padEnd(10)} ${does}`)
  .join('\n');

export const main = program(
  {
    usage: `[-n COUNT] [-s SIZE] [-r ROUNDS] [-kty] OPERATION [FILE | DIRECTORY | COMMAND]
Tells the best of ROUNDS (1): runs, milliseconds, microseconds a run, median and 95th
percentile, MB/s, hops and wakes a run; -t: tab-separated numbers, every round;
-k: what was made stays; -y: a sync at the end counts, too.
${LIST}`,
    short: 'kn:s:r:ty',
    long: { 'count=': 'n', keep: 'k', 'size=': 's', 'rounds=': 'r', sync: 'y', tabs: 't' },
  },
  (tool, options) => {
    const [name = tool.missingOperand(), path = '.'] = options.operands;
    const operation =
      (Object.hasOwn(operations, name) ? operations[name] : undefined) ??
      tool.misuse(`no operation ${quoted(name)}`);
    const number = (option: string, usual: number): number => {
      const value = Number(options.value(option) ?? usual);
      return Number.isSafeInteger(value) && value > 0
        ? value
        : tool.misuse(`invalid number ${quoted(options.value(option) ?? '')}`);
    };
    const { sys } = tool;
    const load = {
      sys,
      path,
      count: number('n', 1000),
      size: number('s', 4096),
      random: random(tool),
      keep: options.has('k'),
      sync: options.has('y'),
    };
    const rounds: Measured[] = [];
    for (let round = number('r', 1); round > 0; round--) {
      const measured = tool.attempt(path, () => measure(operation, load));
      if (measured === undefined) return;
      rounds.push(measured);
      if (options.has('t')) tool.out.text(`${numbers(measured).join('\t')}\n`);
    }
    rounds.sort((a, b) => a.totalMs - b.totalMs);
    const [best] = rounds;
    if (best && !options.has('t')) tool.out.text(`${name}: ${words(best)}\n`);
  },
);

const mbPerSecond = ({ bytes, totalMs }: Measured): number => bytes / totalMs / 1000;

const numbers = (m: Measured): number[] => [
  ...[m.count, m.totalMs, (m.totalMs * 1000) / m.count, m.p50Us, m.p95Us],
  ...[mbPerSecond(m), m.hops, m.wakes],
];

function words(m: Measured): string {
  const [count = 0, ms = 0, mean = 0, p50 = 0, p95 = 0, mb = 0, hops = 0, wakes = 0] = numbers(m);
  const latencies = p50 > 0 ? `, p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}` : '';
  const rate = mb > 0 ? `, ${mb.toFixed(1)} MB/s` : '';
  return `${count} in ${ms.toFixed(1)} ms, ${mean.toFixed(2)} µs each${latencies}${rate}, ${hops.toFixed(2)} hops, ${wakes.toFixed(2)} wakes`;
}

/** Numbers 0..below-1 from a fresh seed (xorshift32). */
function random(tool: Tool): (below: number) => number {
  const seed = new Uint8Array(4);
  tool.sys.getrandom(seed);
  let state = new DataView(seed.buffer).getUint32(0) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

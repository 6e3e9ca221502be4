// The figures of a kill storm, in words.

import type { StormResult } from './storm.ts';

export function figures({ kills, hangs, pauses, hangPauses, rounds }: StormResult): string[] {
  const total = rounds.reduce((sum, count) => sum + count, 0);
  return [
    `${kills} kills, ${hangs} hangs, ${total} rounds of writing`,
    `pause after a kill: ${quantiles(pauses)}`,
    `pause after a hang, from its notice: ${quantiles(hangPauses)}`,
  ];
}

function quantiles(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (part: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`;
}

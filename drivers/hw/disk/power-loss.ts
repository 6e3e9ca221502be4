// Power loss: which of the writes in a drive's volatile cache reach the medium. A drive promises
// nothing about them (ACS-3 §4.25, write cache): any of them, in whole sectors.

import type { PowerChoice } from '../../../kernel/abi/fault/rule.ts';
import { type Disk, SECTOR_SIZE } from './disk.ts';
import { type LogRecord, WriteLog } from './write-log.ts';

export interface LossOptions {
  readonly keep: PowerChoice;
  /** Chance: 0..below-1. */
  readonly below: (below: number) => number;
}

/** Brings what `keep` says of the cache's log to the medium; the cache is empty then. */
export function losePower(medium: Disk, cache: SharedArrayBuffer, options: LossOptions): void {
  const log = new WriteLog(cache);
  const records = [...log.records()];
  const kept = keptBytes(
    records.filter(({ kind }) => kind === 'data'),
    options,
  );
  records.forEach((record, i) => {
    const { offset, at } = record;
    const end = offset + (kept.get(record) ?? 0);
    for (const range of withoutVoids({ start: offset, end }, records.slice(i + 1))) {
      const from = at + range.start - offset;
      medium.writev(range.start, [log.arena.subarray(from, from + range.end - range.start)]);
    }
  });
  log.takeOut(log.count);
  medium.flush();
}

/** How many bytes of each write the medium has. */
function keptBytes(
  writes: readonly LogRecord[],
  { keep, below }: LossOptions,
): ReadonlyMap<LogRecord, number> {
  const whole = (some: readonly LogRecord[]) => some.map((one) => [one, one.length] as const);
  if (keep === 'none') return new Map();
  if (keep === 'all') return new Map(whole(writes));
  if (keep === 'subset') return new Map(whole(writes.filter(() => below(2) === 1)));
  const count = below(writes.length + 1);
  const kept = new Map(whole(writes.slice(0, count)));
  const next = writes[count];
  if (keep === 'torn' && next !== undefined) {
    kept.set(next, below(next.length / SECTOR_SIZE) * SECTOR_SIZE);
  }
  return kept;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** What later records have not made void: the medium has newer data there already. */
function withoutVoids(range: Range, later: readonly LogRecord[]): Range[] {
  let left = range.end > range.start ? [range] : [];
  for (const { kind, offset, length } of later) {
    if (kind === 'data') continue;
    left = left.flatMap(({ start, end }) =>
      [
        { start, end: Math.min(end, offset) },
        { start: Math.max(start, offset + length), end },
      ].filter((part) => part.end > part.start),
    );
  }
  return left;
}

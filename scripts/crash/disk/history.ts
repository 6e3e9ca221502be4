// What a disk was told: writes and the flushes between them. A power cut leaves all that was written
// before the last flush that ended, and of what came behind it any part: a drive's cache writes in
// any order, and tears a write at any sector. A sector itself is atomic; a write with FUA is on the
// medium before the next command is given.

import type { LogEntry } from '../../../daemons/lib/memory-device.ts';
import type { CrashImage } from './image.ts';

export const SECTOR = 512;

export type Write = Extract<LogEntry, { kind: 'write' }>;

/** The time between two flushes. */
export interface Window {
  /** What is on the medium for certain: the entries from that of the window before up to here. */
  readonly first: number;
  /** The flush that ends it, or the end of the history. */
  readonly end: number;
  readonly writes: readonly Write[];
}

/** The sectors [from, end) of a write that reached the medium. */
export interface Run {
  readonly from: number;
  readonly end: number;
}
/** What became of one write; no runs: nothing of it. */
export type Fate = readonly Run[];
/** What became of each write of a window. */
export type Choice = readonly Fate[];

export function windowsOf(history: readonly LogEntry[]): Window[] {
  const windows: Window[] = [];
  for (let first = 0; first <= history.length; ) {
    let end = first;
    while (end < history.length && history[end]?.kind === 'write') end++;
    const writes = history.slice(first, end).filter((entry) => entry.kind === 'write');
    windows.push({ first, end, writes });
    first = end + 1;
  }
  return windows;
}

export const sectorsOf = (write: Write): number => write.data.length / SECTOR;

export const NOTHING: Fate = [];
export const whole = (write: Write): Fate => [{ from: 0, end: sectorsOf(write) }];
export const isWhole = (write: Write, fate: Fate): boolean =>
  fate.length === 1 && fate[0]?.from === 0 && fate[0].end === sectorsOf(write);

/** A write with FUA that is not whole was the last one that was given. */
export function legal({ writes }: Window, choice: Choice): Choice {
  const cut = writes.findIndex((write, i) => write.fua && !isWhole(write, choice[i] ?? NOTHING));
  return cut < 0 ? choice : choice.map((fate, i) => (i > cut ? NOTHING : fate));
}

export function applyChoice(image: CrashImage, { writes }: Window, choice: Choice): void {
  writes.forEach(({ offset, data }, i) => {
    for (const { from, end } of choice[i] ?? NOTHING) {
      image.write(offset + from * SECTOR, data.subarray(from * SECTOR, end * SECTOR));
    }
  });
}

/** As text: `a` all, `n` nothing, or sectors `0-2,5-5`; a dot between writes. */
export const choiceText = ({ writes }: Window, choice: Choice): string =>
  writes
    .map((write, i) => {
      const fate = choice[i] ?? NOTHING;
      if (fate.length === 0) return 'n';
      if (isWhole(write, fate)) return 'a';
      return fate.map(({ from, end }) => `${from}-${end - 1}`).join(',');
    })
    .join('.');

/** Undefined when the text does not fit the window. */
export function readChoice({ writes }: Window, text: string): Choice | undefined {
  const parts = text === '' ? [] : text.split('.');
  if (parts.length !== writes.length) return undefined;
  const fates = writes.map((write, i) => readFate(write, parts[i] ?? ''));
  return fates.every((fate) => fate !== undefined) ? fates : undefined;
}

function readFate(write: Write, text: string): Fate | undefined {
  if (text === 'n') return NOTHING;
  if (text === 'a') return whole(write);
  const runs = text.split(',').map((part) => {
    const [, from, last] = /^(\d+)-(\d+)$/.exec(part) ?? [];
    return { from: Number(from), end: Number(last) + 1 };
  });
  const fits = runs.every(({ from, end }) => from < end && end <= sectorsOf(write));
  return fits ? runs : undefined;
}

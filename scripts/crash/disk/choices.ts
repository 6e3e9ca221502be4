// Which parts of a window's writes a power cut leaves: every subset where there are few pieces, else
// the telling ones and a seeded sample. A piece is a block of a write, as big writes tear in the
// middle; besides, each write is torn at its sectors, alone, with all others, and with some.

import {
  type Choice,
  type Fate,
  NOTHING,
  SECTOR,
  sectorsOf,
  type Window,
  whole,
} from './history.ts';

/** Pieces of which all subsets are tried. */
const EXHAUSTIVE = 12;
/** Cuts of one write that are tried, of those that it has. */
const CUTS = 16;

type Random = () => number; // u32

/** Choices of a window, the telling ones first; ends when all were given. May repeat itself. */
export function* choicesOf(window: Window, blockSize: number, random: Random): Generator<Choice> {
  const { writes } = window;
  const all = writes.map(whole);
  yield writes.map(() => NOTHING);
  if (writes.length === 0) return;
  yield all;
  const pieces = piecesOf(window, blockSize);
  for (const { write } of pieces.length > EXHAUSTIVE ? writes.map((_, write) => ({ write })) : []) {
    yield all.map((fate, i) => (i === write ? NOTHING : fate));
    yield all.map((fate, i) => (i === write ? fate : NOTHING));
  }
  const some = pieces.length <= EXHAUSTIVE ? subsets : sample;
  yield* alternate(some(window, pieces, random), tears(window, random));
}

/** One of each in turn; when one has ended, the rest of the other. */
function* alternate(...sources: Generator<Choice>[]): Generator<Choice> {
  for (let open = sources; open.length > 0; ) {
    const left: Generator<Choice>[] = [];
    for (const source of open) {
      const { value, done } = source.next();
      if (done) continue;
      yield value;
      left.push(source);
    }
    open = left;
  }
}

interface Piece {
  readonly write: number;
  readonly from: number; // sector
  readonly end: number;
}

function piecesOf({ writes }: Window, blockSize: number): Piece[] {
  const size = blockSize / SECTOR;
  return writes.flatMap((write, index) =>
    Array.from({ length: Math.ceil(sectorsOf(write) / size) }, (_, i) => ({
      write: index,
      from: i * size,
      end: Math.min((i + 1) * size, sectorsOf(write)),
    })),
  );
}

/** All subsets, in an order that makes the first ones a fair sample. */
function* subsets(window: Window, pieces: readonly Piece[], random: Random): Generator<Choice> {
  const count = 2 ** pieces.length;
  const step = random() | 1; // odd: a permutation of the numbers below a power of two
  const start = random();
  for (let i = 0; i < count; i++) {
    const mask = (Math.imul(i, step) + start) & (count - 1);
    yield keep(
      window,
      pieces.filter((_, bit) => (mask & (1 << bit)) !== 0),
    );
  }
}

/** Subsets of writes, prefixes, and subsets of pieces, for as long as the caller wants more. */
function* sample(window: Window, pieces: readonly Piece[], random: Random): Generator<Choice> {
  const { writes } = window;
  for (;;) {
    yield writes.map((write) => (random() % 2 === 0 ? NOTHING : whole(write)));
    const end = random() % pieces.length;
    yield keep(window, pieces.slice(0, end));
    const odds = 2 + (random() % 6);
    const lost = random() % 2 === 0;
    yield keep(
      window,
      pieces.filter(() => (random() % odds === 0) !== lost),
    );
  }
}

function keep({ writes }: Window, pieces: readonly Piece[]): Choice {
  const fates: { from: number; end: number }[][] = writes.map(() => []);
  for (const { write, from, end } of pieces) {
    const runs = fates[write];
    const last = runs?.at(-1);
    if (last?.end === from) last.end = end;
    else runs?.push({ from, end });
  }
  return fates;
}

/** Each write cut at its sectors: the first part, the rest, and all but its middle. */
function* tears({ writes }: Window, random: Random): Generator<Choice> {
  for (const [index, write] of writes.entries()) {
    const sectors = sectorsOf(write);
    if (sectors < 2) continue;
    for (const cut of cutsOf(sectors, random)) {
      const torn: Fate[] = [[{ from: 0, end: cut }], [{ from: cut, end: sectors }]];
      if (cut + 1 < sectors) {
        torn.push([
          { from: 0, end: cut },
          { from: cut + 1, end: sectors },
        ]);
      }
      for (const fate of torn) {
        const some = writes.map((other) => (random() % 2 === 0 ? NOTHING : whole(other)));
        yield writes.map((_, i) => (i === index ? fate : NOTHING));
        yield writes.map((other, i) => (i === index ? fate : whole(other)));
        yield some.map((other, i) => (i === index ? fate : other));
      }
    }
  }
}

function cutsOf(sectors: number, random: Random): number[] {
  const cuts = Array.from({ length: sectors - 1 }, (_, i) => i + 1);
  if (cuts.length <= CUTS) return cuts;
  return Array.from({ length: CUTS }, () => 1 + (random() % (sectors - 1)));
}

/** What a window asks of its workload's share of images. */
export interface WindowSize {
  readonly pieces: number;
  /** How many choices there are at most. */
  readonly choices: number;
}

export function windowSize(window: Window, blockSize: number): WindowSize {
  const pieces = piecesOf(window, blockSize).length;
  const cuts = window.writes.reduce((sum, write) => sum + Math.min(CUTS, sectorsOf(write) - 1), 0);
  const choices = pieces > EXHAUSTIVE ? Number.POSITIVE_INFINITY : 2 ** pieces + 9 * cuts;
  return { pieces, choices };
}

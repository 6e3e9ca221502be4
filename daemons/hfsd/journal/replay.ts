// Replaying a log: every list from its start to its end is written home, in order. Twice is once.
// TN1150, "Journal", "Replaying the Journal".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Sectors } from './bytes.ts';
import { type LogPlace, type LogState, readList, writeHeader } from './format.ts';

/**
 * Brings home what the log holds; the number of lists. A journal is empty then. A log of our own stays as
 * it is until another takes its place: without it the volume would look like one that nobody logs.
 */
export function* replay(sectors: Sectors, { place, start, end }: LogState): Task<number> {
  const ring = place.size - place.sector;
  let at = start;
  let lists = 0;
  for (let walked = 0; at !== end; lists++) {
    const { blocks, usedBytes } = readList(
      place,
      yield* readRing(sectors, place, at, place.listSize),
    );
    walked += usedBytes;
    if (walked > ring) fail(EUCLEAN, 'journal: its lists have no end');
    let from = advance(place, at, place.listSize);
    for (const { no, size, killed } of blocks) {
      if (!killed) yield* bringBlock(sectors, place, { from, to: no * place.sector, size });
      from = advance(place, from, size);
    }
    at = from;
  }
  yield* sectors.flush();
  if (place.headerAt === place.bufferAt) {
    yield* sectors.write(place.headerAt, writeHeader({ place, start: end, end }, 0));
    yield* sectors.flush();
  }
  return lists;
}

/** A position in the log and one further on; behind the end comes what is behind the header. */
function advance({ size, sector }: LogPlace, at: number, bytes: number): number {
  const next = at + bytes;
  return next >= size ? sector + (next - size) : next;
}

function* readRing(
  sectors: Sectors,
  place: LogPlace,
  at: number,
  length: number,
): Task<Uint8Array> {
  const first = Math.min(length, place.size - at);
  const head = yield* sectors.read(place.bufferAt + at, first);
  if (first === length) return head;
  const out = new Uint8Array(length);
  out.set(head);
  out.set(yield* sectors.read(place.bufferAt + place.sector, length - first), first);
  return out;
}

const PART = 65_536;

function* bringBlock(
  sectors: Sectors,
  place: LogPlace,
  { from, to, size }: { from: number; to: number; size: number },
): Task<void> {
  if (to + size > sectors.sizeBytes) fail(EUCLEAN, `journal: a block at ${to}`);
  for (let done = 0; done < size; done += PART) {
    const count = Math.min(PART, size - done);
    const bytes = yield* readRing(sectors, place, advance(place, from, done), count);
    yield* sectors.write(to + done, bytes);
  }
}

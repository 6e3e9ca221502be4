// The disk of a crash test: what a cut may leave, as sets of writes; the image under it.

import test from 'ava';
import { seeded } from '../../../daemons/ext4fs/testing.ts';
import type { LogEntry } from '../../../daemons/lib/memory-device.ts';
import { choicesOf } from './choices.ts';
import {
  applyChoice,
  choiceText,
  legal,
  NOTHING,
  readChoice,
  SECTOR,
  type Window,
  whole,
  windowsOf,
} from './history.ts';
import { CrashImage } from './image.ts';

const FLUSH: LogEntry = { kind: 'flush' };
const write = (sector: number, sectors: number, fua = false): LogEntry => ({
  ...{ kind: 'write', offset: sector * SECTOR, fua },
  data: new Uint8Array(sectors * SECTOR).fill(sector + 1),
});

const windowOf = (...entries: LogEntry[]): Window => {
  const [window] = windowsOf(entries);
  if (window === undefined) throw new Error('no window');
  return window;
};

test('a history is cut into windows at its flushes', (t) => {
  const history = [write(0, 1), FLUSH, FLUSH, write(1, 1), write(2, 1)];
  const windows = windowsOf(history);
  t.deepEqual(
    windows.map(({ first, end, writes }) => [first, end, writes.length]),
    [
      [0, 1, 1],
      [2, 2, 0],
      [3, 5, 2],
    ],
  );
});

test('of up to twelve blocks every subset is tried, each once besides the tears', (t) => {
  const window = windowOf(write(0, 4), write(8, 2), write(20, 2));
  const texts = [...choicesOf(window, 1024, seeded(1))].map((c) => choiceText(window, c));
  const subsets = new Set(texts.filter((text) => !/\d-\d*[02468](\D|$)/.test(text)));
  for (const first of ['n', 'a', '0-1', '2-3'])
    for (const second of ['n', 'a']) {
      for (const third of ['n', 'a']) t.true(subsets.has(`${first}.${second}.${third}`));
    }
});

test('every write is torn at each of its sectors, alone and with all others', (t) => {
  const window = windowOf(write(0, 3), write(8, 1));
  const texts = new Set([...choicesOf(window, 512, seeded(1))].map((c) => choiceText(window, c)));
  for (const torn of ['0-0', '1-2', '0-1', '2-2', '0-0,2-2']) {
    t.true(texts.has(`${torn}.n`) && texts.has(`${torn}.a`), torn);
  }
});

test('a choice survives as text, and a wrong text is none', (t) => {
  const window = windowOf(write(0, 8), write(8, 2), write(16, 1));
  const random = seeded(3);
  let count = 0;
  for (const choice of choicesOf(window, 512, random)) {
    t.deepEqual(readChoice(window, choiceText(window, choice)), choice);
    if (count++ > 200) break;
  }
  for (const text of ['', 'a.a', 'a.a.x', '0-8.a.a', '3-2.a.a']) {
    t.is(readChoice(window, text), undefined, text);
  }
});

test('behind a write with FUA that is not whole nothing was given any more', (t) => {
  const window = windowOf(write(0, 1), write(1, 1, true), write(2, 1));
  const [a, b, c] = window.writes.map(whole);
  const all = [a ?? NOTHING, b ?? NOTHING, c ?? NOTHING];
  t.deepEqual(legal(window, all), all);
  t.deepEqual(legal(window, [all[0] ?? NOTHING, NOTHING, all[2] ?? NOTHING]), [
    all[0],
    NOTHING,
    NOTHING,
  ]);
});

test('layers of an image are taken back one by one, whatever was written over what', (t) => {
  const random = seeded(9);
  const image = new CrashImage(new Uint8Array(16_384).map(() => random()));
  const before = [image.bytes.slice()];
  const digests = [image.digest()];
  for (let layer = 0; layer < 4; layer++) {
    image.begin();
    for (let i = 0; i < 10; i++) {
      const window = windowOf(write(random() % 24, 1 + (random() % 8)));
      applyChoice(image, window, window.writes.map(whole));
    }
    before.push(image.bytes.slice());
    digests.push(image.digest());
  }
  t.is(new Set(digests).size, 5);
  const known = [];
  for (let layer = 4; layer >= 0; layer--) {
    t.deepEqual(image.bytes, before[layer]);
    known.push(image.digest());
    if (layer > 0) image.rollback();
  }
  t.is(known[0], digests[4]);
  t.is(new Set(known).size, 5);
});

// The probes: programs that count, measure and stress what the kernel promises of reading files.

import { O_CREAT, O_RDONLY, O_RDWR } from '../../../kernel/abi/constants.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import type { Program, Sys } from '../../../userland/libc/sys.ts';
import { disturb, follow, measure, resize, stamp } from './stress.ts';

export const probes: Readonly<Record<string, Program>> = {
  make,
  hops,
  random,
  sequential,
  stamp,
  follow,
  resize,
  measure,
  disturb,
};

const PAGE = 4096;
const MIB = 1024 * 1024;

/** Writes what a probe has to tell. */
const tell = (sys: Sys, what: unknown): number => {
  sys.write(1, encodeText(JSON.stringify(what)));
  return 0;
};

const arg = (sys: Sys, index: number): string => sys.argv[index + 2] ?? '';
const numberArg = (sys: Sys, index: number): number => Number(arg(sys, index));

/** make FILE MIB: pages that begin with their number. */
function make(sys: Sys): number {
  const fd = sys.open(arg(sys, 0), O_RDWR | O_CREAT);
  const piece = new Uint8Array(MIB);
  const words = new Uint32Array(piece.buffer);
  for (let i = 0; i < numberArg(sys, 1); i++) {
    for (let page = 0; page < MIB / PAGE; page++) {
      words.fill(i * (MIB / PAGE) + page, (page * PAGE) / 4, ((page + 1) * PAGE) / 4);
    }
    sys.write(fd, piece);
  }
  sys.fsync(fd);
  sys.close(fd);
  return tell(sys, {});
}

/** hops FILE TIMES: the calls that the kernel counts for so many of each kind. */
function hops(sys: Sys): number {
  const times = numberArg(sys, 1);
  const fd = sys.open(arg(sys, 0), O_RDONLY);
  const size = sys.fstat(fd).size;
  const into = new Uint8Array(PAGE);
  for (let at = 0; at < size; at += PAGE) sys.pread(fd, into, at);
  const calls = (): number => countOf(sys, 'Calls');
  const counts: Record<string, number> = {};
  const count = (name: string, what: (i: number) => void): void => {
    const before = calls();
    for (let i = 0; i < times; i++) what(i);
    counts[name] = calls() - before;
  };
  count('nothing', () => undefined);
  count('pread', (i) => void sys.pread(fd, into, (i * 7919 * PAGE) % size));
  count('read', () => {
    if (sys.read(fd, into) < into.length) sys.lseek(fd, 0, 0);
  });
  count('lseek', (i) => void sys.lseek(fd, i, 0));
  count('fstat', () => void sys.fstat(fd));
  counts['answered'] = countOf(sys, 'Answered');
  return tell(sys, counts);
}

/** A number of /proc/self/status. */
function countOf(sys: Sys, name: string): number {
  const fd = sys.open('/proc/self/status', O_RDONLY);
  const into = new Uint8Array(4096);
  const text = new TextDecoder().decode(into.subarray(0, sys.read(fd, into)));
  sys.close(fd);
  return Number(new RegExp(`^${name}:\\t(\\d+)$`, 'm').exec(text)?.[1]);
}

/** random FILE TIMES: microseconds for a pread of a page. */
function random(sys: Sys): number {
  const times = numberArg(sys, 1);
  const fd = sys.open(arg(sys, 0), O_RDONLY);
  const pages = Math.floor(sys.fstat(fd).size / PAGE);
  const into = new Uint8Array(PAGE);
  const words = new Uint32Array(into.buffer);
  for (let i = 0; i < pages; i++) sys.pread(fd, into, i * PAGE);
  let page = 1;
  let wrong = 0;
  const startMs = sys.monotonicMs();
  for (let i = 0; i < times; i++) {
    page = (page * 1664525 + 1013904223) % pages;
    if (sys.pread(fd, into, page * PAGE) !== PAGE || words[0] !== page) wrong++;
  }
  const ms = sys.monotonicMs() - startMs;
  return tell(sys, { perSecond: (times / ms) * 1000, wrong });
}

/** sequential FILE BYTES: reads all of it in calls of so many bytes. */
function sequential(sys: Sys): number {
  const into = new Uint8Array(numberArg(sys, 1));
  const fd = sys.open(arg(sys, 0), O_RDONLY);
  const startMs = sys.monotonicMs();
  let total = 0;
  for (let count = sys.read(fd, into); count > 0; count = sys.read(fd, into)) total += count;
  const ms = sys.monotonicMs() - startMs;
  const shared = new Uint8Array(new SharedArrayBuffer(32 * MIB));
  const copyStartMs = sys.monotonicMs();
  for (let at = 0; at < total; at += into.length) {
    const from = at % (shared.length - into.length);
    into.set(shared.subarray(from, from + into.length));
  }
  const copyMs = sys.monotonicMs() - copyStartMs;
  return tell(sys, { bytes: total, mbPerSecond: total / ms / 1000, copyShare: copyMs / ms });
}

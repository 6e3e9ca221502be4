// Probes that read and write the same files at the same time. Every page is filled with one number, its stamp,
// so that a torn page shows; the order in which stamps are written tells what a reader must see.

import { O_CREAT, O_RDWR, O_TRUNC, O_WRONLY } from '../../../kernel/abi/constants.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import type { Program, Sys } from '../../../userland/libc/sys.ts';

const PAGE = 4096;
const HALF = PAGE / 2;
const PAGES = 64;
/** In page 0: the writer has finished. */
const LAST = 0xffff_ffff;

/** stamp FILE ROUNDS SEED: stamps a random page, then page 0, then page 1, with the number of the round. */
export const stamp: Program = (sys) => {
  const fd = sys.open(sys.argv[2] ?? '', O_RDWR);
  const random = randomFrom(Number(sys.argv[4]));
  const whole = new Uint32Array((PAGE / 4) * PAGES);
  const [page, bytes] = [whole.subarray(0, PAGE / 4), new Uint8Array(whole.buffer, 0, PAGE)];
  const rounds = Number(sys.argv[3]);
  for (let round = 1; round <= rounds; round++) {
    whole.fill(round === rounds ? LAST : round);
    if (round % 2 === 0) sys.pwrite(fd, new Uint8Array(whole.buffer), 0); // page after page
    sys.pwrite(fd, bytes, (2 + random(PAGES - 2)) * PAGE);
    sys.pwrite(fd, bytes, 0);
    sys.pwrite(fd, bytes, PAGE);
    if (round % 64 === 0) sys.fsync(fd);
    if (stampOf(sys, fd, 0) !== page[0]) return told(sys, `round ${round} is not read back`);
  }
  return told(sys);
};

/** follow FILE SEED: reads the stamps until the last one; tells what cannot be. */
export const follow: Program = (sys) => {
  const fd = sys.open(sys.argv[2] ?? '', O_RDWR);
  const random = randomFrom(Number(sys.argv[3]));
  const all = new Uint8Array(PAGES * PAGE);
  let newest = 0;
  for (let reads = 0; ; reads++) {
    const later = stampOf(sys, fd, 1);
    const first = stampOf(sys, fd, 0);
    if (first < later) return told(sys, `page 0 at ${first} after page 1 at ${later}`);
    if (first < newest) return told(sys, `page 0 went back from ${newest} to ${first}`);
    newest = first;
    const any = stampOf(sys, fd, 2 + random(PAGES - 2));
    const then = stampOf(sys, fd, 0);
    if (any !== LAST && then < any - 1)
      return told(sys, `a page at ${any} before page 0 at ${then}`);
    if (reads % 16 === 0) {
      if (sys.pread(fd, all, 0) !== all.length) return told(sys, 'a short read');
      for (let i = 0; i < PAGES; i++) uniform(all.subarray(i * PAGE, (i + 1) * PAGE));
    }
    const { size, mode } = sys.fstat(fd);
    if (size !== all.length || (mode & 0o7177) !== 0) return told(sys, `size ${size} mode ${mode}`);
    if (first === LAST) return told(sys);
  }
};

/** resize FILE ROUNDS SEED: cuts the file off somewhere and writes on from there, never leaving a hole. */
export const resize: Program = (sys) => {
  const fd = sys.open(sys.argv[2] ?? '', O_RDWR | O_CREAT | O_TRUNC);
  const random = randomFrom(Number(sys.argv[4]));
  const rounds = Number(sys.argv[3]);
  let halves = 0;
  for (let round = 1; round <= rounds; round++) {
    const kept = random(halves + 1);
    sys.ftruncate(fd, kept * HALF);
    if (sys.lseek(fd, 0, 2) !== kept * HALF) return told(sys, `cut at ${kept}: another size`);
    const more = Math.min(1 + random(8), 2 * PAGES - kept);
    const words = new Uint32Array((more * HALF) / 4).fill(round);
    sys.pwrite(fd, new Uint8Array(words.buffer), kept * HALF);
    halves = kept + more;
    if (sys.fstat(fd).size !== halves * HALF) return told(sys, `grown to ${halves}: another size`);
    if (halvesOf(sys, fd, (halves - 1) >> 1).at(-1) === 0) return told(sys, 'zeroes at the end');
  }
  const page = new Uint32Array(PAGE / 4).fill(LAST);
  sys.pwrite(fd, new Uint8Array(page.buffer), 0);
  return told(sys);
};

/** measure FILE SEED: reads a file that changes its size: whole halves of pages with a stamp, or nothing. */
export const measure: Program = (sys) => {
  const fd = sys.open(sys.argv[2] ?? '', O_RDWR);
  const random = randomFrom(Number(sys.argv[3]));
  for (;;) {
    const { size } = sys.fstat(fd);
    if (size % HALF !== 0) return told(sys, `a size of ${size}`);
    const near = Math.max(0, Math.floor(size / PAGE) - 2 + random(4)); // where it is cut off next
    for (const index of [near, random(PAGES), 0]) {
      const stamps = halvesOf(sys, fd, index);
      if (stamps.includes(0)) return told(sys, 'zeroes where nobody wrote any');
      if (index === 0 && stamps[0] === LAST) return told(sys);
    }
  }
};

/** disturb FILE DIR: until FILE begins with the last stamp, drops caches, changes modes, makes and removes names. */
export const disturb: Program = (sys) => {
  const [, , file = '', dir = ''] = sys.argv;
  const fd = sys.open(file, O_RDWR);
  const drop = sys.open('/proc/sys/vm/drop_caches', O_WRONLY);
  for (let i = 0; halvesOf(sys, fd, 0)[0] !== LAST; i++) {
    sys.chmod(file, i % 2 === 0 ? 0o600 : 0o200);
    const other = sys.open(`${dir}/x`, O_RDWR | O_CREAT | O_TRUNC);
    sys.write(other, new Uint8Array(3 * PAGE));
    sys.unlink(`${dir}/x`);
    sys.close(other);
    if (i % 8 === 0) sys.pwrite(drop, encodeText('1'), 0);
  }
  return told(sys);
};

function told(sys: Sys, wrong?: string): number {
  sys.write(1, encodeText(JSON.stringify(wrong ?? 'sound')));
  return 0;
}

const one = new Uint8Array(PAGE);

/** The stamp of a page. Throws when it is torn or not whole. */
function stampOf(sys: Sys, fd: number, index: number): number {
  const count = sys.pread(fd, one, index * PAGE);
  if (count !== PAGE) throw new Error(`page ${index}: ${count} bytes`);
  return uniform(one);
}

/** The stamps of as many halves of a page as the file has. */
function halvesOf(sys: Sys, fd: number, index: number): number[] {
  const count = sys.pread(fd, one, index * PAGE);
  if (count % HALF !== 0) throw new Error(`page ${index}: ${count} bytes`);
  const stamps: number[] = [];
  for (let at = 0; at < count; at += HALF) stamps.push(uniform(one.subarray(at, at + HALF)));
  return stamps;
}

function uniform(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const [stamp = 0] = words;
  const torn = words.findIndex((word) => word !== stamp);
  if (torn >= 0) throw new Error(`torn: ${stamp} and, from word ${torn}, ${words[torn]}`);
  return stamp;
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

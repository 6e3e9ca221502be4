// fallocate: reserves room for a file, or takes it away. util-linux fallocate(1): -l -o -n -p -z -d -v.

import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_CREAT,
  O_RDWR,
  SEEK_DATA,
  SEEK_HOLE,
} from '../../kernel/abi/constants.ts';
import { ENXIO, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { program, type Tool } from '../libc/program.ts';
import { COPY_BYTES } from '../libc/stdio.ts';
import { parseSize } from '../libc/text/numbers.ts';

export const main = program(
  {
    usage: `[-dnpvz] [-o OFFSET] -l LENGTH FILE

  -d  --dig-holes   make holes of blocks of zeroes    -o  --offset    where to begin
  -l  --length      how many bytes                    -p  --punch-hole  take the room away
  -n  --keep-size   leave the size as it is           -z  --zero-range  zeroes, with room`,
    short: 'dnpzvxcil:o:',
    long: {
      'dig-holes': 'd',
      'keep-size': 'n',
      'length=': 'l',
      'offset=': 'o',
      'punch-hole': 'p',
      posix: 'x',
      verbose: 'v',
      'zero-range': 'z',
      'collapse-range': 'c',
      'insert-range': 'i',
    },
  },
  (tool, options) => {
    const { sys } = tool;
    const modes = options.list.filter(({ name }) => 'dpzx'.includes(name));
    if (new Set(modes.map(({ name }) => name)).size > 1)
      tool.misuse('mutually exclusive arguments: --dig-holes --posix --punch-hole --zero-range');
    if (options.has('c', 'i')) tool.die('collapsing and inserting ranges is not supported');
    const [path, extra] = options.operands;
    if (path === undefined) return tool.misuse('no filename specified');
    if (extra !== undefined) return tool.misuse('unexpected number of arguments');
    const offset = bytesOf(tool, options.value('o') ?? '0', 'offset');
    const text = options.value('l');
    if (text === undefined && !options.has('d')) tool.misuse('no length argument specified');
    const length = text === undefined ? 0 : bytesOf(tool, text, 'length');
    if (length === 0 && !options.has('d')) tool.die('invalid length value specified');
    const keep = options.has('n') ? FALLOC_FL_KEEP_SIZE : 0;
    const punch = options.has('p') ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : 0;
    const zero = options.has('z') ? FALLOC_FL_ZERO_RANGE : 0;
    const create = options.has('p', 'd') ? 0 : O_CREAT;
    const fd = attempt(tool, `cannot open ${path}`, () => sys.open(path, O_RDWR | create, 0o666));
    if (options.has('d')) return dig(tool, fd, { path, offset, length, verbose: options.has('v') });
    attempt(tool, 'fallocate failed', () =>
      sys.fallocate(fd, keep | punch | zero, { offset, length }),
    );
    if (options.has('v')) tool.out.text(`${path}: ${length} bytes ${said(punch, zero)}.\n`);
    sys.close(fd);
    return 0;
  },
);

const said = (punch: number, zero: number): string =>
  punch !== 0 ? 'deallocated' : zero !== 0 ? 'zeroed' : 'allocated';

function bytesOf(tool: Tool, text: string, what: string): number {
  return parseSize(text) ?? tool.die(`invalid ${what} value specified`);
}

function attempt<T>(tool: Tool, what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${what}: ${strerror(error.errno)}`);
  }
}

interface Dig {
  readonly path: string;
  readonly offset: number;
  readonly length: number; // 0: to the end
  readonly verbose: boolean;
}

/** Holes where whole blocks of data are zeroes; holes that are there are not read. */
function dig(tool: Tool, fd: number, { path, offset, length, verbose }: Dig): number {
  const { sys } = tool;
  const { size, blksize } = sys.fstat(fd);
  const end = length === 0 ? size : Math.min(size, offset + length);
  const buffer = new Uint8Array(Math.ceil(COPY_BYTES / blksize) * blksize);
  let dug = 0;
  for (let at = offset; at < end; ) {
    const data = next(sys, fd, { from: at, whence: SEEK_DATA });
    if (data === undefined || data >= end) break;
    const stop = Math.min(end, next(sys, fd, { from: data, whence: SEEK_HOLE }) ?? end);
    for (at = data - (data % blksize); at < stop; ) {
      const count = sys.pread(fd, buffer.subarray(0, Math.min(buffer.length, end - at)), at);
      if (count === 0) break;
      dug += digBlocks(tool, fd, { at, bytes: buffer.subarray(0, count), blksize });
      at += count;
    }
  }
  if (verbose) tool.out.text(`${path}: ${dug} bytes converted to sparse holes.\n`);
  sys.close(fd);
  return 0;
}

function next(
  sys: Tool['sys'],
  fd: number,
  { from, whence }: { from: number; whence: number },
): number | undefined {
  try {
    return sys.lseek(fd, from, whence);
  } catch (error) {
    if (error instanceof PosixError && error.errno === ENXIO) return undefined;
    throw error;
  }
}

/** Punches each run of blocks of zeroes; how many bytes. */
function digBlocks(
  tool: Tool,
  fd: number,
  { at, bytes, blksize }: { at: number; bytes: Uint8Array; blksize: number },
): number {
  const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  const isZero = (from: number): boolean =>
    bytes.subarray(from, from + blksize).every((byte) => byte === 0);
  let dug = 0;
  for (let from = 0; from < bytes.length; ) {
    let to = from;
    while (to < bytes.length && isZero(to)) to = Math.min(to + blksize, bytes.length);
    if (to > from) {
      const range = { offset: at + from, length: to - from };
      attempt(tool, 'fallocate failed', () => tool.sys.fallocate(fd, mode, range));
      dug += to - from;
    }
    from = to + blksize;
  }
  return dug;
}

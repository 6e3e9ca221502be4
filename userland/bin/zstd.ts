// zstd, unzstd, zstdcat: files in the zstd format, one by one or as a stream (zstd(1); RFC 8878).

import {
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
} from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { copyAttributes } from '../libc/archive/attributes.ts';
import { type Codec, FormatError, type Sink } from '../libc/archive/codec.ts';
import { join, listDirectory } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, programName, type Tool } from '../libc/program.ts';
import { Exit, Input, Output } from '../libc/stdio.ts';
import { type Listed, listFile, listHeader, listTotal } from '../libc/zstd/list.ts';
import { zstdPacker } from '../libc/zstd/packer.ts';
import { humanSize } from '../libc/zstd/size.ts';
import { isZstd, ZstdUnpacker } from '../libc/zstd/unpacker.ts';

const usage = `[-cdfklqrtvz] [-#] [-o OUTPUT] [FILE]...
Packs FILEs to FILE.zst, or standard input to standard output.
  -c  to standard output    -d  unpack    -f  overwrite, pack links, a terminal, too
  -k  keep files (usual)    --rm  remove them    -l  list what is packed    -o  to this file
  -q  no summary; twice: no errors    -r  directories, too    -t  test    -v  tell more    -z  pack
  -1 … -19, --ultra -20 … -22, --fast  quickly, or small
  --no-check  without a checksum    --pass-through  what is not packed, as it is
Windows of up to 32 MiB are unpacked; there are no dictionaries.`;

const LEVEL_USUAL = 3;
const LEVEL_MOST = 19;
const SUFFIXES = ['.zst', '.tzst'] as const;

export const main = program(
  {
    usage,
    short: 'cdfhHklo:qrtvVzT:M:B:D:',
    long: {
      ...{
        stdout: 'c',
        decompress: 'd',
        uncompress: 'd',
        force: 'f',
        keep: 'k',
        rm: 'rm',
        list: 'l',
      },
      ...{ quiet: 'q', test: 't', verbose: 'v', compress: 'z', 'level=': 'level', ultra: 'ultra' },
      ...{ 'fast=?': 'fast', 'long=?': 'tuning', check: 'check', 'no-check': 'no-check' },
      ...{ progress: 'tuning', 'no-progress': 'tuning', sparse: 'tuning', 'no-sparse': 'tuning' },
      ...{ 'single-thread': 'tuning', 'threads=': 'T', 'memory=': 'M', rsyncable: 'tuning' },
      ...{ adapt: 'tuning', 'stream-size=': 'tuning', 'size-hint=': 'tuning' },
      ...{ 'pass-through': 'pass', 'no-pass-through': 'no-pass', 'format=': 'format' },
    },
    rewrite: levels,
  },
  (tool, options) => {
    if (options.has('h') || options.has('H')) {
      tool.out.text(`Usage: ${programName(tool.sys)} ${usage}\n`);
      return;
    }
    if (options.has('V')) {
      tool.out.text('zstd (Atoll)\n');
      return;
    }
    const job = jobOf(tool, options);
    const names = options.operands.length > 0 ? options.operands : ['-'];
    if (job.does === 'list') list(job, names);
    else if (job.output !== undefined && job.output !== '-') toOne(job, names, job.output);
    else for (const name of names) one(job, name);
  },
);

/** `-19` is one level, not two options. */
function levels(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.flatMap((arg, i) => {
    const [, level, rest] = /^-(\d+)(.*)$/.exec(arg) ?? [];
    if (level === undefined || (end >= 0 && i > end)) return [arg];
    return rest ? [`--level=${level}`, `-${rest}`] : [`--level=${level}`];
  });
}

interface Job {
  readonly tool: Tool;
  readonly does: 'pack' | 'unpack' | 'test' | 'list';
  readonly toStdout: boolean;
  /** -o */
  readonly output: string | undefined;
  readonly options: Options;
  readonly force: boolean;
  readonly passThrough: boolean;
  readonly level: number;
  /** 0: nothing at all, 1: errors, 2: summaries. */
  readonly loud: number;
}

function jobOf(tool: Tool, options: Options): Job {
  const name = programName(tool.sys);
  const cats = name === 'zstdcat';
  const mode = options.last('d', 't', 'l', 'z') ?? (name === 'zstd' ? 'z' : 'd');
  const does = ({ d: 'unpack', t: 'test', l: 'list', z: 'pack' } as const)[mode] ?? 'pack';
  if (options.has('D')) tool.die('dictionaries are not supported');
  const format = options.value('format') ?? 'zstd';
  if (format !== 'zstd') tool.die(`format ${format} is not supported; there is gzip for .gz files`);
  const output = options.value('o');
  const toStdout = options.has('c') || cats || output === '-';
  const usual = toStdout || (options.operands[0] ?? '-') === '-' ? 1 : 2;
  const quieter = options.list.filter((option) => option.name === 'q').length;
  const passes = cats || (options.has('f') && toStdout);
  return {
    ...{ tool, does, options, toStdout, level: levelOf(tool, options) },
    output: options.last('o', 'c') === 'o' ? output : undefined,
    force: options.has('f') || cats,
    passThrough: options.last('pass', 'no-pass') === undefined ? passes : options.has('pass'),
    loud: options.has('v') ? 2 : Math.max(0, (does === 'test' ? 2 : usual) - quieter),
  };
}

function levelOf(tool: Tool, options: Options): number {
  if (options.last('level', 'fast') === 'fast') return 1;
  const level = Number(options.value('level') ?? LEVEL_USUAL);
  const most = options.has('ultra') ? 22 : LEVEL_MOST;
  if (level > most)
    tool.error(`Warning : compression level higher than max, reduced to ${most} \n`);
  return level === 0 ? LEVEL_USUAL : Math.min(level, most);
}

const say = ({ tool, loud }: Job, text: string): void => {
  if (loud >= 2) tool.error(`${text} \n`);
};

function refuse(job: Job, message: string): undefined {
  if (job.loud >= 1) job.tool.note(message);
  job.tool.status = 1;
}

/** One operand: a stream, a file, a directory. */
function one(job: Job, name: string): void {
  if (name === '-') {
    stream(job);
    return;
  }
  const file = opened(job, name);
  if (file === undefined) return;
  try {
    if (job.toStdout || job.does === 'test') {
      convert(job, { ...file, output: job.tool.out, target: '' });
      return;
    }
    const target = targetOf(job, name);
    if (target !== undefined) toFile(job, file, target);
  } finally {
    job.tool.sys.close(file.fd);
  }
}

interface Source {
  readonly name: string;
  readonly fd: number;
  readonly stat: Stat | undefined;
}

function opened(job: Job, name: string): (Source & { readonly stat: Stat }) | undefined {
  const { tool, force, toStdout } = job;
  try {
    const stat = tool.sys.stat(name);
    const type = stat.mode & S_IFMT;
    if (type === S_IFDIR) {
      if (!job.options.has('r')) return refuse(job, `${name} is a directory -- ignored`);
      for (const { name: entry } of listDirectory(tool.sys, name)) one(job, join(name, entry));
      return undefined;
    }
    if (type !== S_IFREG && !force && !toStdout)
      return refuse(job, `${name} is not a regular file -- ignored`);
    return { name, stat, fd: tool.sys.open(name, O_RDONLY) };
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return refuse(job, `can't stat ${name} : ${strerror(error.errno)} -- ignored`);
  }
}

function targetOf(job: Job, name: string): string | undefined {
  if (job.does === 'pack') return `${name}.zst`;
  const suffix = SUFFIXES.find((one) => name.length > one.length && name.endsWith(one));
  if (suffix !== undefined)
    return name.slice(0, -suffix.length) + (suffix === '.tzst' ? '.tar' : '');
  return refuse(
    job,
    `${name}: unknown suffix (${SUFFIXES.join('/')} expected). Can't derive the output file name. Specify it with -o dstFileName. Ignoring.`,
  );
}

function stream(job: Job): void {
  const { tool, does, force, output } = job;
  const end = does === 'pack' ? 1 : 0;
  if (!force && does !== 'test' && output === undefined && tool.sys.isatty(end)) {
    tool.die(`${end === 1 ? 'stdout' : 'stdin'} is a console, aborting`);
  }
  convert(job, { name: '/*stdin*\\', fd: 0, stat: undefined, output: tool.out, target: '' });
}

/** Makes the target, fills it, and removes it again when that fails. */
function toFile(job: Job, source: Source & { readonly stat: Stat }, target: string): void {
  const { tool } = job;
  const fd = create(job, target);
  if (fd === undefined) return;
  let done = false;
  try {
    const output = new Output(tool.sys, fd, { what: target });
    done = convert(job, { ...source, output, target });
    output.flush();
    if (done) copyAttributes(tool.sys, target, source.stat);
  } finally {
    tool.sys.close(fd);
    if (!done) tool.sys.unlink(target);
  }
  const removes = job.options.last('rm', 'k') === 'rm';
  if (done && removes) tool.attempt(source.name, () => tool.sys.unlink(source.name));
}

/** -o: everything into one file, one frame behind the other. */
function toOne(job: Job, names: readonly string[], target: string): void {
  const { tool } = job;
  if (names.length > 1 && !job.force) {
    tool.error(
      `zstd: WARNING: all input files will be processed and concatenated into a single output file: ${target} \nThe concatenated output CANNOT regenerate original file names nor directory structure. \n`,
    );
    if (!agrees(job, 'Proceed? (y/n): ')) {
      refuse(job, 'Aborting...');
      return;
    }
  }
  const fd = create(job, target);
  if (fd === undefined) return;
  const output = new Output(tool.sys, fd, { what: target });
  for (const name of names) {
    const isStream = name === '-';
    const file = isStream ? { name: '/*stdin*\\', fd: 0, stat: undefined } : opened(job, name);
    if (file === undefined) continue;
    convert(job, { ...file, output, target });
    if (!isStream) tool.sys.close(file.fd);
    if (names.length === 1 && file.stat !== undefined && tool.status === 0) {
      output.flush();
      copyAttributes(tool.sys, target, file.stat);
    }
  }
  output.flush();
  tool.sys.close(fd);
  if (names.length === 1 && tool.status !== 0) tool.sys.unlink(target);
}

function create(job: Job, target: string): number | undefined {
  const { tool, force } = job;
  try {
    return tool.sys.open(target, O_WRONLY | O_CREAT | (force ? O_TRUNC : O_EXCL), 0o666);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (strerror(error.errno) !== 'File exists') {
      return refuse(job, `${target}: ${strerror(error.errno)}`);
    }
  }
  const usesInput = job.options.operands.every((name) => name === '-');
  if (job.loud < 2 || usesInput) return refuse(job, `${target} already exists; not overwritten`);
  if (!agrees(job, `${tool.name}: ${target} already exists; overwrite (y/n) ? `)) {
    tool.error('Not overwritten\n');
    tool.status = 1;
    return undefined;
  }
  return tool.attempt(target, () => tool.sys.open(target, O_WRONLY | O_TRUNC));
}

function agrees({ tool }: Job, question: string): boolean {
  tool.error(question);
  const answer = new Input(tool.sys, 0).line()?.[0];
  return answer === 0x79 || answer === 0x59; // y, Y
}

/** Packs or unpacks one stream; says whether all of it was good. */
function convert(
  job: Job,
  from: Source & { readonly output: Output; readonly target: string },
): boolean {
  const { tool, does } = job;
  const size = { in: 0, out: 0 };
  const sink: Sink = (bytes) => {
    size.out += bytes.length;
    if (does !== 'test') from.output.write(bytes);
  };
  try {
    const input = new Input(tool.sys, from.fd);
    const beginning = firstBytes(input);
    const codec = codecFor(job, from, { sink, beginning });
    for (let chunk = beginning; chunk !== undefined; chunk = input.chunk()) {
      size.in += chunk.length;
      codec.push(chunk);
    }
    codec.end();
  } catch (error) {
    if (error instanceof Exit) throw error;
    if (error instanceof FormatError) {
      const coded = / error \(/.test(error.message);
      if (job.loud < 1) tool.status = 1;
      else if (coded) tool.error(`${from.name.padEnd(20)}: ${error.message} \n`);
      else tool.note(`${from.name}: ${error.message} `);
    } else tool.fault(from.name, error);
    tool.status = 1;
    return false;
  }
  report(job, from, size);
  return true;
}

/** Enough to know a magic by, when there is so much. */
function firstBytes(input: Input): Uint8Array | undefined {
  let all = input.chunk()?.slice();
  while (all !== undefined && all.length < 4) {
    const more = input.chunk();
    if (more === undefined) break;
    const joined: Uint8Array<ArrayBuffer> = new Uint8Array(all.length + more.length);
    joined.set(all);
    joined.set(more, all.length);
    all = joined;
  }
  return all;
}

function codecFor(
  job: Job,
  { stat }: Source,
  { sink, beginning }: { sink: Sink; beginning: Uint8Array | undefined },
): Codec {
  if (job.does === 'pack') {
    const checksum = job.options.last('check', 'no-check') !== 'no-check';
    const isFile = stat !== undefined && (stat.mode & S_IFMT) === S_IFREG;
    return zstdPacker(sink, { level: job.level, checksum, ...(isFile ? { size: stat.size } : {}) });
  }
  const passes = job.does === 'unpack' && job.passThrough && !isZstd(beginning);
  return passes ? { push: sink, end: () => undefined } : new ZstdUnpacker(sink);
}

function report(
  job: Job,
  { name, target }: { name: string; target: string },
  size: { in: number; out: number },
): void {
  if (job.does !== 'pack') {
    say(job, `${name.padEnd(20)}: ${size.out} bytes`);
    return;
  }
  const ratio = size.in === 0 ? '' : ((size.out * 100) / size.in).toFixed(2);
  const sizes = [size.in, size.out].map((bytes) => {
    const { value, unit } = humanSize(bytes);
    return `${value.padStart(6)}${unit}`;
  });
  say(
    job,
    `${name.padEnd(20)} :${ratio.padStart(6)}${ratio && '%'}   (${sizes.join(' => ')}, ${target || '/*stdout*\\'})`,
  );
}

function list(job: Job, names: readonly string[]): void {
  const { tool } = job;
  if (names.includes('-')) tool.die('--list does not support reading from standard input');
  tool.out.text(listHeader);
  const all: Listed[] = [];
  for (const name of names) {
    const file = opened(job, name);
    if (file === undefined) continue;
    try {
      const found = listFile(tool.sys, file);
      all.push(found);
      tool.out.text(found.line);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      tool.out.text(`File "${name}" not compressed by zstd \n`);
      tool.status = 1;
    } finally {
      tool.sys.close(file.fd);
    }
  }
  if (all.length > 1) tool.out.text(listTotal(all));
}

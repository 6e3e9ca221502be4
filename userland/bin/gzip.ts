// gzip, gunzip, zcat: files in the gzip format, one by one or as a stream (gzip(1); RFC 1952).

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
import { encodeText } from '../../kernel/abi/text.ts';
import { copyAttributes } from '../libc/archive/attributes.ts';
import { type Codec, FormatError, type Sink } from '../libc/archive/codec.ts';
import { GzipUnpacker, gzipPacker } from '../libc/archive/gzip.ts';
import { basename, join, listDirectory } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, programName, type Tool } from '../libc/program.ts';
import { Exit, Input, Output } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';

const usage = `[-cdfklnqrtvN123456789] [-S SUFFIX] [FILE]...
Packs FILEs to FILE.gz, or standard input to standard output.
  -c  to standard output, keep files    -d  unpack    -f  overwrite, pack links, a terminal, too
  -k  keep files    -l  list what is packed    -n -N  without, with name and time    -q  no warnings
  -r  directories, too    -S  another suffix than .gz    -t  test    -v  tell what is done
  -1 … -9  quickly, or small`;

export const main = program(
  {
    usage,
    short: 'acdfhklLnNqrS:tvV123456789',
    long: {
      ...{ stdout: 'c', 'to-stdout': 'c', decompress: 'd', uncompress: 'd', force: 'f' },
      ...{ keep: 'k', list: 'l', 'no-name': 'n', name: 'N', quiet: 'q', silent: 'q' },
      ...{ recursive: 'r', 'suffix=': 'S', test: 't', verbose: 'v', fast: '1', best: '9' },
    },
  },
  (tool, options) => {
    const job = jobOf(tool, options);
    const names = options.operands.length > 0 ? options.operands : ['-'];
    if (job.does === 'list')
      tool.out.text('         compressed        uncompressed  ratio uncompressed_name\n');
    for (const name of names) {
      if (name === '-') stream(job);
      else file(job, name);
    }
  },
);

interface Job {
  readonly tool: Tool;
  readonly does: 'pack' | 'unpack' | 'test' | 'list';
  readonly options: Options;
  readonly toStdout: boolean;
  readonly keep: boolean;
  readonly force: boolean;
  readonly suffix: string;
  readonly level: number;
  /** Name and time go into the header, or come out of it. */
  readonly withName: boolean;
}

function jobOf(tool: Tool, options: Options): Job {
  const name = programName(tool.sys);
  const unpacks = options.has('d') || name === 'gunzip' || name === 'zcat';
  const does = options.has('l') ? 'list' : options.has('t') ? 'test' : unpacks ? 'unpack' : 'pack';
  const suffix = options.value('S') ?? '.gz';
  if (suffix === '' || suffix.includes('/')) tool.die(`invalid suffix '${suffix}'`);
  const named = options.last('n', 'N');
  return {
    ...{ tool, does, options, suffix },
    toStdout: options.has('c') || name === 'zcat',
    keep: options.has('k'),
    force: options.has('f'),
    level: Number(options.last(...'123456789') ?? 6),
    withName: named === undefined ? does === 'pack' : named === 'N',
  };
}

/** Standard input to standard output. */
function stream(job: Job): void {
  const { tool, does, force } = job;
  const end = does === 'pack' ? 1 : 0;
  if (!force && does !== 'list' && does !== 'test' && tool.sys.isatty(end)) {
    const way = does === 'pack' ? 'written to' : 'read from';
    tool.die(
      `compressed data not ${way} a terminal. Use -f to force ${does === 'pack' ? '' : 'de'}compression.`,
    );
  }
  convert(job, { name: 'stdin', fd: 0, header: { name: '', mtime: 0 }, output: tool.out });
  tool.out.flush();
}

function file(job: Job, given: string): undefined {
  const { tool, does, suffix, options } = job;
  const found = lookFor(job, given);
  if (found === undefined) return;
  const { name, stat } = found;
  if ((stat.mode & S_IFMT) === S_IFDIR) {
    if (!options.has('r')) return warn(job, `${name} is a directory -- ignored`);
    for (const { name: entry } of listDirectory(tool.sys, name)) file(job, join(name, entry));
    return;
  }
  const toFile = !job.toStdout && (does === 'pack' || does === 'unpack');
  if (toFile && (stat.mode & S_IFMT) !== S_IFREG) {
    return warn(job, `${name} is not a directory or a regular file - ignored`);
  }
  if (toFile && stat.nlink > 1 && !job.force) {
    const others = stat.nlink - 1;
    return warn(job, `${name} has ${others} other link${others > 1 ? 's' : ''} -- file ignored`);
  }
  if (does === 'pack' && name.endsWith(suffix) && !job.force) {
    if (!options.has('q')) tool.note(`${name} already has ${suffix} suffix -- unchanged`);
    return;
  }
  const target = does === 'pack' ? name + suffix : unpackedName(name, suffix);
  if (does === 'unpack' && target === undefined && !job.toStdout) {
    return options.has('r') ? undefined : warn(job, `${name}: unknown suffix -- ignored`);
  }
  const fd = tool.attempt(name, () => tool.sys.open(name, O_RDONLY));
  if (fd === undefined) return;
  try {
    const header = job.withName
      ? { name: toLatin1(encodeText(basename(name))), mtime: stat.mtime.sec }
      : { name: '', mtime: 0 };
    if (toFile) toFileNamed(job, { name, fd, stat, header, target: target ?? name });
    else convert(job, { name, fd, header, output: tool.out });
  } finally {
    tool.sys.close(fd);
  }
}

/** The file, or the one with the suffix when something is to be unpacked. */
function lookFor(job: Job, given: string): { name: string; stat: Stat } | undefined {
  const { tool, does, suffix, force } = job;
  const looks = force || job.toStdout || does === 'test' || does === 'list' ? 'stat' : 'lstat';
  const names = does === 'pack' || given.endsWith(suffix) ? [given] : [given, given + suffix];
  for (const name of names) {
    try {
      return { name, stat: tool.sys[looks](name) };
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      if (name === names.at(-1)) tool.warn(`${name}: ${strerror(error.errno)}`);
    }
  }
  return undefined;
}

const warn = ({ tool, options }: Job, message: string): undefined => {
  if (!options.has('q')) tool.note(message);
  tool.status = tool.status || 2;
};

function unpackedName(name: string, suffix: string): string | undefined {
  if (name.length > suffix.length && name.endsWith(suffix)) return name.slice(0, -suffix.length);
  if (/\.t[ag]z$/.test(name)) return name.replace(/\.t[ag]z$/, '.tar');
  return /[^/](\.gz|-gz|\.z|-z|_z|\.Z)$/.test(name) ? name.replace(/(.gz|.z|.Z)$/, '') : undefined;
}

interface Source {
  readonly name: string;
  readonly fd: number;
  readonly header: { readonly name: string; readonly mtime: number };
}

function toFileNamed(job: Job, from: Source & { stat: Stat; target: string }): void {
  const { tool, force } = job;
  const { target, stat } = from;
  const flags = O_WRONLY | O_CREAT | (force ? O_TRUNC : O_EXCL);
  const fd = openTarget(job, target, flags);
  if (fd === undefined) return;
  let done = false;
  try {
    const output = new Output(tool.sys, fd, { what: target });
    const whole = convert(job, { ...from, output });
    output.flush();
    done = whole;
    if (done) copyAttributes(tool.sys, target, stat);
  } finally {
    tool.sys.close(fd);
    if (!done) tool.sys.unlink(target);
  }
  if (done && !job.keep) tool.attempt(from.name, () => tool.sys.unlink(from.name));
}

function openTarget(job: Job, target: string, flags: number): number | undefined {
  try {
    return job.tool.sys.open(target, flags, 0o600);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (strerror(error.errno) === 'File exists')
      warn(job, `${target} already exists;\tnot overwritten`);
    else job.tool.fault(target, error);
    return undefined;
  }
}

/** Packs or unpacks one stream; says whether all of it was good. */
function convert(job: Job, from: Source & { readonly output: Output }): boolean {
  const { tool, does, level } = job;
  const size = { in: 0, out: 0 };
  const sink: Sink = (bytes) => {
    size.out += bytes.length;
    if (does === 'pack' || does === 'unpack') from.output.write(bytes);
  };
  const passes = job.force && from.output === tool.out && does !== 'list';
  const unpacker = new GzipUnpacker(sink, { passes });
  const codec: Codec = does === 'pack' ? gzipPacker(sink, { ...from.header, level }) : unpacker;
  try {
    const input = new Input(tool.sys, from.fd);
    for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
      size.in += chunk.length;
      codec.push(chunk);
    }
    codec.end();
  } catch (error) {
    if (error instanceof FormatError) {
      if (error.weight === 'warning') {
        warn(job, `${from.name}: ${error.message}`);
        return true;
      }
      tool.error(`\n${tool.name}: ${from.name}: ${error.message}\n`);
      if (error.weight === 'end') throw new Exit(1, '');
    } else if (error instanceof Exit) throw error;
    else tool.fault(from.name, error);
    tool.status = 1;
    return false;
  }
  const overhead = does === 'pack' ? 18 + from.header.name.length : unpacker.overhead;
  report(job, from.name, { ...size, overhead });
  return true;
}

function report(job: Job, name: string, size: { in: number; out: number; overhead: number }): void {
  const { tool, does, options, suffix } = job;
  const [packed, plain] = does === 'pack' ? [size.out, size.in] : [size.in, size.out];
  const ratio = plain === 0 ? 0 : ((plain - packed + size.overhead) * 100) / plain;
  if (does === 'list') {
    const shown = name === 'stdin' ? 'stdout' : (unpackedName(name, suffix) ?? name);
    tool.out.text(
      `${String(packed).padStart(19)} ${String(plain).padStart(19)} ${ratio.toFixed(1).padStart(5)}% ${shown}\n`,
    );
  } else if (options.has('v')) {
    tool.error(`${name}:\t${does === 'test' ? ' OK' : `${ratio.toFixed(1).padStart(5)}%`}\n`);
  }
}

// tar: archives of files (POSIX.1-2024 pax formats, GNU tar's options that people use), as streams.

import {
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  S_IFDIR,
  S_IFREG,
  SEEK_SET,
} from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { type Codec, FormatError } from '../libc/archive/codec.ts';
import { applyMode, formatMode, parseMode } from '../libc/files/mode.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input, Output } from '../libc/stdio.ts';
import { type CreateOptions, Creator } from '../libc/tar/create.ts';
import { Extractor } from '../libc/tar/extract.ts';
import { BLOCK, type Member } from '../libc/tar/header.ts';
import { packer, packingOf, unpacker } from '../libc/tar/packing.ts';
import { type MemberHandler, TarReader } from '../libc/tar/reader.ts';
import { globRegExp } from '../libc/text/glob.ts';
import { strftime } from '../libc/time/date.ts';
import { parseDate } from '../libc/time/date-parse.ts';

const usage = `-c|-x|-t|-r|-u [-f ARCHIVE] [-C DIRECTORY] [-hkmOpvz] [OPTION]... [FILE]...
  -c  create    -x  extract    -t  list    -r  append    -u  append what is newer
  -f  the archive; - or none is a stream    -C  works in DIRECTORY    -z --zstd  packed with gzip, zstd; -a  by its suffix
  -h  follow symbolic links    -k  keep files that are there    -m  time of extraction
  -O  to standard output    -p  modes as they are    -v  tell names
  --exclude=PATTERN -X FILE --sort=name --mtime=DATE --mode=MODE --format=ustar|pax --strip-components=N --owner=UID --group=GID --no-recursion --no-same-owner`;

export const main = program(
  {
    ...{ usage, trouble: 2, short: 'cxtruf:C:hkmnOoPpvzb:T:aI:X:jJH:' },
    long: {
      ...{ create: 'c', extract: 'x', get: 'x', list: 't', append: 'r', update: 'u', 'file=': 'f' },
      ...{ 'directory=': 'C', dereference: 'h', 'keep-old-files': 'k', touch: 'm', gzip: 'z' },
      ...{ 'to-stdout': 'O', 'preserve-permissions': 'p', 'same-permissions': 'p', verbose: 'v' },
      ...{ 'exclude=': 'exclude', 'strip-components=': 'strip', 'owner=': 'owner', gunzip: 'z' },
      ...{ 'group=': 'group', 'no-recursion': 'flat', 'no-same-owner': 'o', 'files-from=': 'T' },
      ...{ zstd: 'zstd', 'auto-compress': 'a', 'use-compress-program=': 'I' },
      ...{ 'sort=': 'sort', 'mtime=': 'mtime', 'format=': 'format', 'mode=': 'mode' },
      ...{ 'exclude-from=': 'X', bzip2: 'j', xz: 'J', seek: 'n', 'same-owner': 'same-owner' },
      ...{ 'absolute-names': 'P', 'numeric-owner': 'numeric-owner' },
    },
    rewrite: oldStyle,
  },
  (tool, options) => {
    const modes = [
      ...new Set(options.list.map(({ name }) => name).filter((n) => 'cxtru'.includes(n))),
    ];
    const [mode] = modes;
    if (mode === undefined) return tool.misuse("You must specify one of the '-ctrux' options");
    if (options.has('j', 'J')) tool.die('archives are packed by gzip and zstd only');
    checkFormat(tool, options);
    if (modes.length > 1) return tool.misuse("You may not specify more than one '-ctrux' option");
    if (mode === 'x' || mode === 't') read(tool, options, mode);
    else write(tool, options, mode);
  },
);

/** ustar where it has room, pax where it has not: what every tar reads, whichever is asked for. */
function checkFormat(tool: Tool, options: Options): void {
  const format = options.value('format') ?? options.value('H') ?? 'pax';
  if (!['ustar', 'pax', 'posix', 'gnu', 'oldgnu', 'v7'].includes(format))
    tool.misuse(`'${format}': Invalid archive format`);
}

/** `tar cvf FILE`: letters without a hyphen, their values in order behind them. */
function oldStyle(args: readonly string[]): string[] {
  const [first = '', ...rest] = args;
  if (first.startsWith('-') || first === '') return [...args];
  const out: string[] = [];
  for (const letter of first) {
    out.push(`-${letter}`);
    if ('fCbT'.includes(letter)) out.push(...rest.splice(0, 1));
  }
  return [...out, ...rest];
}

const archiveName = (options: Options): string => options.value('f') ?? '-';

function openArchive(tool: Tool, name: string, flags: number): number {
  try {
    return tool.sys.open(name, flags, 0o666);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.note(`${name}: Cannot open: ${strerror(error.errno)}`);
    return tool.die('Error is not recoverable: exiting now');
  }
}

/** Works in the directory from here on. */
function enter(tool: Tool, directory: string): void {
  try {
    tool.sys.chdir(directory);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.note(`${directory}: Cannot open: ${strerror(error.errno)}`);
    tool.die('Error is not recoverable: exiting now');
  }
}

const plain = (name: string): string => name.replace(/^\.\//, '').replace(/\/+$/, '');

/** A pattern holds for a name, for what is below it, and behind any slash. */
function excluder(tool: Tool, options: Options): (name: string) => boolean {
  const listed = options.values('X').flatMap((file) => namesIn(tool, file));
  const all = [...options.values('exclude'), ...listed];
  const patterns = all.map((pattern) => globRegExp(plain(pattern)));
  if (patterns.length === 0) return () => false;
  return (name) => {
    const parts = plain(name).split('/');
    return parts.some((_, from) =>
      parts.some((_, to) => {
        const part = parts.slice(from, to + 1).join('/');
        return to >= from && patterns.some((pattern) => pattern.test(part));
      }),
    );
  };
}

function read(tool: Tool, options: Options, mode: 'x' | 't'): void {
  const name = archiveName(options);
  const fd = name === '-' ? 0 : openArchive(tool, name, O_RDONLY);
  for (const directory of options.values('C')) enter(tool, directory);
  const excluded = excluder(tool, options);
  const asked = options.operands.map((operand) => ({ name: plain(operand), found: false }));
  const wants = (member: string): boolean => {
    if (excluded(member)) return false;
    const path = plain(member);
    const hit = asked.find((one) => path === one.name || path.startsWith(`${one.name}/`));
    if (hit !== undefined) hit.found = true;
    return hit !== undefined || asked.length === 0;
  };
  const verbose =
    options.list.filter((option) => option.name === 'v').length + (mode === 't' ? 1 : 0);
  const toError = options.has('O');
  const tell = (member: Member): void => {
    const shown = options.has('numeric-owner') ? { ...member, user: '', group: '' } : member;
    const line = verbose > 1 ? longLine(shown) : `${member.name}\n`;
    if (verbose === 0) return;
    if (toError) tool.error(line);
    else tool.out.text(line);
  };
  const root = tool.sys.geteuid() === 0;
  const extractor = new Extractor(tool, {
    ...{ wants, tell, keep: options.has('k'), toStdout: options.has('O'), touch: options.has('m') },
    ...{ sameModes: options.has('p') || root, sameOwner: root && !options.has('o') },
    absolute: options.has('P'),
    strip: Math.max(0, Number(options.value('strip') ?? 0) || 0),
  });
  const lister: MemberHandler = {
    begin: (member) => void (wants(member.name) && tell(member)),
    data: () => {},
    end: () => {},
  };
  stream(tool, fd, new TarReader(mode === 'x' ? extractor : lister));
  if (mode === 'x') extractor.finish();
  for (const { name: missing, found } of asked) {
    if (!found) tool.warn(`${missing}: Not found in archive`, 2);
  }
  if (tool.status !== 0) tool.note('Exiting with failure status due to previous errors');
}

/** Feeds the reader, through what unpacks it when it is packed. */
function stream(tool: Tool, fd: number, reader: TarReader): void {
  const input = new Input(tool.sys, fd);
  let codec: Codec | undefined;
  try {
    for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
      codec ??= unpacker(chunk, reader);
      codec.push(chunk);
    }
    (codec ?? reader).end();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    tool.note(error.message);
    if (error.weight === 'warning') return;
    tool.die('Error is not recoverable: exiting now');
  }
}

/** As `ls -l` would show it. */
function longLine(member: Member): string {
  const kinds: Readonly<Record<string, number>> = {
    ...{
      0: 0o100000,
      1: 0o100000,
      2: 0o120000,
      3: 0o020000,
      4: 0o060000,
      5: 0o040000,
      6: 0o010000,
    },
  };
  const mode = formatMode(member.mode | (kinds[member.type] ?? 0o100000));
  const letter = member.type === '1' ? `h${mode.slice(1)}` : mode;
  const owner = `${member.user || member.uid}/${member.group || member.gid}`;
  const isDevice = member.type === '3' || member.type === '4';
  const size = isDevice ? `${member.major},${member.minor}` : String(member.size);
  const time = new Date(Math.floor(member.mtime) * 1000).toISOString();
  const to = member.type === '2' ? ` -> ${member.target}` : '';
  const link = member.type === '1' ? ` link to ${member.target}` : to;
  const when = `${time.slice(0, 10)} ${time.slice(11, 16)}`;
  return `${letter} ${owner} ${size.padStart(Math.max(0, 18 - owner.length))} ${when} ${member.name}${link}\n`;
}

function write(tool: Tool, options: Options, mode: string): void {
  const name = archiveName(options);
  const listed = options.values('T').flatMap((file) => namesIn(tool, file));
  const names = [...options.operands, ...listed];
  if (mode === 'c' && names.length === 0) {
    tool.misuse('Cowardly refusing to create an empty archive');
  }
  const appends = mode !== 'c';
  const packing = packingOf(tool, options, name);
  if (appends && (name === '-' || packing)) tool.die('Cannot update compressed archives');
  const seen = new Map<string, number>();
  const fd =
    name === '-'
      ? 1
      : openArchive(tool, name, appends ? O_RDWR | O_CREAT : O_WRONLY | O_CREAT | O_TRUNC);
  if (appends) goToEnd(tool, fd, seen);
  const output = new Output(tool.sys, fd, { what: name, trouble: 2 });
  const counter = { bytes: 0 };
  const sink = (bytes: Uint8Array): void => output.write(bytes);
  const packed = packing && packer(packing, sink);
  const put = (bytes: Uint8Array): void => {
    counter.bytes += bytes.length;
    if (packed === undefined) sink(bytes);
    else packed.push(bytes);
  };
  const isNewer = (member: Member): boolean => (seen.get(member.name) ?? -1) < member.mtime;
  const creator = new Creator(tool, put, {
    ...createOptions(tool, options, fd === 1),
    newer: mode === 'u' ? isNewer : () => true,
  });
  const places = options.list.filter((option) => option.name === 'C');
  for (const [i, one] of names.entries()) {
    // Each -C holds for the names behind it.
    while (places[0] !== undefined && (places[0].before ?? 0) <= i)
      enter(tool, places.shift()?.value ?? '.');
    creator.add(one);
  }
  // Two blocks of zeros end an archive; it is filled up to a record of twenty.
  const end = Math.ceil((counter.bytes + 2 * BLOCK) / (20 * BLOCK)) * 20 * BLOCK;
  put(new Uint8Array(end - counter.bytes));
  packed?.end();
  output.flush();
  if (tool.status !== 0) tool.note('Exiting with failure status due to previous errors');
}

function createOptions(
  tool: Tool,
  options: Options,
  toStdout: boolean,
): Omit<CreateOptions, 'newer'> {
  const excluded = excluder(tool, options);
  const mtime = timeGiven(tool, options);
  const mode = modeGiven(tool, options.value('mode'));
  const [owner, group] = ['owner', 'group'].map((name) => options.value(name));
  const number = (text: string | undefined): number | undefined =>
    /^\+?\d+$/.test(text?.split(':').at(-1) ?? '') ? Number(text?.split(':').at(-1)) : undefined;
  const word = (text: string): string => (/^\+?\d+$/.test(text) ? '' : (text.split(':')[0] ?? ''));
  return {
    wants: (name) => !excluded(name),
    follow: options.has('h'),
    absolute: options.has('P'),
    named: options.operands.length + options.values('T').length,
    recurse: !options.has('flat'),
    sort: sortGiven(tool, options.value('sort')),
    change: (member) => ({
      ...member,
      ...(mtime === undefined ? {} : { mtime }),
      ...(mode === undefined ? {} : { mode: mode(member) }),
      ...(owner === undefined ? {} : { user: word(owner), uid: number(owner) ?? member.uid }),
      ...(group === undefined ? {} : { group: word(group), gid: number(group) ?? member.gid }),
    }),
    tell: (member) => {
      if (!options.has('v')) return;
      if (toStdout) tool.error(`${member.name}\n`);
      else tool.out.text(`${member.name}\n`);
    },
  };
}

function timeGiven(tool: Tool, options: Options): number | undefined {
  const text = options.value('mtime');
  if (text === undefined) return undefined;
  const parsed = /^[./]/.test(text)
    ? tool.attempt(text, () => tool.sys.stat(text).mtime)
    : parseDate(text, tool.sys.now());
  if (parsed === undefined) return tool.die(`Invalid date format '${text}'`);
  if (options.has('v') && !/^[./]/.test(text)) {
    const shown = strftime('%Y-%m-%d %H:%M:%S', parsed);
    tool.note(`Option --mtime: Treating date '${text}' as ${shown}`);
  }
  return parsed.sec;
}

function modeGiven(tool: Tool, text: string | undefined): ((member: Member) => number) | undefined {
  if (text === undefined) return undefined;
  const change = parseMode(text) ?? tool.die('Invalid mode given on option');
  return (member) =>
    applyMode(change, (member.type === '5' ? S_IFDIR : S_IFREG) | member.mode, 0) & 0o7777;
}

function sortGiven(tool: Tool, text = 'none'): CreateOptions['sort'] {
  if (text === 'none' || text === 'name' || text === 'inode') return text;
  return tool.misuse(`invalid argument '${text}' for '--sort'`);
}

function namesIn(tool: Tool, file: string): string[] {
  const names: string[] = [];
  tool.eachInput([file], (input) => {
    for (let line = input.line(); line !== undefined; line = input.line()) {
      names.push(new TextDecoder().decode(line));
    }
  });
  return names.filter((name) => name !== '');
}

/** Leaves the file where its last member ends; `seen` gets the times of its members. */
function goToEnd(tool: Tool, fd: number, seen: Map<string, number>): void {
  const reader = new TarReader({
    begin: (member) => void seen.set(member.name, member.mtime),
    data: () => {},
    end: () => {},
  });
  stream(tool, fd, reader);
  tool.sys.lseek(fd, reader.endOfMembers, SEEK_SET);
}

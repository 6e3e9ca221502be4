// install: copies files and sets their modes and owners, or makes directories. GNU coreutils §12.3:
// -C -D -d -g -m -o -p -t -T -v -b -S.

import { S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { EEXIST, PosixError, strerror } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { type Backup, backupLong, backupOf } from '../libc/files/backup.ts';
import { copyAttributes, copyData } from '../libc/files/copy.ts';
import { type Destination, destinations } from '../libc/files/destinations.ts';
import { applyMode, parseMode } from '../libc/files/mode.ts';
import {
  dirname,
  isDirectory,
  isDirectoryAt,
  lstatIfThere,
  statIfThere,
} from '../libc/files/path.ts';
import { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { maybeQuoted, quoted, quotedArgument } from '../libc/text/quote.ts';
import { Users } from '../libc/users.ts';

export const main = program(
  {
    usage: `[OPTION]... [-T] SOURCE DEST
  or: install [OPTION]... SOURCE... DIRECTORY
  or: install [OPTION]... -t DIRECTORY SOURCE...
  or: install [OPTION]... -d DIRECTORY...

  -b  keep what was there as NAME~      -o  owner
  -C  leave what is the same already    -p  times as they were
  -D  make all leading directories      -S  suffix instead of ~
  -d  make directories                  -t  into this directory
  -g  group                             -T  DEST is no directory
  -m  mode, instead of rwxr-xr-x        -v  tell what is done`,
    short: 'bcCDdg:m:o:pS:t:Tv',
    long: {
      compare: 'C',
      directory: 'd',
      'group=': 'g',
      'mode=': 'm',
      'owner=': 'o',
      'preserve-timestamps': 'p',
      'target-directory=': 't',
      'no-target-directory': 'T',
      verbose: 'v',
      ...backupLong,
    },
  },
  (tool, options) => {
    refuse(tool, options);
    const look = readLook(tool, options);
    if (options.has('d')) {
      for (const path of options.operands) makeDirectory(tool, path, look);
      return tool.status;
    }
    const made = options.operands.length > 2 || options.has('t') ? new Set<string>() : undefined;
    const all = pairs(tool, options, look);
    if (look.compare && look.times)
      tool.misuse('options --compare (-C) and --preserve-timestamps are mutually exclusive');
    for (const pair of all) installFile(tool, pair, { look, made });
    return tool.status;
  },
);

function refuse(tool: Tool, options: Options): void {
  const into = options.value('t');
  if (options.has('d') && into !== undefined)
    tool.die('target directory not allowed when installing a directory');
  if (options.operands.length === 0) tool.misuse('missing file operand');
  if (into !== undefined && options.has('T'))
    tool.die('cannot combine --target-directory (-t) and --no-target-directory (-T)');
}

/** How what is installed is to look. */
interface Look {
  readonly mode: number;
  readonly directoryMode: number;
  readonly uid: number;
  readonly gid: number;
  readonly times: boolean;
  readonly compare: boolean;
  readonly verbose: boolean;
  readonly backup: Backup;
  /** Each backup gets a name of its own. */
  readonly keepsAll: boolean;
}

const USUAL_MODE = 0o755;

function readLook(tool: Tool, options: Options): Look {
  const text = options.value('m');
  const change = text === undefined ? undefined : parseMode(text);
  if (text !== undefined && change === undefined) tool.die(`invalid mode ${quotedArgument(text)}`);
  const mode = change ? applyMode(change, 0, 0) : USUAL_MODE;
  if (options.has('C') && mode > 0o777)
    tool.note(
      'the --compare (-C) option is ignored when you specify a mode with non-permission bits',
    );
  const users = new Users(tool.sys);
  const owner = options.value('o');
  const group = options.value('g');
  const uid = owner === undefined ? -1 : users.uid(owner);
  const gid = group === undefined ? -1 : users.gid(group);
  return {
    mode,
    directoryMode: change ? applyMode(change, 0o40000, 0) & 0o7777 : USUAL_MODE,
    uid: uid ?? tool.die(`invalid user ${quotedArgument(owner ?? '')}`),
    gid: gid ?? tool.die(`invalid group ${quotedArgument(group ?? '')}`),
    times: options.has('p'),
    compare: options.has('C') && mode <= 0o777,
    verbose: options.has('v'),
    backup: backupOf(tool, options),
    keepsAll: /^(numbered|t)$/.test(options.value('backup') ?? ''),
  };
}

/** With -D the directories are there before anybody looks whether the last operand is one. */
function pairs(tool: Tool, options: Options, look: Look): Destination[] {
  const into = options.value('t');
  const [, second, third] = options.operands;
  if (options.has('D')) {
    if (into !== undefined) makeLeading(tool, `${into}/x`, look);
    else if (second !== undefined && third === undefined) makeLeading(tool, second, look);
  }
  return destinations(tool, new Options(options.list, options.operands));
}

function makeLeading(tool: Tool, path: string, look: Look): void {
  const directory = dirname(path);
  if (isDirectoryAt(tool.sys, directory)) return;
  makeLeading(tool, directory, look);
  tool.attempt(`cannot create directory ${maybeQuoted(directory)}`, () => {
    tool.sys.mkdir(directory, USUAL_MODE);
    tool.sys.chmod(directory, USUAL_MODE); // whatever the umask says
    if (look.verbose) tool.out.text(`install: creating directory ${quoted(directory)}\n`);
  });
}

function makeDirectory(tool: Tool, path: string, look: Look): void {
  const { sys } = tool;
  makeLeading(tool, path, look);
  try {
    sys.mkdir(path, look.directoryMode);
    if (look.verbose) tool.out.text(`install: creating directory ${quoted(path)}\n`);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const stat = statIfThere(sys, path);
    if (error.errno !== EEXIST || stat === undefined || !isDirectory(stat)) {
      tool.warn(`cannot create directory ${quoted(path)}: ${strerror(error.errno)}`);
      return;
    }
  }
  tool.attempt(`cannot change permissions of ${quoted(path)}`, () => {
    if (look.uid !== -1 || look.gid !== -1) sys.chown(path, look.uid, look.gid);
    sys.chmod(path, look.directoryMode);
  });
}

function installFile(
  tool: Tool,
  { from, to }: Destination,
  { look, made }: { look: Look; made: Set<string> | undefined },
): void {
  const { sys } = tool;
  const stat = tool.attempt(`cannot stat ${quoted(from)}`, () => sys.stat(from));
  const there = lstatIfThere(sys, to);
  if (stat === undefined || objection(tool, { from, to, stat, there })) return;
  if (made?.has(to) && !look.keepsAll) {
    tool.warn(`will not overwrite just-created ${quoted(to)} with ${quoted(from)}`);
    return;
  }
  if (look.compare && there !== undefined && isSame(tool, { from, to, there, stat }, look)) return;
  const backup = there === undefined ? undefined : look.backup?.(to);
  const cleared = tool.attempt(`cannot remove ${quoted(to)}`, () => {
    if (backup !== undefined) sys.rename(to, backup);
    else if (there !== undefined) sys.unlink(to);
    if (there !== undefined && backup === undefined && look.verbose)
      tool.out.text(`removed ${quoted(to)}\n`);
    return true;
  });
  if (!cleared) return;
  if (look.verbose)
    tool.out.text(
      `${quoted(from)} -> ${quoted(to)}${backup === undefined ? '' : ` (backup: ${quoted(backup)})`}\n`,
    );
  const copy = { from, to, stat, exists: false, sparse: 'auto', mode: 0o600 } as const;
  if (!copyData(tool, copy)) return;
  made?.add(to);
  const keep = { mode: false, ownership: false, times: look.times, xattrs: false };
  copyAttributes(tool, { from, to, stat, keep });
  tool.attempt(`cannot change ownership of ${quoted(to)}`, () => {
    if (look.uid !== -1 || look.gid !== -1) sys.lchown(to, look.uid, look.gid);
  });
  tool.attempt(`setting permissions for ${quoted(to)}`, () => sys.chmod(to, look.mode));
}

/** What speaks against it, told; false when nothing does. */
function objection(
  tool: Tool,
  { from, to, stat, there }: Destination & { stat: Stat; there: Stat | undefined },
): boolean {
  const same = there !== undefined && there.dev === stat.dev && there.ino === stat.ino;
  if (isDirectory(stat)) tool.warn(`omitting directory ${quoted(from)}`);
  else if (there !== undefined && isDirectory(there))
    tool.warn(`cannot overwrite directory ${quoted(to)} with non-directory`);
  else if (same) tool.warn(`${quoted(from)} and ${quoted(to)} are the same file`);
  else return false;
  return true;
}

interface Pair extends Destination {
  readonly there: Stat;
  readonly stat: Stat;
}

/** -C: what is there has the same bytes, mode and owner. */
function isSame(tool: Tool, { from, to, there, stat }: Pair, look: Look): boolean {
  const uid = look.uid === -1 ? tool.sys.geteuid() : look.uid;
  const gid = look.gid === -1 ? tool.sys.getegid() : look.gid;
  if ((there.mode & S_IFMT) !== S_IFREG || there.size !== stat.size) return false;
  if ((there.mode & 0o7777) !== look.mode || there.uid !== uid || there.gid !== gid) return false;
  const [a, b] = [from, to].map((path) => tool.sys.open(path, 0));
  if (a === undefined || b === undefined) return false;
  try {
    return sameBytes(new Input(tool.sys, a), new Input(tool.sys, b));
  } finally {
    tool.sys.close(a);
    tool.sys.close(b);
  }
}

function sameBytes(a: Input, b: Input): boolean {
  let left: Uint8Array = new Uint8Array(0);
  let right: Uint8Array = new Uint8Array(0);
  for (;;) {
    if (left.length === 0) left = a.chunk() ?? left;
    if (right.length === 0) right = b.chunk() ?? right;
    const count = Math.min(left.length, right.length);
    if (count === 0) return left.length === right.length;
    for (let i = 0; i < count; i++) if (left[i] !== right[i]) return false;
    left = left.subarray(count);
    right = right.subarray(count);
  }
}

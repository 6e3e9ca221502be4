// lsof: open files of all processes, from /proc/PID/fd. After lsof(8): -p -u -c -a -t, files as operands;
// status 1 when something asked for was not found.

import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import type { Stat } from '../../kernel/abi/stat.ts';
import { listDirectory, realpath } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { numberOf, type ProcessRow, readProcesses } from '../libc/processes.ts';
import { program, type Tool } from '../libc/program.ts';
import { Users } from '../libc/users.ts';

const TYPES: ReadonlyMap<number, string> = new Map([
  [S_IFREG, 'REG'],
  [S_IFDIR, 'DIR'],
  [S_IFCHR, 'CHR'],
  [S_IFBLK, 'BLK'],
  [S_IFIFO, 'FIFO'],
  [S_IFSOCK, 'sock'],
]);

export const main = program(
  {
    usage: '[-at] [-c NAME]... [-p PID,...] [-u USER,...] [FILE]...',
    short: 'atc:p:u:',
    long: {},
  },
  (tool, options) => {
    const chosen = chooser(tool, options);
    const names = options.operands.map((name) => ({ name, real: nameOf(tool, name) }));
    const wanted = new Set(names.map(({ real }) => real));
    const lines: OpenEntry[] = [];
    for (const row of readProcesses(tool.sys)) {
      if (!chosen(row)) continue;
      for (const entry of entriesOf(tool, row))
        if (wanted.size === 0 || wanted.has(entry.name)) lines.push(entry);
    }
    const seen = new Set(lines.map(({ name }) => name));
    if (lines.length === 0 || names.some(({ real }) => !seen.has(real))) tool.status = 1;
    if (options.has('t'))
      for (const pid of new Set(lines.map((line) => line.pid))) tool.out.text(`${pid}\n`);
    else if (lines.length > 0) print(tool, lines);
    return tool.status;
  },
);

interface OpenEntry {
  readonly command: string;
  readonly pid: number;
  readonly user: string;
  readonly fd: string;
  readonly type: string;
  readonly device: string;
  readonly size: string;
  readonly node: string;
  readonly name: string;
}

function nameOf(tool: Tool, path: string): string {
  try {
    return realpath(tool.sys, path);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.fault(`status error on ${path}`, error);
    return path;
  }
}

/** Selections are joined by or, with -a by and, as lsof does. */
function chooser(tool: Tool, options: Options): (row: ProcessRow) => boolean {
  const list = (name: string): string[] => options.values(name).flatMap((text) => text.split(','));
  const users = new Users(tool.sys);
  const tests: ((row: ProcessRow) => boolean)[] = [];
  const pids = list('p').map((text) =>
    /^\d+$/.test(text) ? Number(text) : bad(tool, 'PID', text),
  );
  if (pids.length > 0) tests.push((row) => pids.includes(numberOf(row, 'Pid')));
  const uids = list('u').map((text) => users.uid(text) ?? bad(tool, 'user', text));
  if (uids.length > 0) tests.push((row) => uids.includes(numberOf(row, 'Uid')));
  const commands = options.values('c');
  if (commands.length > 0)
    tests.push((row) => commands.some((start) => row['Name']?.startsWith(start)));
  if (tests.length === 0) return () => true;
  return (row) =>
    options.has('a') ? tests.every((test) => test(row)) : tests.some((test) => test(row));
}

const bad = (tool: Tool, what: string, text: string): never =>
  tool.misuse(`illegal ${what}: ${text}`);

function entriesOf(tool: Tool, row: ProcessRow): OpenEntry[] {
  const { sys } = tool;
  const pid = numberOf(row, 'Pid');
  const uid = numberOf(row, 'Uid');
  const user = new Users(sys).userName(uid) ?? String(uid);
  const links = [{ fd: 'cwd', path: `/proc/${pid}/cwd` }];
  try {
    const fds = listDirectory(sys, `/proc/${pid}/fd`).map(({ name }) => Number(name));
    for (const fd of fds.filter(Number.isInteger).sort((a, b) => a - b))
      links.push({ fd: String(fd), path: `/proc/${pid}/fd/${fd}` });
  } catch (error) {
    if (!(error instanceof PosixError)) throw error; // it has ended, or is not ours to look at
  }
  return links.flatMap(({ fd, path }) => {
    const entry = entryOf(tool, path);
    return entry ? [{ command: (row['Name'] ?? '?').slice(0, 9), pid, user, fd, ...entry }] : [];
  });
}

function entryOf(
  tool: Tool,
  path: string,
): Omit<OpenEntry, 'command' | 'pid' | 'user' | 'fd'> | undefined {
  const { sys } = tool;
  try {
    const name = sys.readlink(path);
    const stat = name.startsWith('/') ? statOf(tool, name) : undefined;
    const stream = name.startsWith('pipe:') ? 'FIFO' : 'unknown';
    if (stat === undefined) return { type: stream, device: '', size: '', node: '', name };
    const { mode, dev, ino, size, rdev } = stat;
    const type = TYPES.get(mode & S_IFMT) ?? 'unknown';
    const isDevice = type === 'CHR' || type === 'BLK';
    const device = `${((isDevice ? rdev : dev) >>> 8) & 0xfff},${(isDevice ? rdev : dev) & 0xff}`;
    return { type, device, size: isDevice ? '0t0' : String(size), node: String(ino), name };
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}

function statOf(tool: Tool, path: string): Stat | undefined {
  try {
    return tool.sys.lstat(path);
  } catch (error) {
    if (error instanceof PosixError) return undefined; // deleted, or out of sight
    throw error;
  }
}

function print(tool: Tool, lines: readonly OpenEntry[]): void {
  const head = ['COMMAND', 'PID', 'USER', 'FD', 'TYPE', 'DEVICE', 'SIZE/OFF', 'NODE', 'NAME'];
  const rows = lines.map((line) => [
    ...[line.command, String(line.pid), line.user, line.fd, line.type, line.device],
    ...[line.size, line.node, line.name],
  ]);
  const widths = head.map((_, i) =>
    Math.max(...[head, ...rows].map((cells) => cells[i]?.length ?? 0)),
  );
  for (const cells of [head, ...rows]) {
    const left = (i: number): boolean => i === 0 || i === 2 || i === 4;
    const text = cells.map((cell, i) => {
      if (i === cells.length - 1) return cell;
      return left(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
    });
    tool.out.text(`${text.join(' ')}\n`);
  }
}

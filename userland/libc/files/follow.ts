// tail -f: what comes behind the ends of files, told as it comes. By name a file that is replaced is
// opened anew, as logs are that are rotated (GNU tail, --follow=name, --retry, --pid).

import { O_RDONLY, S_IFMT, S_IFREG, SEEK_CUR, SEEK_SET } from '../../../kernel/abi/constants.ts';
import { EPERM, PosixError, strerror } from '../../../kernel/abi/errno.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import type { Tool } from '../program.ts';
import { COPY_BYTES } from '../stdio.ts';
import { maybeQuoted, quoted } from '../text/quote.ts';
import { statIfThere } from './path.ts';

export interface Followed {
  readonly name: string;
  /** Undefined while it cannot be opened. */
  fd: number | undefined;
}

export interface Following {
  readonly by: 'descriptor' | 'name';
  /** What cannot be opened is tried again and again. */
  readonly retries: boolean;
  readonly intervalMs: number;
  /** The end comes with the end of this process. */
  readonly pid: number | undefined;
  /** Called before bytes of a file are told. */
  readonly title: (file: Followed) => void;
}

/** Until a signal ends the program, the process that is waited for has ended, or no file is left. */
export function follow(tool: Tool, files: readonly Followed[], how: Following): void {
  let left = files.filter(({ fd }) => fd !== undefined || how.retries);
  for (;;) {
    const isLastRound = how.pid !== undefined && !isAlive(tool, how.pid);
    if (how.by === 'name' || how.retries)
      left = left.filter((file) => file.name === '-' || isThere(tool, file, how));
    if (left.length === 0) {
      tool.warn('no files remaining');
      return;
    }
    for (const file of left) if (file.fd !== undefined) tellMore(tool, file, file.fd, how);
    tool.out.flush();
    if (isLastRound) return;
    tool.sys.sleep(how.intervalMs);
  }
}

function isAlive(tool: Tool, pid: number): boolean {
  try {
    tool.sys.kill(pid, 0);
    return true;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return error.errno === EPERM;
  }
}

/** Looks whether the name still leads to the open file, and opens what it leads to now; false: it is given up. */
function isThere(tool: Tool, file: Followed, how: Following): boolean {
  const { sys } = tool;
  if (file.fd !== undefined && how.by === 'descriptor') return true;
  const there = statIfThere(sys, file.name);
  const open = file.fd === undefined ? undefined : sys.fstat(file.fd);
  if (there !== undefined && open !== undefined && isSame(there, open)) return true;
  if (there === undefined && open === undefined) return how.retries;
  try {
    const fd = sys.open(file.name, O_RDONLY);
    const what = open === undefined ? 'has appeared;' : 'has been replaced;';
    tool.note(`${quoted(file.name)} ${what}  following new file`);
    if (file.fd !== undefined) sys.close(file.fd);
    file.fd = fd;
    return true;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (file.fd !== undefined) {
      tool.warn(`${quoted(file.name)} has become inaccessible: ${strerror(error.errno)}`);
      sys.close(file.fd);
      file.fd = undefined;
    }
    return how.retries;
  }
}

const isSame = (a: Stat, b: Stat): boolean => a.ino === b.ino && a.dev === b.dev;

function tellMore(tool: Tool, file: Followed, fd: number, how: Following): void {
  const { sys } = tool;
  const stat = sys.fstat(fd);
  if ((stat.mode & S_IFMT) === S_IFREG && stat.size < sys.lseek(fd, 0, SEEK_CUR)) {
    tool.note(`${maybeQuoted(file.name)}: file truncated`);
    sys.lseek(fd, 0, SEEK_SET);
  }
  const buffer = new Uint8Array(COPY_BYTES);
  for (let isFirst = true; ; isFirst = false) {
    const count = sys.read(fd, buffer);
    if (count === 0) return;
    if (isFirst) how.title(file);
    tool.out.write(buffer.subarray(0, count));
    tool.out.flush();
  }
}

// The system calls on files as promises, over the host process's calls. Errors are PosixErrors; fs.ts
// and file-handle.ts say what was done to which file.

import { O_CLOEXEC } from '../kernel/abi/constants.ts';
import { EINVAL, fail } from '../kernel/abi/errno.ts';
import type { Dirent, Stat, StatFs } from '../kernel/abi/stat.ts';
import {
  getDirents,
  getStat,
  getStatFs,
  joinStrings,
  STAT_SIZE,
  SYS,
} from '../kernel/abi/syscall.ts';
import { decodeText } from '../kernel/abi/text.ts';
import type { CallReply, HostCalls } from './calls.ts';

/** Bytes that one read or write moves. */
export const PIECE = 256 * 1024;
const PATH_ROOM = 4096;

/** A call with strings as its data: paths, mostly. */
export async function pathCall(
  calls: HostCalls,
  number: number,
  strings: readonly string[],
  args: readonly number[] = [],
): Promise<CallReply> {
  for (const string of strings) if (string.includes('\0')) fail(EINVAL);
  return await calls.call({ number, data: joinStrings(...strings), args, room: PATH_ROOM });
}

export const fdCall = (calls: HostCalls, number: number, ...args: number[]): Promise<CallReply> =>
  calls.call({ number, args });

export async function openFd(
  calls: HostCalls,
  path: string,
  how: { flags: number; mode: number },
): Promise<number> {
  return (await pathCall(calls, SYS.open, [path], [how.flags | O_CLOEXEC, how.mode])).r0;
}

export async function statPath(calls: HostCalls, number: number, path: string): Promise<Stat> {
  return getStat(viewOf((await pathCall(calls, number, [path])).data));
}

export const statVolume = async (calls: HostCalls, path: string): Promise<StatFs> =>
  getStatFs(viewOf((await pathCall(calls, SYS.statfs, [path])).data));

export async function statFd(calls: HostCalls, fd: number): Promise<Stat> {
  return getStat(
    viewOf((await calls.call({ number: SYS.fstat, args: [fd], room: STAT_SIZE })).data),
  );
}

const viewOf = (data: Uint8Array): DataView =>
  new DataView(data.buffer, data.byteOffset, data.byteLength);

/** Reads up to `length` bytes: at `position`, or where the descriptor stands. */
export async function readFd(
  calls: HostCalls,
  fd: number,
  at: { length: number; position: number | null },
): Promise<Uint8Array> {
  const room = Math.min(at.length, PIECE);
  if (at.position === null) {
    return (await calls.call({ number: SYS.read, args: [fd, room], room, waits: true })).data;
  }
  const args = [fd, room, at.position];
  return (await calls.call({ number: SYS.pread, args, room })).data;
}

/** Writes all of it. */
export async function writeFd(
  calls: HostCalls,
  fd: number,
  from: { bytes: Uint8Array; position: number | null },
): Promise<void> {
  const { bytes, position } = from;
  for (let done = 0; done < bytes.length; ) {
    const data = bytes.subarray(done, done + PIECE);
    const request =
      position === null
        ? { number: SYS.write, args: [fd], data, waits: true }
        : { number: SYS.pwrite, args: [fd, 0, position + done], data };
    done += (await calls.call(request)).r0;
  }
}

/** All entries of an open directory but '.' and '..'. */
export async function readDirectory(calls: HostCalls, fd: number): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  for (;;) {
    const request = { number: SYS.getdents, args: [fd, PIECE], room: PIECE };
    const { data } = await calls.call(request);
    if (data.length === 0) return entries;
    entries.push(...getDirents(data).filter(({ name }) => name !== '.' && name !== '..'));
  }
}

export const readLink = async (calls: HostCalls, path: string): Promise<string> =>
  decodeText((await pathCall(calls, SYS.readlink, [path])).data);

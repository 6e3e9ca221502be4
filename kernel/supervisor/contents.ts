// What a server turned out to hold: asked over 9P, with requests that change nothing.

import { assert, EINVAL, EIO, EROFS, fail, PosixError } from '../abi/errno.ts';
import type { Task } from '../ipc/task.ts';
import { decodeDirEntries } from '../ninep/codec.ts';
import { clunk, type Superblock } from '../vfs/inode.ts';

/** Magic numbers of statfs(2), as Linux has them in magic.h. */
const FORMATS: Readonly<Record<number, string>> = {
  61267: 'ext4', // 0xef53
  19780: 'vfat', // 0x4d44
  538032816: 'exfat', // 0x2011bab0
  16964: 'hfs', // 0x4244
  18475: 'hfsplus', // 0x482b
  18520: 'hfsx', // 0x4858, with names that differ in case
};

/** What the volume turned out to hold. */
export function* formatOf(superblock: Superblock): Task<string> {
  const { client, root } = superblock;
  const { stat } = yield* client.rpc({ name: 'Tstatfs', fid: root.fid });
  return FORMATS[stat.type] ?? superblock.type;
}

/** 9P2000.L does not tell that a volume is read-only: a change that changes nothing finds out. */
export function* refusesChanges(superblock: Superblock): Task<boolean> {
  const { client, root } = superblock;
  const time = { sec: 0, nsec: 0 };
  const attr = { valid: 0, mode: 0, uid: 0, gid: 0, size: 0, atime: time, mtime: time };
  const [reply] = yield* client.all([{ message: { name: 'Tsetattr', fid: root.fid, attr } }]);
  return reply?.name === 'Rlerror' && reply.ecode === EROFS;
}

/** The names in a directory that a server serves. */
export function* listNames(superblock: Superblock, path: readonly string[]): Task<string[]> {
  const { client, root } = superblock;
  const fid = client.takeFid();
  try {
    yield* client.rpc({ name: 'Twalk', fid: root.fid, newfid: fid, wname: [...path] });
    yield* client.rpc({ name: 'Tlopen', fid, flags: 0 });
    const names: string[] = [];
    for (let offset = 0, rounds = 0; rounds < 1000; rounds++) {
      const { data } = yield* client.rpc({ name: 'Treaddir', fid, offset, count: 900 });
      const entries = decodeDirEntries(data);
      if (typeof entries === 'number') throw new PosixError(entries, 'malformed directory');
      if (entries.length === 0) break;
      names.push(...entries.map((entry) => entry.name));
      offset = entries.at(-1)?.offset ?? fail(EIO);
    }
    return names.filter((name) => name !== '.' && name !== '..');
  } finally {
    yield* clunk(superblock, fid);
  }
}

/** The disk behind a path like sdC0/part/1, as the mount table names it: sdC0p1. */
export function volumeName(source: readonly string[]): string {
  const [disk = fail(EINVAL), kind, number] = source;
  assert(source.length <= 3);
  return kind === 'part' && number !== undefined && number !== '0' ? `${disk}p${number}` : disk;
}

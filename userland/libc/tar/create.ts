// Members from files: what is at a path, and below it, goes into the archive.

import {
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../../../kernel/abi/constants.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import type { Sink } from '../archive/codec.ts';
import { join, listDirectory } from '../files/path.ts';
import type { Tool } from '../program.ts';
import { Users } from '../users.ts';
import { type Member, padded, writeHeader } from './header.ts';

export interface CreateOptions {
  readonly wants: (name: string) => boolean;
  readonly follow: boolean;
  /** Names stay as they are, a slash in front of them too. */
  readonly absolute: boolean;
  /** How many names there are: of several each may come again. */
  readonly named: number;
  readonly recurse: boolean;
  /** The order of what is in a directory. */
  readonly sort: 'none' | 'name' | 'inode';
  /** Changes what is written of a file: its owner, its mode. */
  readonly change: (member: Member) => Member;
  readonly newer: (member: Member) => boolean;
  readonly tell: (member: Member) => void;
}

const types = new Map<number, string>([
  ...([
    [S_IFREG, '0'],
    [S_IFLNK, '2'],
    [S_IFCHR, '3'],
  ] as const),
  ...([
    [S_IFBLK, '4'],
    [S_IFDIR, '5'],
    [S_IFIFO, '6'],
  ] as const),
]);

const ZEROS = new Uint8Array(65_536);

export class Creator {
  readonly #tool: Tool;
  readonly #options: CreateOptions;
  readonly #sink: Sink;
  readonly #users: Users;
  /** Files with several names, by device and inode: their first name. */
  readonly #names = new Map<string, string>();
  #toldOfRoot = false;
  readonly #buffer = new Uint8Array(262_144);

  constructor(tool: Tool, sink: Sink, options: CreateOptions) {
    this.#tool = tool;
    this.#sink = sink;
    this.#options = options;
    this.#users = new Users(tool.sys);
  }

  add(path: string): undefined {
    if (!this.#options.wants(path)) return;
    const { sys } = this.#tool;
    const stat = this.#tool.attempt(path, () =>
      this.#options.follow ? sys.stat(path) : sys.lstat(path),
    );
    if (stat === undefined) {
      this.#tool.status = 2;
      return;
    }
    const type = types.get(stat.mode & S_IFMT);
    if (type === undefined) {
      this.#tool.note(`${path}: socket ignored`);
      return;
    }
    const member = this.#options.change(this.#member(path, stat, type));
    if (this.#options.newer(member)) this.#write(path, member);
    if (type !== '5' || !this.#options.recurse) return;
    const entries = this.#tool.attempt(path, () => listDirectory(sys, path)) ?? [];
    const { sort } = this.#options;
    if (sort === 'name') entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (sort === 'inode') entries.sort((a, b) => a.ino - b.ino);
    for (const { name } of entries) this.add(join(path, name));
  }

  #member(path: string, stat: Stat, type: string): Member {
    const name = this.#nameOf(path);
    const link = this.#linkTo(stat, type, name);
    const target = link ?? (type === '2' ? this.#tool.sys.readlink(path) : '');
    return {
      ...{ name: type === '5' ? `${name.replace(/\/*$/, '')}/` : name, target },
      ...{ mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid },
      size: type === '0' && link === undefined ? stat.size : 0,
      mtime: stat.mtime.sec,
      type: link === undefined ? type : '1',
      user: this.#users.userName(stat.uid) ?? '',
      group: this.#users.groupName(stat.gid) ?? '',
      major: type === '3' || type === '4' ? Math.floor(stat.rdev / 256) : 0,
      minor: type === '3' || type === '4' ? stat.rdev % 256 : 0,
    };
  }

  /** Names in an archive do not begin at the root. */
  #nameOf(path: string): string {
    if (!path.startsWith('/') || this.#options.absolute) return path;
    if (!this.#toldOfRoot) this.#tool.note("Removing leading `/' from member names");
    this.#toldOfRoot = true;
    return path.replace(/^\/+/, '') || '.';
  }

  /** The name under which the same file is in the archive already. */
  #linkTo(stat: Stat, type: string, name: string): string | undefined {
    if ((stat.nlink < 2 && this.#options.named < 2) || type === '5') return undefined;
    const key = `${stat.dev}:${stat.ino}`;
    const first = this.#names.get(key);
    if (first === undefined) this.#names.set(key, name);
    return first;
  }

  #write(path: string, member: Member): void {
    const hasData = member.type === '0' && member.size > 0;
    const fd = hasData ? this.#tool.attempt(path, () => this.#tool.sys.open(path, O_RDONLY)) : -1;
    if (fd === undefined) {
      this.#tool.status = 2;
      return;
    }
    this.#options.tell(member);
    this.#sink(writeHeader(member));
    if (fd < 0) return;
    this.#data(path, { fd, size: member.size });
    this.#tool.sys.close(fd);
  }

  /** Exactly as many bytes as the header says, whatever becomes of the file meanwhile. */
  #data(path: string, { fd, size }: { fd: number; size: number }): void {
    let left = size;
    while (left > 0) {
      const piece = this.#buffer.subarray(0, Math.min(left, this.#buffer.length));
      const count = this.#tool.attempt(path, () => this.#tool.sys.read(fd, piece)) ?? 0;
      if (count === 0) break;
      this.#sink(piece.subarray(0, count));
      left -= count;
    }
    if (left > 0) this.#tool.warn(`${path}: File shrank by ${left} bytes; padding with zeros`);
    for (let zeros = left + padded(size) - size; zeros > 0; ) {
      const piece = ZEROS.subarray(0, zeros);
      this.#sink(piece);
      zeros -= piece.length;
    }
  }
}

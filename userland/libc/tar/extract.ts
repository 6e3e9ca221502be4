// What becomes of an archive's members: files in the working directory, never outside of it.

import {
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
} from '../../../kernel/abi/constants.ts';
import { EEXIST, PosixError } from '../../../kernel/abi/errno.ts';
import type { Stat } from '../../../kernel/abi/stat.ts';
import { dirname, lstatIfThere } from '../files/path.ts';
import type { Tool } from '../program.ts';
import type { Member } from './header.ts';
import type { MemberHandler } from './reader.ts';

export interface ExtractOptions {
  readonly wants: (name: string) => boolean;
  readonly strip: number;
  /** Names are taken as they are, wherever they lead. */
  readonly absolute: boolean;
  readonly keep: boolean;
  readonly toStdout: boolean;
  /** Modes as they are, whatever the umask. */
  readonly sameModes: boolean;
  readonly sameOwner: boolean;
  readonly touch: boolean;
  readonly tell: (member: Member) => void;
}

export class Extractor implements MemberHandler {
  readonly #tool: Tool;
  readonly #options: ExtractOptions;
  /** Symbolic links that this archive made: nothing goes through them. */
  readonly #links = new Set<string>();
  /** Directories get their modes and times when nothing is put into them any more. */
  readonly #directories: { path: string; member: Member }[] = [];
  #file: { fd: number; path: string; member: Member } | undefined;
  #toldOfRoot = false;

  constructor(tool: Tool, options: ExtractOptions) {
    this.#tool = tool;
    this.#options = options;
  }

  begin(member: Member): void {
    const { wants, strip, tell, toStdout } = this.#options;
    if (!wants(member.name)) return;
    const path = this.#inside(member.name, strip);
    if (path === undefined) return;
    tell(member);
    if (toStdout) {
      if (member.type === '0') this.#file = { fd: 1, path, member };
      return;
    }
    this.#tool.attempt(path, () => this.#make(member, path));
  }

  data(bytes: Uint8Array): void {
    const file = this.#file;
    if (file === undefined) return;
    try {
      if (file.fd === 1) this.#tool.out.write(bytes);
      else this.#tool.sys.write(file.fd, bytes);
    } catch (error) {
      this.#tool.fault(file.path, error, 2); // a full disk: the rest of this file is skipped
      this.#tool.sys.close(file.fd);
      this.#file = undefined;
    }
  }

  end(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined || file.fd === 1) return;
    this.#tool.sys.close(file.fd);
    this.#tool.attempt(file.path, () => this.#attributes(file.path, file.member));
  }

  /** After the last member. */
  finish(): void {
    for (const { path, member } of this.#directories.reverse()) {
      this.#tool.attempt(path, () => this.#attributes(path, member));
    }
  }

  /** The path below the working directory; undefined, and a message, when it would lead out of it. */
  #inside(name: string, strip: number): string | undefined {
    let path = name;
    if (this.#options.absolute && strip === 0) return path.replace(/(?<=.)\/+$/, '');
    if (path.startsWith('/')) {
      if (!this.#toldOfRoot) this.#tool.note("Removing leading `/' from member names");
      this.#toldOfRoot = true;
      path = path.replace(/^\/+/, '');
    }
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) {
      this.#tool.warn(`${name}: Member name contains '..'`, 2);
      return undefined;
    }
    if (parts.length === 0) return strip === 0 ? '.' : undefined;
    const kept = parts.slice(strip);
    if (kept.length === 0) return undefined;
    for (let i = 1; i < kept.length; i++) {
      if (this.#links.has(kept.slice(0, i).join('/'))) {
        this.#tool.warn(`${name}: leads through a symbolic link of the archive`, 2);
        return undefined;
      }
    }
    return kept.join('/');
  }

  #isLinked(member: Member, there: Stat): boolean {
    const target = this.#inside(member.target, 0);
    const first = target === undefined ? undefined : lstatIfThere(this.#tool.sys, target);
    return first !== undefined && first.ino === there.ino && first.dev === there.dev;
  }

  #make(member: Member, path: string): undefined {
    const { sys } = this.#tool;
    const { keep } = this.#options;
    this.#parents(path);
    if (member.type === '5') return this.#directory(member, path);
    const there = lstatIfThere(sys, path);
    if (there !== undefined) {
      // What is a link to itself, or there already, must not go first.
      if (member.type === '1' && this.#isLinked(member, there)) return;
      if (keep) throw new PosixError(EEXIST);
      if ((there.mode & S_IFMT) !== S_IFDIR) sys.unlink(path);
      this.#links.delete(path);
    }
    const mode = member.mode & 0o777;
    switch (member.type) {
      case '1': {
        const target = this.#inside(member.target, 0);
        if (target !== undefined) sys.link(target, path);
        return;
      }
      case '2':
        sys.symlink(member.target, path);
        this.#links.add(path);
        if (this.#options.sameOwner) sys.lchown(path, member.uid, member.gid);
        if (!this.#options.touch) this.#time(path, member);
        return;
      case '3':
      case '4':
        sys.mknod(
          path,
          (member.type === '3' ? S_IFCHR : S_IFBLK) | mode,
          member.major * 256 + member.minor,
        );
        return this.#attributes(path, member);
      case '6':
        sys.mknod(path, S_IFIFO | mode, 0);
        return this.#attributes(path, member);
      default:
        this.#file = { fd: sys.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600), path, member };
    }
  }

  #parents(path: string): void {
    const parent = dirname(path);
    if (parent === '.' || lstatIfThere(this.#tool.sys, parent) !== undefined) return;
    this.#parents(parent);
    this.#tool.sys.mkdir(parent, 0o777);
  }

  #directory(member: Member, path: string): undefined {
    const { sys } = this.#tool;
    const there = lstatIfThere(sys, path);
    if (there === undefined) sys.mkdir(path, 0o700);
    else if ((there.mode & S_IFMT) !== S_IFDIR) throw new PosixError(EEXIST);
    if (path !== '.') this.#directories.push({ path, member });
  }

  #attributes(path: string, member: Member): undefined {
    const { sys } = this.#tool;
    const { sameOwner, sameModes, touch } = this.#options;
    if (sameOwner) sys.chown(path, member.uid, member.gid);
    const umask = sameModes ? 0 : sys.umask(0);
    if (!sameModes) sys.umask(umask);
    sys.chmod(path, sameModes ? member.mode : member.mode & 0o777 & ~umask);
    if (touch) return;
    this.#time(path, member);
  }

  #time(path: string, member: Member): void {
    const sec = Math.floor(member.mtime);
    const mtime = { sec, nsec: Math.round((member.mtime - sec) * 1e9) };
    this.#tool.sys.utimens(path, { atime: 'now', mtime, followSymlinks: member.type !== '2' });
  }
}

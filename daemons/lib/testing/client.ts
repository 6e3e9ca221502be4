// For tests only: file operations over a session, as the kernel sends them.

import { O_RDWR } from '../../../kernel/abi/constants.ts';
import { assert } from '../../../kernel/abi/errno.ts';
import { GRANT_READ, GRANT_WRITE } from '../../../kernel/ipc/grant.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { NinepClient } from '../../../kernel/ninep/client.ts';
import { decodeDirEntries } from '../../../kernel/ninep/codec.ts';
import {
  AT_REMOVEDIR,
  type Attr,
  NOFID,
  NONUNAME,
  P9_GETATTR_ALL,
  P9_SETATTR_SIZE,
  P9_VERSION,
} from '../../../kernel/ninep/types.ts';
import type { Machine } from './machine.ts';

const NEVER = { sec: 0, nsec: 0 };
const BUFFER = 64 * 1024;
const XATTR_REPLACE = 2;

/** Paths are names joined by '/', from the root. */
export class TestClient {
  readonly #machine: Machine;
  readonly #client: NinepClient;
  readonly #buffer: { address: number; bytes: Uint8Array };
  #root = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#client = machine.client;
    this.#buffer = machine.memory(BUFFER);
  }

  attach(): void {
    const fid = this.#client.takeFid();
    const body = { fid, afid: NOFID, uname: 'root', aname: '', nUname: NONUNAME };
    this.#do(this.#client.rpc<'Tversion'>({ name: 'Tversion', msize: 8160, version: P9_VERSION }));
    this.#do(this.#client.rpc<'Tattach'>({ name: 'Tattach', ...body }));
    this.#root = fid;
  }

  /** Clunks the root: the volume is unmounted when this is over. */
  detach(): void {
    this.#do(this.#client.rpc<'Tclunk'>({ name: 'Tclunk', fid: this.#root }));
  }

  walk(path: string): number {
    const newfid = this.#client.takeFid();
    const wname = path.split('/').filter((name) => name !== '');
    const { wqid } = this.#do(
      this.#client.rpc<'Twalk'>({ name: 'Twalk', fid: this.#root, newfid, wname }),
    );
    assert(wqid.length === wname.length, `no such file: ${path}`);
    return newfid;
  }

  clunk(fid: number): void {
    this.#do(this.#client.rpc<'Tclunk'>({ name: 'Tclunk', fid }));
    this.#client.freeFid(fid);
  }

  open(path: string, flags = O_RDWR): number {
    const fid = this.walk(path);
    this.#do(this.#client.rpc<'Tlopen'>({ name: 'Tlopen', fid, flags }));
    return fid;
  }

  /** Walks, creates and asks for the attributes in one go, as the kernel does. */
  create(path: string): number {
    return this.#do(this.creating(path));
  }

  *creating(path: string, flags = O_RDWR): Task<number> {
    const { dir, last } = split(path);
    const newfid = this.#client.takeFid();
    const replies = yield* this.#client.all([
      { message: { name: 'Twalk', fid: this.#root, newfid, wname: dir } },
      {
        message: {
          ...{ name: 'Tlcreate', fid: newfid, filename: last },
          ...{ flags, mode: 0o644, gid: 0 },
        } as const,
      },
      { message: { name: 'Tgetattr', fid: newfid, requestMask: P9_GETATTR_ALL } },
    ]);
    this.#client.expect('Twalk', replies[0]);
    this.#client.expect('Tlcreate', replies[1]);
    this.#client.expect('Tgetattr', replies[2]);
    return newfid;
  }

  /** A directory, or with a target a symbolic link: the walk and the rest in one go. Gives the parent's fid. */
  *making(path: string, symtgt?: string): Task<number> {
    const { dir, last: filename } = split(path);
    const dfid = this.#client.takeFid();
    const message =
      symtgt === undefined
        ? ({ name: 'Tmkdir', dfid, filename, mode: 0o755, gid: 0 } as const)
        : ({ name: 'Tsymlink', dfid, filename, symtgt, gid: 0 } as const);
    const replies = yield* this.#client.all([
      { message: { name: 'Twalk', fid: this.#root, newfid: dfid, wname: dir } },
      { message },
    ]);
    this.#client.expect('Twalk', replies[0]);
    this.#client.expect(message.name, replies[1]);
    return dfid;
  }

  /** Gives the fid. */
  *writing(fid: number, offset: number, data: Uint8Array): Task<number> {
    const body = { fid, offset, count: data.length, data };
    yield* this.#client.rpc<'Twrite'>({ name: 'Twrite', ...body });
    return fid;
  }

  mkdir(path: string): void {
    const { dir, last } = split(path);
    const dfid = this.walk(dir.join('/'));
    this.#do(
      this.#client.rpc<'Tmkdir'>({ name: 'Tmkdir', dfid, filename: last, mode: 0o755, gid: 0 }),
    );
    this.clunk(dfid);
  }

  unlink(path: string, kind: 'file' | 'directory' = 'file'): void {
    const { dir, last } = split(path);
    const dirfd = this.walk(dir.join('/'));
    const flags = kind === 'directory' ? AT_REMOVEDIR : 0;
    this.#do(this.#client.rpc<'Tunlinkat'>({ name: 'Tunlinkat', dirfd, filename: last, flags }));
    this.clunk(dirfd);
  }

  rename(from: string, to: string): void {
    const [a, b] = [split(from), split(to)];
    const olddirfid = this.walk(a.dir.join('/'));
    const newdirfid = this.walk(b.dir.join('/'));
    this.#do(
      this.#client.rpc<'Trenameat'>({
        ...{ name: 'Trenameat', olddirfid, newdirfid },
        ...{ oldname: a.last, newname: b.last },
      }),
    );
    this.clunk(olddirfid);
    this.clunk(newdirfid);
  }

  link(from: string, to: string): void {
    const { dir, last } = split(to);
    const [fid, dfid] = [this.walk(from), this.walk(dir.join('/'))];
    this.#do(this.#client.rpc<'Tlink'>({ name: 'Tlink', dfid, fid, filename: last }));
    this.clunk(fid);
    this.clunk(dfid);
  }

  symlink(path: string, target: string): void {
    const { dir, last } = split(path);
    const dfid = this.walk(dir.join('/'));
    const body = { dfid, filename: last, symtgt: target, gid: 0 };
    this.#do(this.#client.rpc<'Tsymlink'>({ name: 'Tsymlink', ...body }));
    this.clunk(dfid);
  }

  /** Sets an extended attribute, or removes it. */
  setxattr(path: string, attrName: string, value: Uint8Array | undefined): void {
    const fid = this.walk(path);
    const body = { fid, attrName, attrSize: value?.length ?? 0, flags: value ? 0 : XATTR_REPLACE };
    this.#do(this.#client.rpc<'Txattrcreate'>({ name: 'Txattrcreate', ...body }));
    if (value) this.writeInline(fid, 0, value);
    this.clunk(fid);
  }

  getattr(fid: number): Attr {
    return this.#do(
      this.#client.rpc<'Tgetattr'>({ name: 'Tgetattr', fid, requestMask: P9_GETATTR_ALL }),
    ).attr;
  }

  truncate(fid: number, size: number): void {
    const attr = { valid: P9_SETATTR_SIZE, mode: 0, uid: 0, gid: 0, size };
    this.#do(
      this.#client.rpc<'Tsetattr'>({
        name: 'Tsetattr',
        fid,
        attr: { ...attr, atime: NEVER, mtime: NEVER },
      }),
    );
  }

  /** In as many requests as the server wants. */
  allocate(
    fid: number,
    { mode, offset, size }: { mode: number; offset: number; size: number },
  ): void {
    for (let done = 0; done < size; ) {
      const rest = { mode, offset: offset + done, length: size - done };
      done += this.#do(this.#client.rpc<'Tallocate'>({ name: 'Tallocate', fid, ...rest })).length;
    }
  }

  fsync(fid: number, what: 'all' | 'data' = 'all'): void {
    const datasync = what === 'data' ? 1 : 0;
    this.#do(this.#client.rpc<'Tfsync'>({ name: 'Tfsync', fid, datasync }));
  }

  /** Writes by grant, in pieces of the buffer. */
  write(fid: number, offset: number, data: Uint8Array): void {
    for (let done = 0; done < data.length; done += BUFFER) {
      const part = data.subarray(done, done + BUFFER);
      this.#buffer.bytes.set(part);
      const memory = {
        segments: [{ address: this.#buffer.address, length: part.length }],
        rights: GRANT_READ,
      };
      const body = { fid, offset: offset + done, count: part.length, data: new Uint8Array(0) };
      const [reply] = this.#do(
        this.#client.all([{ message: { name: 'Twrite', ...body }, memory }]),
      );
      assert(this.#client.expect('Twrite', reply).count === part.length, 'a short write');
    }
  }

  /** Writes with the bytes in the message. */
  writeInline(fid: number, offset: number, data: Uint8Array): void {
    this.#do(this.writing(fid, offset, data));
  }

  /** Reads by grant until the end of the file or of the range. */
  read(fid: number, offset = 0, length = Number.MAX_SAFE_INTEGER): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let done = 0; done < length; ) {
      const count = Math.min(BUFFER, length - done);
      this.#buffer.bytes.fill(0xee);
      const memory = {
        segments: [{ address: this.#buffer.address, length: count }],
        rights: GRANT_READ | GRANT_WRITE,
      };
      const message = { name: 'Tread', fid, offset: offset + done, count } as const;
      const [reply] = this.#do(this.#client.all([{ message, memory }]));
      const got = this.#client.expect('Tread', reply).count;
      const rest = this.#buffer.bytes.subarray(got, count);
      assert(
        rest.every((byte) => byte === 0),
        'behind the end of the file are no zeroes',
      );
      if (got === 0) break;
      parts.push(this.#buffer.bytes.slice(0, got));
      done += got;
    }
    return concat(parts);
  }

  readInline(fid: number, offset: number, count: number): Uint8Array {
    return this.#do(this.#client.rpc<'Tread'>({ name: 'Tread', fid, offset, count })).data;
  }

  list(path: string): string[] {
    const fid = this.open(path, 0);
    const names: string[] = [];
    for (let offset = 0; ; ) {
      const { data } = this.#do(
        this.#client.rpc<'Treaddir'>({ name: 'Treaddir', fid, offset, count: 4000 }),
      );
      const entries = decodeDirEntries(data);
      assert(typeof entries !== 'number', 'malformed directory entries');
      const last = entries.at(-1);
      if (last === undefined) break;
      names.push(...entries.map((entry) => entry.name));
      offset = last.offset;
    }
    this.clunk(fid);
    return names.filter((name) => name !== '.' && name !== '..').sort();
  }

  #do<T>(task: Task<T>): T {
    return this.#machine.run(task);
  }
}

function split(path: string): { dir: string[]; last: string } {
  const names = path.split('/').filter((name) => name !== '');
  return { dir: names.slice(0, -1), last: names.at(-1) ?? '' };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

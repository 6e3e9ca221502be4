// Random operations on images of the real mke2fs, against a model in memory; then the real e2fsck.
// ATOLL_EXT4_OPS sets how many, ATOLL_SEED which.

import test from 'ava';
import { ENOSPC, PosixError } from '../../kernel/abi/errno.ts';
import { AT_REMOVEDIR } from '../../kernel/ninep/types.ts';
import { fsck, haveE2fsprogs, mke2fs } from '../../scripts/testing/e2fsprogs.ts';
import { seeded, TestFs, TestImage } from './testing.ts';

const SIZE = 48; // MiB of an image that never gets full
const OPS = Number(process.env['ATOLL_EXT4_OPS'] ?? 1500);
const SEED = Number(process.env['ATOLL_SEED'] ?? Date.now() % 1_000_000);

interface File {
  kind: 'file';
  data: Uint8Array;
  attributes: Map<string, string>;
}
interface Link {
  kind: 'link';
  target: string;
}
interface Dir {
  kind: 'dir';
  entries: Map<string, Node>;
}
type Node = File | Link | Dir;

/** The same operation on the model and on the image; both must agree on what fails. */
class Storm {
  readonly model: Dir = { kind: 'dir', entries: new Map() };
  readonly dirs: string[] = [''];
  readonly open: { ino: number; file: File }[] = [];
  readonly mounted: TestFs;
  readonly random: () => number;
  serial = 0;
  full = 0; // operations that found no room

  constructor(mounted: TestFs, random: () => number) {
    this.mounted = mounted;
    this.random = random;
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[this.random() % Math.max(1, list.length)];
  }

  node(path: string): Node {
    let node: Node = this.model;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next: Node | undefined = node.kind === 'dir' ? node.entries.get(name) : undefined;
      if (next === undefined) throw new Error(`the model has no ${path}`);
      node = next;
    }
    return node;
  }

  dir(path: string): Dir {
    const node = this.node(path);
    if (node.kind !== 'dir') throw new Error(`${path} is no directory of the model`);
    return node;
  }

  freshName(): string {
    const length = this.random() % 8 === 0 ? this.random() % 180 : this.random() % 20;
    return `n${this.serial++}${'é-x'.repeat(length).slice(0, length)}`;
  }

  someDir(): string {
    return this.pick(this.dirs) ?? '';
  }

  /** A path of this kind, if the directory picked has one. */
  some<K extends Node['kind']>(kind: K): string | undefined {
    const dir = this.someDir();
    const names = [...this.dir(dir).entries].filter(([, node]) => node.kind === kind);
    const found = this.pick(names);
    return found === undefined ? undefined : `${dir}/${found[0]}`;
  }

  step(): void {
    const actions = [
      () => this.create(),
      () => this.create(),
      () => this.write(),
      () => this.write(),
      () => this.write(),
      () => this.truncate(),
      () => this.mkdir(),
      () => this.symlink(),
      () => this.link(),
      () => this.unlink(),
      () => this.unlinkOpen(),
      () => this.rename(),
      () => this.rename(),
      () => this.rmdir(),
      () => this.setAttribute(),
      () => this.readBack(),
    ];
    try {
      this.pick(actions)?.();
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== ENOSPC) throw error;
      this.full++;
    }
  }

  create(): void {
    const dir = this.someDir();
    const name = this.freshName();
    this.mounted.create(`${dir}/${name}`);
    const file: File = { kind: 'file', data: new Uint8Array(), attributes: new Map() };
    this.dir(dir).entries.set(name, file);
  }

  file(path: string): File {
    const node = this.node(path);
    if (node.kind !== 'file') throw new Error(`${path} is no file`);
    return node;
  }

  write(): void {
    const path = this.some('file');
    if (path === undefined) return;
    const file = this.file(path);
    const length = 1 + (this.random() % (this.random() % 4 === 0 ? 60_000 : 3000));
    const offset =
      this.random() % 3 === 0 ? file.data.length : this.random() % (file.data.length + 50_000);
    const data = new Uint8Array(length).map(() => this.random());
    const ino = this.mounted.at(path);
    try {
      this.mounted.write(ino, offset, data);
    } catch (error) {
      // A full disk takes a part of it, or nothing.
      file.data = this.mounted.read(ino);
      throw error;
    }
    const grown = new Uint8Array(Math.max(file.data.length, offset + length));
    grown.set(file.data);
    grown.set(data, offset);
    file.data = grown;
  }

  truncate(): void {
    const path = this.some('file');
    if (path === undefined) return;
    const file = this.file(path);
    const size = this.random() % (file.data.length + 10_000);
    this.mounted.truncate(this.mounted.at(path), size);
    const cut = new Uint8Array(size);
    cut.set(file.data.subarray(0, size));
    file.data = cut;
  }

  mkdir(): void {
    if (this.dirs.length > 40) return;
    const dir = this.someDir();
    const name = this.freshName();
    this.mounted.mkdir(`${dir}/${name}`);
    this.dir(dir).entries.set(name, { kind: 'dir', entries: new Map() });
    this.dirs.push(`${dir}/${name}`);
  }

  symlink(): void {
    const { dir, name } = { dir: this.someDir(), name: this.freshName() };
    const target = 't'.repeat(1 + (this.random() % 150));
    const { mounted } = this;
    const ino = mounted.at(dir);
    mounted.run((tx) => mounted.fs.symlink(tx, ino, { name, target, gid: 0 }));
    this.dir(dir).entries.set(name, { kind: 'link', target });
  }

  link(): void {
    const path = this.some('file');
    if (path === undefined) return;
    const { dir, name } = { dir: this.someDir(), name: this.freshName() };
    const { mounted } = this;
    const [to, ino] = [mounted.at(dir), mounted.at(path)];
    mounted.run((tx) => mounted.fs.link(tx, to, ino, name));
    this.dir(dir).entries.set(name, this.file(path));
  }

  forget(path: string): void {
    const cut = path.lastIndexOf('/');
    this.dir(path.slice(0, cut)).entries.delete(path.slice(cut + 1));
  }

  unlink(): void {
    const path = this.some(this.random() % 3 === 0 ? 'link' : 'file');
    if (path === undefined) return;
    this.mounted.unlink(path);
    this.forget(path);
  }

  unlinkOpen(): void {
    const path = this.some('file');
    if (path === undefined || this.open.length > 5) {
      const closed = this.open.shift();
      if (closed !== undefined) this.close(closed);
      return;
    }
    const ino = this.mounted.at(path);
    if (this.mounted.open.has(ino)) return;
    this.mounted.open.add(ino);
    this.open.push({ ino, file: this.file(path) });
    this.mounted.unlink(path);
    this.forget(path);
  }

  close({ ino, file }: { ino: number; file: File }): void {
    if (!same(this.mounted.read(ino), file.data)) throw new Error(`open inode ${ino} differs`);
    this.mounted.close(ino);
  }

  rename(): void {
    const from = this.some(this.random() % 4 === 0 ? 'dir' : 'file');
    if (from === undefined) return;
    const node = this.node(from);
    const toDir = this.someDir();
    if (`${toDir}/`.startsWith(`${from}/`)) return;
    const over = this.random() % 3 === 0 ? this.some(node.kind) : undefined;
    if (over !== undefined && (this.node(over) === node || node.kind === 'dir')) return;
    const to = over ?? `${toDir}/${this.freshName()}`;
    const { mounted } = this;
    const [a, b] = [mounted.place(from), mounted.place(to)];
    mounted.run((tx) => mounted.fs.rename(tx, a, b));
    this.forget(from);
    this.dir(to.slice(0, to.lastIndexOf('/'))).entries.set(b.name, node);
    for (const [i, path] of this.dirs.entries())
      if (`${path}/`.startsWith(`${from}/`)) this.dirs[i] = to + path.slice(from.length);
  }

  rmdir(): void {
    const path = this.some('dir');
    if (path === undefined || this.dir(path).entries.size > 0) return;
    this.mounted.unlink(path, AT_REMOVEDIR);
    this.forget(path);
    this.dirs.splice(this.dirs.indexOf(path), 1);
  }

  setAttribute(): void {
    const path = this.some('file');
    if (path === undefined) return;
    const { mounted } = this;
    const name = `user.a${this.random() % 4}`;
    const { attributes } = this.file(path);
    const remove = attributes.has(name) && this.random() % 3 === 0;
    const text = 'v'.repeat(this.random() % 120);
    const value = remove ? undefined : new TextEncoder().encode(text);
    const ino = mounted.at(path);
    mounted.run((tx) => mounted.fs.setxattr(tx, ino, name, value, 0));
    if (remove) attributes.delete(name);
    else attributes.set(name, text);
  }

  readBack(): void {
    const path = this.some('file');
    if (path === undefined) return;
    const got = this.mounted.read(this.mounted.at(path));
    if (!same(got, this.file(path).data)) throw new Error(`${path} differs`);
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && Buffer.compare(a, b) === 0;

/** The first difference between the model and the image below a path. */
function differs(mounted: TestFs, node: Node, path: string): string | undefined {
  const ino = mounted.at(path);
  if (node.kind === 'link') {
    const target = mounted.run((tx) => mounted.fs.readlink(tx, ino));
    return target === node.target ? undefined : `${path}: target ${target}`;
  }
  if (node.kind === 'file') {
    for (const [name, value] of node.attributes) {
      const got = mounted.run((tx) => mounted.fs.getxattr(tx, ino, name));
      if (new TextDecoder().decode(got) !== value) return `${path}: attribute ${name}`;
    }
    return same(mounted.read(ino), node.data) ? undefined : `${path}: data`;
  }
  const names = mounted.names(ino).filter((name) => path !== '' || name !== 'lost+found');
  if (names.length !== node.entries.size) return `${path}: ${names.length} names`;
  for (const [name, child] of node.entries) {
    if (!names.includes(name)) return `${path}: no ${name}`;
    const found = differs(mounted, child, `${path}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const storm = test.macro({
  exec(t, args: string[], mebibytes: number = SIZE) {
    t.log(`ATOLL_SEED=${SEED}`);
    if (!haveE2fsprogs()) {
      t.log('no e2fsprogs here: skipped');
      t.pass();
      return;
    }
    const image = new TestImage(mke2fs(mebibytes << 20, args));
    const before = image.bytes.slice();
    const random = seeded(SEED);
    const mounted = new TestFs(image);
    const chance = seeded(SEED + 1);
    image.forgetBlocks(() => chance() % 8 === 0);
    const run = new Storm(mounted, random);
    for (let i = 0; i < OPS; i++) run.step();
    for (const held of run.open) run.close(held);
    mounted.unmount();
    if (mebibytes < SIZE) t.log(`${run.full} operations found no room`);
    const { status, output } = fsck(image.bytes);
    t.is(status, 0, output);
    const again = new TestFs(new TestImage(image.bytes));
    t.is(differs(again, run.model, ''), undefined);
    removeAll(again, '');
    again.unmount();
    const emptied = fsck(image.bytes);
    t.is(emptied.status, 0, emptied.output);
    t.deepEqual(free(again), free(new TestFs(new TestImage(before))));
  },
  title: (_, args: string[], mebibytes: number = SIZE) =>
    `random operations agree with the model and e2fsck: ${args.join(' ')}, ${mebibytes} MiB`,
});

function removeAll(mounted: TestFs, path: string): void {
  for (const { name, type } of mounted.list(mounted.at(path))) {
    if (name === 'lost+found') continue;
    if (type === 4) removeAll(mounted, `${path}/${name}`);
    mounted.unlink(`${path}/${name}`, type === 4 ? AT_REMOVEDIR : 0);
  }
}

/** Free inodes, and free blocks: but for those that the root directory keeps. */
function free(mounted: TestFs): { ffree: number; bfree: number } {
  const { ffree, bfree, bsize } = mounted.run((tx) => mounted.fs.statfs(tx));
  const root = mounted.run((tx) => mounted.fs.getattr(tx, 2));
  return { ffree, bfree: bfree + (root.blocks * 512) / bsize };
}

test(storm, ['-t', 'ext4']);
test(storm, ['-t', 'ext4', '-b', '4096']);
test(storm, ['-t', 'ext4', '-b', '2048', '-O', '^metadata_csum']);
test(storm, ['-t', 'ext4', '-O', '^64bit,^flex_bg', '-I', '128']);
test(storm, ['-t', 'ext4', '-O', '^metadata_csum,uninit_bg,sparse_super2']);
test(storm, ['-t', 'ext4', '-b', '4096', '-O', 'metadata_csum_seed,orphan_file,large_dir']);
test(storm, ['-t', 'ext4', '-b', '1024', '-O', 'meta_bg,^resize_inode']);
test(storm, ['-t', 'ext3', '-b', '4096']);
test(storm, ['-t', 'ext3', '-b', '1024']);
test(storm, ['-t', 'ext2', '-I', '128']);
test(storm, ['-t', 'ext2', '-O', '^dir_index,^filetype']);
test(storm, ['-t', 'ext4', '-b', '1024', '-O', '^has_journal'], 1);
test(storm, ['-t', 'ext4', '-b', '4096', '-O', '^has_journal', '-N', '100'], 3);
test(storm, ['-t', 'ext2', '-b', '1024'], 1);

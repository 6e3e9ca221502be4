// ext4fs and Linux's own ext4 on one image, in turn: what one writes the other reads and changes.
// Skips where loop mounts are not allowed. ATOLL_SEED chooses the operations.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { seeded, TestFs, TestImage } from '../../daemons/ext4fs/testing.ts';
import { fsck, haveE2fsprogs, mke2fs, onHostKernel } from '../testing/e2fsprogs.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? Date.now() % 1_000_000);

/** Every path with what it is: a file's bytes, a link's target, a directory. */
type Tree = Map<string, { kind: string; mode: number; nlink: number; data: Buffer }>;

function treeOfHost(root: string, path = '', tree: Tree = new Map()): Tree {
  for (const name of readdirSync(join(root, path))) {
    if (name === 'lost+found') continue;
    const inner = `${path}/${name}`;
    const stat = lstatSync(join(root, inner));
    const common = { mode: stat.mode, nlink: stat.nlink };
    const full = join(root, inner);
    if (stat.isDirectory()) {
      tree.set(inner, { kind: 'dir', ...common, data: Buffer.alloc(0) });
      treeOfHost(root, inner, tree);
    } else if (stat.isSymbolicLink())
      tree.set(inner, { kind: 'link', ...common, data: Buffer.from(readlinkSync(full)) });
    else tree.set(inner, { kind: 'file', ...common, data: readFileSync(full) });
  }
  return tree;
}

function treeOfOurs(m: TestFs, path = '', tree: Tree = new Map()): Tree {
  const dir = m.at(path);
  for (const { name, qid } of m.list(dir, 300)) {
    if (name === 'lost+found') continue;
    const inner = `${path}/${name}`;
    const { mode, nlink } = m.run((tx) => m.fs.getattr(tx, qid.path));
    const type = mode & 0o170000;
    if (type === 0o040000) {
      tree.set(inner, { kind: 'dir', mode, nlink, data: Buffer.alloc(0) });
      treeOfOurs(m, inner, tree);
    } else if (type === 0o120000) {
      const target = m.run((tx) => m.fs.readlink(tx, qid.path));
      tree.set(inner, { kind: 'link', mode, nlink, data: Buffer.from(target) });
    } else tree.set(inner, { kind: 'file', mode, nlink, data: Buffer.from(m.read(qid.path)) });
  }
  return tree;
}

function difference(a: Tree, b: Tree): string | undefined {
  if (a.size !== b.size) return `${a.size} and ${b.size} paths`;
  for (const [path, x] of a) {
    const y = b.get(path);
    if (y === undefined) return `${path} is missing`;
    if (x.kind !== y.kind || x.mode !== y.mode || x.nlink !== y.nlink) return `${path}: stat`;
    if (!x.data.equals(y.data)) return `${path}: data`;
  }
  return undefined;
}

/** Work for Linux: directories that grow and shrink, holes, preallocation, links, renames. */
function linuxWrites(root: string, random: () => number): void {
  mkdirSync(join(root, 'many/deep'), { recursive: true });
  for (let i = 0; i < 3000; i++)
    writeFileSync(join(root, 'many', `name-${i}-${'z'.repeat(i % 60)}`), `${i}`);
  for (const [i, name] of readdirSync(join(root, 'many')).entries()) {
    if (name === 'deep') continue;
    if (i % 3 === 0) unlinkSync(join(root, 'many', name));
    if (i % 3 === 1) renameSync(join(root, 'many', name), join(root, 'many/deep', `moved-${i}`));
  }
  const holes = openSync(join(root, 'holes'), 'w');
  for (let i = 0; i < 600; i++)
    writeSync(holes, Buffer.alloc(700, i), 0, 700, (random() % 4000) * 1024);
  closeSync(holes);
  truncateSync(join(root, 'holes'), 3_500_000);
  // Block maps know no preallocation.
  const reserved = join(root, 'reserved');
  if (spawnSync('fallocate', ['-l', '2MiB', reserved]).status !== 0)
    writeFileSync(reserved, Buffer.alloc(2 << 20));
  symlinkSync('many/deep', join(root, 'short'));
  symlinkSync('x'.repeat(180), join(root, 'long'));
  linkSync(join(root, 'holes'), join(root, 'holes-again'));
}

function weWrite(m: TestFs, random: () => number): void {
  for (const { name } of m.list(m.at('/many/deep')))
    if (random() % 2 === 0) m.unlink(`/many/deep/${name}`);
  m.mkdir('/ours');
  for (let i = 0; i < 2500; i++) {
    const ino = m.create(`/ours/ours-${i}-${'o'.repeat(i % 50)}`);
    if (i % 10 === 0) m.write(ino, random() % 5000, new Uint8Array(random() % 9000).fill(i));
  }
  for (let i = 0; i < 2500; i += 4) m.unlink(`/ours/ours-${i}-${'o'.repeat(i % 50)}`);
  const holes = m.at('/holes');
  for (let i = 0; i < 200; i++)
    m.write(holes, (random() % 4000) * 1024, new Uint8Array(1 + (random() % 3000)).fill(i));
  m.write(m.at('/reserved'), 300_000, new Uint8Array(50_000).fill(7));
  m.truncate(m.at('/reserved'), 1_500_000);
}

const together = test.macro({
  exec(t, args: string[]) {
    t.log(`ATOLL_SEED=${SEED}`);
    const random = seeded(SEED);
    const image = haveE2fsprogs() ? mke2fs(64 << 20, args) : undefined;
    let theirs: Tree = new Map();
    const written =
      image &&
      onHostKernel(image, (root) => {
        linuxWrites(root, random);
        theirs = treeOfHost(root);
      });
    if (written === undefined) {
      t.log('no loop mounts here: skipped');
      t.pass();
      return;
    }
    const m = new TestFs(new TestImage(written));
    t.is(difference(theirs, treeOfOurs(m)), undefined, 'what Linux wrote');
    weWrite(m, random);
    m.unmount();
    const judged = fsck(m.image.bytes);
    t.is(judged.status, 0, judged.output);
    const ours = treeOfOurs(m);
    const back = onHostKernel(m.image.bytes, (root) => {
      theirs = treeOfHost(root);
      for (let i = 0; i < 800; i++) writeFileSync(join(root, 'ours', `linux-${i}`), 'again');
      rmSync(join(root, 'many'), { recursive: true });
    });
    t.is(difference(ours, theirs), undefined, 'what we wrote');
    const last = fsck(back ?? new Uint8Array());
    t.is(last.status, 0, last.output);
  },
  title: (_, args: string[]) => `ext4fs and Linux share an image in turn: ${args.join(' ')}`,
});
test(together, ['-t', 'ext4']);
test(together, ['-t', 'ext4', '-b', '4096', '-O', 'metadata_csum_seed,orphan_file,inline_data']);
test(together, ['-t', 'ext4', '-b', '2048', '-O', '^metadata_csum,^64bit', '-I', '128']);
test(together, ['-t', 'ext3', '-b', '1024']);
test(together, ['-t', 'ext2', '-b', '4096']);

// A tree of 1,000 files, with links, holes and 100 MB in one file, through every layer and back: read
// from an image that mke2fs filled, written to another one that debugfs and e2fsck judge.

import { createReadStream, createWriteStream } from 'node:fs';
import { link, lstat, mkdir, open, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import test, { type ExecutionContext } from 'ava';
import { integersFrom } from '../../kernel/ipc/random.ts';
import { testSeed } from '../../kernel/ipc/testing/seed.ts';
import {
  atoll,
  fsck,
  host,
  makeExt4,
  sha256OfFile,
  startAtoll,
  tempDir,
} from '../testing/machine.ts';

const BIG = 100 * 1024 * 1024;

/** Fills `root`; returns how many regular files there are. */
async function makeTree(root: string, random: (below: number) => number): Promise<number> {
  let files = 0;
  for (let d = 0; d < 40; d++) {
    const dir = join(root, `dir ${d % 8}`, `d${d}`);
    await mkdir(dir, { recursive: true });
    for (let f = 0; f < 25; f++) {
      const bytes = new Uint8Array(random(4) === 0 ? random(60_000) : random(3000));
      for (let i = 0; i < bytes.length; i++) bytes[i] = random(256);
      await writeFile(join(dir, `file-${f}`), bytes, { mode: 0o600 + random(0o200) });
      files++;
    }
    await link(join(dir, 'file-0'), join(dir, 'same as 0'));
    await symlink('file-1', join(dir, 'fast'));
    await symlink(`../d${d}/${'./'.repeat(40)}file-2`, join(dir, 'slow'));
  }
  for (let h = 0; h < 10; h++) {
    const file = await open(join(root, `holes-${h}`), 'w');
    for (let i = 0; i < 5; i++) await file.write(`piece ${i}`, random(8_000_000));
    await file.truncate(8_000_000 + random(5000));
    await file.close();
  }
  await writeBig(join(root, 'big'), random);
  return files;
}

async function writeBig(path: string, random: (below: number) => number): Promise<void> {
  const chunk = new Uint32Array(1024 * 1024);
  const file = await open(path, 'w');
  for (let written = 0; written < BIG; written += chunk.byteLength) {
    for (let i = 0; i < chunk.length; i++) chunk[i] = random(0x1_0000_0000);
    await file.write(new Uint8Array(chunk.buffer));
  }
  await file.close();
}

/** One line for each name below `root`: what it is and what it holds. */
async function describeTree(root: string): Promise<string[]> {
  const lines: string[] = [];
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    const { mode, size } = await lstat(path);
    if (entry.isSymbolicLink()) lines.push(`${name} -> ${await readlink(path)}`);
    else if (entry.isDirectory()) lines.push(`${name}/`);
    else lines.push(`${name} ${mode.toString(8)} ${size} ${await sha256OfFile(path)}`);
  }
  return lines.sort();
}

/** The image's tree as a loop mount shows it; undefined where mounting is not allowed. */
async function loopMounted(image: string, dir: string): Promise<string[] | undefined> {
  await mkdir(dir);
  if (host('mount', ['-o', 'loop,ro', image, dir])?.status !== 0) return undefined;
  try {
    return await describeTree(join(dir, 'tree'));
  } finally {
    host('umount', [dir]);
  }
}

test('1,000 files, links, holes and 100 MB go in and out, the same by every reader', async (t) => {
  await using dir = await tempDir();
  const [source, target] = [join(dir.path, 'source.img'), join(dir.path, 'target.img')];
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const tree = join(dir.path, 'in', 'tree');
  await mkdir(tree, { recursive: true });
  t.is(await makeTree(tree, integersFrom(seed)), 1000);
  if (!(await makeExt4(source, 320, ['-d', join(dir.path, 'in')]))) {
    t.log('no e2fsprogs here: skipped');
    return t.pass();
  }
  await makeExt4(target, 320);
  const copy = await atoll([
    ...['--disk', `${source},ro`, '--disk', target],
    ...['-c', 'cp -a /mnt/sdC0/tree /mnt/sdC1/ && cd /mnt/sdC1/tree && du -s . && sha256sum big'],
  ]);
  t.like(copy, { status: 0, stderr: '' });
  t.true(copy.stdout.includes(await sha256OfFile(join(tree, 'big'))));
  t.is(fsck(target), '');
  const expected = await describeTree(tree);
  host('debugfs', ['-R', `rdump tree ${dir.path}`, target]);
  t.deepEqual(await describeTree(join(dir.path, 'tree')), expected);
  const mounted = await loopMounted(target, join(dir.path, 'mnt'));
  if (mounted === undefined) t.log('no loop mount allowed here');
  else t.deepEqual(mounted, expected);
  await streams(t, { image: target, big: join(tree, 'big'), out: join(dir.path, 'out') });
});

/** The big file by standard input into the image, and by standard output out of it. */
async function streams(
  t: ExecutionContext,
  { image, big, out }: { image: string; big: string; out: string },
): Promise<void> {
  const into = startAtoll(['--disk', image, '-c', 'rm /mnt/sdC0/tree/big; cat > /mnt/sdC0/again']);
  const ended = new Promise((resolve) => into.once('close', resolve));
  if (into.stdin) await pipeline(createReadStream(big), into.stdin);
  t.is(await ended, 0);
  t.is(fsck(image), '');
  const from = startAtoll(['--disk', `${image},ro`, '-c', 'cat /mnt/sdC0/again']);
  if (from.stdout) await pipeline(from.stdout, createWriteStream(out));
  t.is(await sha256OfFile(out), await sha256OfFile(big));
}

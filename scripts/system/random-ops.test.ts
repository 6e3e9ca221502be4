// Random operations on ext4 through the whole machine against the host's own file system, on a disk at each
// controller side by side: the same calls on all, the same answers and errors; then a remount, and the same
// tree; then e2fsck.

import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { CONTROLLERS, diskName } from '../../kernel/abi/disk/controllers.ts';
import { integersFrom } from '../../kernel/ipc/random.ts';
import { testSeed } from '../../kernel/ipc/testing/seed.ts';
import { fsck, makeExt4, sha256, tempDir } from '../testing/machine.ts';

const OPERATIONS = Number(process.env['ATOLL_OPERATIONS'] ?? 1000);

/** What both file systems offer, as far as it is used here. */
type Files = Pick<
  typeof fs,
  | 'appendFile'
  | 'chmod'
  | 'link'
  | 'lstat'
  | 'mkdir'
  | 'open'
  | 'readdir'
  | 'readFile'
  | 'readlink'
  | 'rename'
  | 'rmdir'
  | 'symlink'
  | 'truncate'
  | 'unlink'
  | 'writeFile'
>;

type Random = (below: number) => number;
type Operation = (files: Files, at: (path: string) => string) => Promise<unknown>;

const names = ['a', 'b', 'c', 'a name of some length', 'ü', 'x'.repeat(200)];

function somePath(random: Random): string {
  const depth = 1 + random(3);
  return Array.from({ length: depth }, () => names[random(names.length)]).join('/');
}

function someBytes(random: Random): Uint8Array {
  const size = random(5) === 0 ? random(200_000) : random(6000);
  return new Uint8Array(size).fill(random(256)).fill(random(256), random(size + 1));
}

/** The next operation: its name for the log, and how to do it. */
function someOperation(random: Random): [string, Operation] {
  const path = somePath(random);
  const other = somePath(random);
  const bytes = someBytes(random);
  const offset = random(4) === 0 ? random(3_000_000) : random(20_000);
  const mode = random(0o1000);
  const operations: [string, Operation][] = [
    [`mkdir ${path}`, (f, at) => f.mkdir(at(path))],
    [`mkdir ${other}`, (f, at) => f.mkdir(at(other))],
    [`write ${path} ${bytes.length}`, (f, at) => f.writeFile(at(path), bytes)],
    [`append ${path} ${bytes.length}`, (f, at) => f.appendFile(at(path), bytes)],
    [`pwrite ${path} ${offset}+${bytes.length}`, (f, at) => writeAt(f, at(path), bytes, offset)],
    [`pwrite ${other} ${offset}+${bytes.length}`, (f, at) => writeAt(f, at(other), bytes, offset)],
    [`truncate ${path} ${offset}`, (f, at) => f.truncate(at(path), offset)],
    [`read ${path}`, async (f, at) => sha256(await f.readFile(at(path)))],
    [`readdir ${path}`, async (f, at) => (await f.readdir(at(path))).sort()],
    [`rename ${path} ${other}`, (f, at) => f.rename(at(path), at(other))],
    [`rename ${other} ${path}`, (f, at) => f.rename(at(other), at(path))],
    [`link ${path} ${other}`, (f, at) => f.link(at(path), at(other))],
    [`symlink ${other} ${path}`, (f, at) => f.symlink(other, at(path))],
    [`readlink ${path}`, (f, at) => f.readlink(at(path))],
    [`unlink ${path}`, (f, at) => f.unlink(at(path))],
    [`rmdir ${path}`, (f, at) => f.rmdir(at(path))],
    [`chmod ${path} ${mode.toString(8)}`, (f, at) => f.chmod(at(path), mode)],
  ];
  return operations[random(operations.length)] ?? ['nothing', async () => undefined];
}

/** The form of FileHandle.write that both have. */
interface Writable {
  write(bytes: Uint8Array, at: { position: number }): Promise<{ bytesWritten: number }>;
}

async function writeAt(files: Files, path: string, bytes: Uint8Array, offset: number) {
  const handle = await files.open(path, 'r+');
  try {
    return (await (handle as unknown as Writable).write(bytes, { position: offset })).bytesWritten;
  } finally {
    await handle.close();
  }
}

/** The value of an operation, or the code of its error. */
async function outcome(action: Promise<unknown>): Promise<unknown> {
  try {
    return await action;
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

/** Every name with its type, mode, links, size and contents. */
async function snapshot(files: Files, root: string): Promise<string[]> {
  const lines: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for (const name of (await files.readdir(path)).sort()) {
      const child = `${path}/${name}`;
      const stats = await files.lstat(child);
      const label = `${child.slice(root.length)} ${stats.mode.toString(8)}`;
      if (stats.isSymbolicLink()) lines.push(`${label} -> ${await files.readlink(child)}`);
      else if (stats.isDirectory()) {
        lines.push(label);
        await walk(child);
      } else {
        const sum = sha256(await files.readFile(child));
        lines.push(`${label} ${stats.nlink} ${stats.size} ${sum}`);
      }
    }
  };
  await walk(root);
  return lines;
}

const DISKS = CONTROLLERS.map((controller) => ({ controller, disk: diskName(controller, 0) }));
const rootOn = (disk: string): string => `/mnt/${disk}/root`;

/** The lines that only a disk of the machine or only the model has. */
async function differences(os: Atoll, expected: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { disk } of DISKS) {
    const ours = await snapshot(filesOf(os), rootOn(disk));
    lines.push(
      ...ours.filter((line) => !expected.includes(line)).map((line) => `${disk} + ${line}`),
      ...expected.filter((line) => !ours.includes(line)).map((line) => `${disk} - ${line}`),
    );
  }
  return lines;
}

const filesOf = (os: Atoll): Files => os.fs as unknown as Files;

test(`${OPERATIONS} random operations leave what the host's file system holds, on each controller`, async (t) => {
  t.timeout(600_000);
  await using dir = await tempDir();
  const disks = DISKS.map(({ controller, disk }) => ({
    controller,
    file: join(dir.path, `${disk}.img`),
  }));
  for (const { file } of disks) {
    if (!(await makeExt4(file, 96))) {
      t.log('no e2fsprogs here: skipped');
      return t.pass();
    }
  }
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  const model = join(dir.path, 'model');
  await fs.mkdir(model);
  await fs.chmod(model, 0o755);
  await using os = await boot({ disks });
  for (const { disk } of DISKS) await os.fs.mkdir(rootOn(disk));
  for (let i = 0; i < OPERATIONS; i++) {
    const [name, operation] = someOperation(random);
    const theirs = JSON.stringify(await outcome(operation(fs, (path) => `${model}/${path}`)));
    const ours = await Promise.all(
      DISKS.map(({ disk }) => outcome(operation(filesOf(os), (path) => `${rootOn(disk)}/${path}`))),
    );
    if (ours.some((one) => JSON.stringify(one) !== theirs)) {
      t.deepEqual(ours, Array(DISKS.length).fill(JSON.parse(theirs)), `operation ${i}: ${name}`);
      break;
    }
    if (random(200) === 0) await os.exec('sync');
  }
  const expected = await snapshot(fs, model);
  t.deepEqual(await differences(os, expected), []);
  const remount = DISKS.map(
    ({ disk }) => `umount /mnt/${disk} && mount /dev/sd/${disk}/part/0 /mnt/${disk}`,
  );
  t.like(await os.exec(`cd /; ${remount.join(' && ')}`), { status: 0, stderr: '' });
  t.deepEqual(await differences(os, expected), [], 'after umount and mount');
  await os.shutdown();
  for (const { file } of disks) t.is(fsck(file), '');
  await using again = await boot({ disks: disks.map((one) => ({ ...one, mode: 'ro' as const })) });
  t.deepEqual(await differences(again, expected), [], 'after a second boot');
  t.log(`${expected.length} names at the end`);
});

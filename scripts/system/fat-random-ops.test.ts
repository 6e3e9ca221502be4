// Random operations on FAT32 through the whole machine against a model: the same answers and errors,
// the same tree after a remount; then fsck.fat, and mtools reads the same bytes.

import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { fsckFatFile, makeFat, mtype } from '../testing/dosfstools.ts';
import { randomIntegers, sha256, tempDir, testSeed } from '../testing/machine.ts';

const OPERATIONS = Number(process.env['ATOLL_OPERATIONS'] ?? 2500);

type Random = (below: number) => number;

/** Names that differ in case alone are one name on FAT; the first one's case is kept. */
const names = ['a', 'B', 'c.txt', 'A name of some length', 'ü', 'x'.repeat(200), 'a'.toUpperCase()];

type Node = { name: string; data: Uint8Array } | { name: string; children: Map<string, Node> };
type Directory = Extract<Node, { children: unknown }>;
type File = Extract<Node, { data: unknown }>;

const isDir = (node: Node | undefined): node is Directory =>
  node !== undefined && 'children' in node;
const isFile = (node: Node | undefined): node is File => node !== undefined && 'data' in node;

class Fault extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const die = (code: string): never => {
  throw new Fault(code);
};

/** What a FAT volume does, in memory. */
class Model {
  readonly root: Directory = { name: '', children: new Map() };

  #place(path: string): { dir: Directory; name: string; key: string; node: Node | undefined } {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let dir: Directory = this.root;
    for (const part of parts) {
      const next = dir.children.get(part.toUpperCase()) ?? die('ENOENT');
      dir = isDir(next) ? next : die('ENOTDIR');
    }
    const key = name.toUpperCase();
    return { dir, name, key, node: dir.children.get(key) };
  }

  file(path: string): File {
    const { node } = this.#place(path);
    if (node === undefined) die('ENOENT');
    return isFile(node) ? node : die('EISDIR');
  }

  mkdir(path: string): void {
    const { dir, name, key, node } = this.#place(path);
    if (node) die('EEXIST');
    dir.children.set(key, { name, children: new Map() });
  }

  write(path: string, bytes: Uint8Array): void {
    const { dir, name, key, node } = this.#place(path);
    if (isDir(node)) die('EISDIR');
    if (isFile(node)) node.data = bytes;
    else dir.children.set(key, { name, data: bytes });
  }

  append(path: string, bytes: Uint8Array): void {
    const { node } = this.#place(path);
    if (isFile(node)) this.pwrite(path, bytes, node.data.length);
    else this.write(path, bytes);
  }

  pwrite(path: string, bytes: Uint8Array, offset: number): number {
    const file = this.file(path);
    const out = new Uint8Array(
      Math.max(file.data.length, bytes.length > 0 ? offset + bytes.length : 0),
    );
    out.set(file.data);
    out.set(bytes, bytes.length > 0 ? offset : 0);
    file.data = out;
    return bytes.length;
  }

  truncate(path: string, size: number): void {
    const file = this.file(path);
    const out = new Uint8Array(size);
    out.set(file.data.subarray(0, size));
    file.data = out;
  }

  readdir(path: string): string[] {
    const { node } = this.#place(path);
    if (node === undefined) die('ENOENT');
    const dir = isDir(node) ? node : die('ENOTDIR');
    return [...dir.children.values()].map(({ name }) => name).sort();
  }

  unlink(path: string): void {
    const { dir, key, node } = this.#place(path);
    if (node === undefined) die('ENOENT');
    if (isDir(node)) die('EISDIR');
    dir.children.delete(key);
  }

  rmdir(path: string): void {
    const { dir, key, node } = this.#place(path);
    if (node === undefined) die('ENOENT');
    if (!isDir(node)) die('ENOTDIR');
    if (isDir(node) && node.children.size > 0) die('ENOTEMPTY');
    dir.children.delete(key);
  }

  rename(from: string, to: string): void {
    const a = this.#place(from);
    const b = this.#place(to);
    const node = a.node ?? die('ENOENT');
    if (isDir(node) && this.#contains(node, b.dir)) die('EINVAL');
    if (isDir(b.node) && this.#contains(b.node, a.dir)) die('ENOTEMPTY');
    if (b.node !== undefined && b.node !== node) {
      if (isDir(node) && !isDir(b.node)) die('ENOTDIR');
      if (!isDir(node) && isDir(b.node)) die('EISDIR');
      if (isDir(b.node) && b.node.children.size > 0) die('ENOTEMPTY');
    }
    if (b.node === node && a.name === b.name) return; // whatever letters the disk has
    const replaces = b.node !== undefined && b.node !== node;
    const name = replaces ? (b.node?.name ?? b.name) : b.name;
    a.dir.children.delete(a.key);
    node.name = name;
    b.dir.children.set(b.key, node);
  }

  #contains(outer: Directory, inner: Directory): boolean {
    if (outer === inner) return true;
    return [...outer.children.values()].some(
      (child) => isDir(child) && this.#contains(child, inner),
    );
  }

  snapshot(): string[] {
    const lines: string[] = [];
    const walk = (dir: Directory, path: string): void => {
      for (const node of dir.children.values()) {
        const child = `${path}/${node.name}`;
        lines.push(isDir(node) ? child : `${child} ${node.data.length} ${sha256(node.data)}`);
        if (isDir(node)) walk(node, child);
      }
    };
    walk(this.root, '');
    return lines.sort();
  }
}

interface Operation {
  readonly text: string;
  readonly ours: (os: Atoll) => Promise<unknown>;
  readonly theirs: (model: Model) => unknown;
}

const at = (path: string): string => `${ROOT}/${path}`;

function somePath(random: Random): string {
  const depth = 1 + random(3);
  return Array.from({ length: depth }, () => names[random(names.length)]).join('/');
}

function someBytes(random: Random): Uint8Array {
  const size = random(5) === 0 ? random(200_000) : random(6000);
  return new Uint8Array(size).fill(random(256)).fill(random(256), random(size + 1));
}

function someOperation(random: Random): Operation {
  const [path, other] = [somePath(random), somePath(random)];
  const bytes = someBytes(random);
  const offset = random(4) === 0 ? random(1_000_000) : random(20_000);
  const operations: Operation[] = [
    ...[path, other].map((dir) => ({
      text: `mkdir ${dir}`,
      ours: (os: Atoll) => os.fs.mkdir(at(dir)),
      theirs: (model: Model) => model.mkdir(dir),
    })),
    {
      text: `write ${path} ${bytes.length}`,
      ours: (os) => os.fs.writeFile(at(path), bytes),
      theirs: (model) => model.write(path, bytes),
    },
    {
      text: `append ${path} ${bytes.length}`,
      ours: (os) => os.fs.appendFile(at(path), bytes),
      theirs: (model) => model.append(path, bytes),
    },
    {
      text: `pwrite ${path} ${offset}+${bytes.length}`,
      ours: (os) => writeAt(os, { path: at(path), bytes, offset }),
      theirs: (model) => model.pwrite(path, bytes, offset),
    },
    {
      text: `truncate ${path} ${offset}`,
      ours: (os) => os.fs.truncate(at(path), offset),
      theirs: (model) => model.truncate(path, offset),
    },
    {
      text: `read ${path}`,
      ours: async (os) => sha256(await os.fs.readFile(at(path))),
      theirs: (model) => sha256(model.file(path).data),
    },
    {
      text: `readdir ${path}`,
      ours: async (os) => (await os.fs.readdir(at(path))).sort(),
      theirs: (model) => model.readdir(path),
    },
    ...[
      { from: path, to: other },
      { from: other, to: path },
    ].map(({ from, to }) => ({
      text: `rename ${from} ${to}`,
      ours: (os: Atoll) => os.fs.rename(at(from), at(to)),
      theirs: (model: Model) => model.rename(from, to),
    })),
    {
      text: `unlink ${path}`,
      ours: (os) => os.fs.unlink(at(path)),
      theirs: (model) => model.unlink(path),
    },
    {
      text: `rmdir ${path}`,
      ours: (os) => os.fs.rmdir(at(path)),
      theirs: (model) => model.rmdir(path),
    },
  ];
  return operations[random(operations.length)] as Operation;
}

async function writeAt(
  os: Atoll,
  { path, bytes, offset }: { path: string; bytes: Uint8Array; offset: number },
): Promise<number> {
  const handle = await os.fs.open(path, 'r+');
  try {
    return (await handle.write(bytes, { position: offset })).bytesWritten;
  } finally {
    await handle.close();
  }
}

/** The value of an operation, or the code of its error. */
async function outcome(action: () => unknown): Promise<unknown> {
  try {
    return await action();
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

async function snapshot(os: Atoll): Promise<string[]> {
  const lines: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for (const name of await os.fs.readdir(path)) {
      const child = `${path}/${name}`;
      const shown = child.slice(ROOT.length);
      if ((await os.fs.lstat(child)).isDirectory()) {
        lines.push(shown);
        await walk(child);
      } else {
        const bytes = await os.fs.readFile(child);
        lines.push(`${shown} ${bytes.length} ${sha256(bytes)}`);
      }
    }
  };
  await walk(ROOT);
  return lines.sort();
}

const ROOT = '/mnt/sdC0';

/** A name in other letters is the same name, and is shown as it was given last. */
async function recase(t: ExecutionContext, os: Atoll): Promise<void> {
  const { fs } = os;
  await fs.mkdir(at('Box'));
  await fs.writeFile(at('Box/a'), 'kept');
  await fs.rename(at('Box/a'), at('bOX/A'));
  await fs.rename(at('Box'), at('BOX'));
  t.deepEqual([await fs.readdir(ROOT), await fs.readdir(at('box'))], [['BOX'], ['A']]);
  t.is(await fs.readFile(at('Box/a'), 'utf8'), 'kept');
  await fs.rm(at('BOX'), { recursive: true });
  await t.throwsAsync(fs.stat(at('Box')), { code: 'ENOENT' });
}

test(`${OPERATIONS} random operations leave on FAT32 what a model holds`, async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  if (!(await makeFat(image, 64, ['-F', '32']))) {
    t.log('no dosfstools here: skipped');
    return t.pass();
  }
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = randomIntegers(seed);
  const model = new Model();
  await using os = await boot({ disks: [{ file: image }] });
  await recase(t, os);
  for (let i = 0; i < OPERATIONS; i++) {
    const { text, ours, theirs } = someOperation(random);
    const due = await outcome(() => theirs(model));
    const seen = await outcome(() => ours(os));
    if (JSON.stringify(seen) !== JSON.stringify(due)) {
      t.deepEqual(seen, due, `ATOLL_SEED=${seed}: operation ${i}: ${text}`);
      break;
    }
    if (random(200) === 0) await os.exec('sync');
  }
  const expected = model.snapshot();
  t.deepEqual(await snapshot(os), expected);
  const remount = `cd /; umount ${ROOT} && mount -t vfat /dev/sd/sdC0/part/0 ${ROOT}`;
  t.like(await os.exec(remount), { status: 0, stderr: '' });
  t.deepEqual(await snapshot(os), expected, 'after umount and mount');
  await os.shutdown();
  t.is(fsckFatFile(image), '');
  const files = expected.flatMap((line) => [...line.matchAll(/^(.*) \d+ ([0-9a-f]{64})$/g)]);
  for (const [, path = '', sum = ''] of files.slice(0, 20)) {
    t.is(sha256(mtype(image, path)), sum, `mtools reads ${path}`);
  }
  t.log(`${expected.length} names at the end`);
});

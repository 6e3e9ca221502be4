// Random operations on a volume that takes several spellings for one name, and a model of it: the same
// answers and errors, the same tree.

import type { Atoll } from '../../index.ts';
import { sha256 } from './machine.ts';

export type Random = (below: number) => number;

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

export interface Rules {
  readonly names: readonly string[];
  /** Names that are one to the file system become the same. */
  readonly fold: (name: string) => string;
  /** FAT: a file that replaces another takes its spelling. */
  readonly keepsSpelling: boolean;
}

/** What a volume does, in memory. */
export class Model {
  readonly root: Directory = { name: '', children: new Map() };
  readonly #rules: Rules;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  #place(path: string): { dir: Directory; name: string; key: string; node: Node | undefined } {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let dir: Directory = this.root;
    for (const part of parts) {
      const next = dir.children.get(this.#rules.fold(part)) ?? die('ENOENT');
      dir = isDir(next) ? next : die('ENOTDIR');
    }
    const key = this.#rules.fold(name);
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
    const replaces = this.#rules.keepsSpelling && b.node !== undefined && b.node !== node;
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

export interface Operation {
  readonly text: string;
  /** On the volume that is mounted at `root`. */
  readonly ours: (os: Atoll, root: string) => Promise<unknown>;
  readonly theirs: (model: Model) => unknown;
}

const at = (root: string, path: string): string => `${root}/${path}`;

function somePath(random: Random, names: readonly string[]): string {
  const depth = 1 + random(3);
  return Array.from({ length: depth }, () => names[random(names.length)]).join('/');
}

function someBytes(random: Random): Uint8Array {
  const size = random(5) === 0 ? random(200_000) : random(6000);
  return new Uint8Array(size).fill(random(256)).fill(random(256), random(size + 1));
}

export function someOperation(random: Random, { names }: Rules): Operation {
  const [path, other] = [somePath(random, names), somePath(random, names)];
  const bytes = someBytes(random);
  const offset = random(4) === 0 ? random(1_000_000) : random(20_000);
  const operations: Operation[] = [
    ...[path, other].map((dir) => ({
      text: `mkdir ${dir}`,
      ours: (os: Atoll, root: string) => os.fs.mkdir(at(root, dir)),
      theirs: (model: Model) => model.mkdir(dir),
    })),
    {
      text: `write ${path} ${bytes.length}`,
      ours: (os, root) => os.fs.writeFile(at(root, path), bytes),
      theirs: (model) => model.write(path, bytes),
    },
    {
      text: `append ${path} ${bytes.length}`,
      ours: (os, root) => os.fs.appendFile(at(root, path), bytes),
      theirs: (model) => model.append(path, bytes),
    },
    {
      text: `pwrite ${path} ${offset}+${bytes.length}`,
      ours: (os, root) => writeAt(os, { path: at(root, path), bytes, offset }),
      theirs: (model) => model.pwrite(path, bytes, offset),
    },
    {
      text: `truncate ${path} ${offset}`,
      ours: (os, root) => os.fs.truncate(at(root, path), offset),
      theirs: (model) => model.truncate(path, offset),
    },
    {
      text: `read ${path}`,
      ours: async (os, root) => sha256(await os.fs.readFile(at(root, path))),
      theirs: (model) => sha256(model.file(path).data),
    },
    {
      text: `readdir ${path}`,
      ours: async (os, root) => (await os.fs.readdir(at(root, path))).sort(),
      theirs: (model) => model.readdir(path),
    },
    ...[
      { from: path, to: other },
      { from: other, to: path },
    ].map(({ from, to }) => ({
      text: `rename ${from} ${to}`,
      ours: (os: Atoll, root: string) => os.fs.rename(at(root, from), at(root, to)),
      theirs: (model: Model) => model.rename(from, to),
    })),
    {
      text: `unlink ${path}`,
      ours: (os, root) => os.fs.unlink(at(root, path)),
      theirs: (model) => model.unlink(path),
    },
    {
      text: `rmdir ${path}`,
      ours: (os, root) => os.fs.rmdir(at(root, path)),
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
export async function outcome(action: () => unknown): Promise<unknown> {
  try {
    return await action();
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

/** Every name below `root`, with size and sum: as the model tells it. */
export async function snapshot(os: Atoll, root: string): Promise<string[]> {
  const lines: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for (const name of await os.fs.readdir(path)) {
      const child = `${path}/${name}`;
      const shown = child.slice(root.length);
      if ((await os.fs.lstat(child)).isDirectory()) {
        lines.push(shown);
        await walk(child);
      } else {
        const bytes = await os.fs.readFile(child);
        lines.push(`${shown} ${bytes.length} ${sha256(bytes)}`);
      }
    }
  };
  await walk(root);
  return lines.sort();
}

// A tree for tests, made once by a script for the host's sh and copied from memory for each case: a
// script of twenty lines starts twenty programs.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

interface Node {
  readonly name: string;
  readonly stat: fs.Stats;
  /** What a file holds, or where a symbolic link points to. */
  readonly content: Buffer;
  /** The first name of the same file. */
  readonly link: string | undefined;
}

export interface TreeScript {
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Undefined for a tree that cannot be kept so: it holds a pipe, a socket, a device or holes. */
const known = new Map<string, readonly Node[] | undefined>();

/** Makes `directory` and in it what `script` makes; times, modes and links included. */
export function makeTree(directory: string, { script, env }: TreeScript): void {
  if (!known.has(script)) known.set(script, remember({ script, env }));
  fs.mkdirSync(directory);
  const nodes = known.get(script);
  if (nodes === undefined) runScript(directory, { script, env });
  else copy(directory, nodes);
}

function runScript(directory: string, { script, env }: TreeScript): void {
  const made = spawnSync('sh', ['-ec', script], { cwd: directory, env });
  if (made.status !== 0) throw new Error(made.stderr.toString());
}

function remember(tree: TreeScript): readonly Node[] | undefined {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'atoll-tree-'));
  try {
    runScript(root, tree);
    const nodes: Node[] = [];
    const first = new Map<number, string>();
    const visit = (at: string): boolean =>
      fs.readdirSync(path.join(root, at)).every((entry) => {
        const name = path.join(at, entry);
        const stat = fs.lstatSync(path.join(root, name));
        const link = first.get(stat.ino);
        first.set(stat.ino, name);
        nodes.push({ name, stat, link, content: contentOf(path.join(root, name), stat) });
        return stat.isDirectory() ? visit(name) : stat.isSymbolicLink() || isPlain(stat);
      });
    return visit('') ? nodes : undefined;
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

const isPlain = (stat: fs.Stats): boolean => stat.isFile() && stat.blocks * 512 >= stat.size;

function contentOf(file: string, stat: fs.Stats): Buffer {
  if (stat.isSymbolicLink()) return Buffer.from(fs.readlinkSync(file));
  return stat.isFile() ? fs.readFileSync(file) : Buffer.alloc(0);
}

function copy(root: string, nodes: readonly Node[]): void {
  for (const { name, stat, content, link } of nodes) {
    const file = path.join(root, name);
    if (stat.isDirectory()) fs.mkdirSync(file);
    else if (link !== undefined) fs.linkSync(path.join(root, link), file);
    else if (stat.isSymbolicLink()) fs.symlinkSync(content, file);
    else fs.writeFileSync(file, content);
  }
  // What is in a directory comes after it: backwards no time or mode is spoilt again.
  for (const { name, stat } of nodes.toReversed()) {
    const file = path.join(root, name);
    if (!stat.isSymbolicLink()) fs.chmodSync(file, stat.mode & 0o7777);
    fs.lutimesSync(file, stat.atimeMs / 1000, stat.mtimeMs / 1000);
  }
}

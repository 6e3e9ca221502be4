// Runs one command line with our program and with the host's tool, each in its own copy of the same
// tree, and compares status, output, messages and what became of the tree. Tests alone use it.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { programs } from '../../bin/registry.ts';
import { runOnHost } from './host-sys.ts';
import { makeTree } from './template.ts';

export interface Case {
  /** Words split at blanks; 'single quotes' group. */
  readonly run: string;
  /** Makes the tree, as a script for the host's sh. */
  readonly tree?: string;
  readonly stdin?: string | Uint8Array;
  /** What is left out of the comparison. */
  readonly ignore?: readonly ('stderr' | 'stdout' | 'tree')[];
  /** The order of lines is not told. */
  readonly sorted?: true;
}

export function words(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map((match) => match[0].replaceAll("'", ''));
}

const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

export function compare(t: ExecutionContext, test: Case): void {
  const [name = '', ...args] = words(test.run);
  if (!onHost(name)) {
    t.log(`no ${name} on this host`);
    t.pass();
    return;
  }
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'atoll-bin-'));
  try {
    const [theirs, ours] = [`${base}/t`, `${base}/o`];
    for (const directory of [theirs, ours]) {
      if (test.tree === undefined) fs.mkdirSync(directory);
      else makeTree(directory, { script: test.tree, env });
    }
    const stdin = `${base}/stdin`;
    fs.writeFileSync(stdin, test.stdin ?? '');
    const input = fs.openSync(stdin, 'r');
    const host = spawnSync(fs.existsSync(`/usr/bin/${name}`) ? `/usr/bin/${name}` : name, args, {
      cwd: theirs,
      env,
      argv0: name,
      stdio: [input, 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
    });
    fs.closeSync(input);
    const result = runOnHost({ programs, argv: [name, ...args], cwd: ours, stdin, env });
    const order = (text: string): string =>
      test.sorted ? text.split('\n').sort().join('\n') : text;
    const ignore = test.ignore ?? [];
    if (!ignore.includes('stdout'))
      t.is(
        order(result.stdout.toString('latin1').replaceAll(`${base}/o`, `${base}/t`)),
        order(host.stdout.toString('latin1')),
        'stdout',
      );
    if (!ignore.includes('stderr')) {
      const message = host.stderr.toString('latin1').replaceAll(`/usr/bin/${name}`, name);
      t.is(order(result.stderr), order(message), 'stderr');
    }
    t.is(result.status, host.status ?? -1, 'status');
    if (!ignore.includes('tree')) t.deepEqual(tree(ours), tree(theirs), 'tree');
  } finally {
    removeTree(base);
  }
}

const tools = new Map<string, boolean>();

function onHost(name: string): boolean {
  let found = tools.get(name);
  if (found === undefined) {
    const command = `command -v ${name === '[' ? 'test' : name}`;
    found = spawnSync('sh', ['-c', command], { env }).status === 0;
    tools.set(name, found);
  }
  return found;
}

function removeTree(base: string): void {
  try {
    fs.rmSync(base, { recursive: true, force: true });
  } catch {
    // A directory that its owner may not enter.
    spawnSync('chmod', ['-R', 'u+rwX', base]);
    fs.rmSync(base, { recursive: true, force: true });
  }
}

/** Each name with its type, mode, links, size, content or target; times to the second where set. */
function tree(root: string): string[] {
  const out: string[] = [];
  const inodes = new Map<number, string>();
  const visit = (at: string): void => {
    for (const name of fs.readdirSync(path.join(root, at)).sort()) {
      const relative = path.join(at, name);
      const full = path.join(root, relative);
      const stat = fs.lstatSync(full);
      const first = inodes.get(stat.ino) ?? relative;
      inodes.set(stat.ino, first);
      const old = stat.mtimeMs < 1.6e12 ? ` ${Math.floor(stat.mtimeMs / 1000)}` : '';
      const content = stat.isFile()
        ? fs.readFileSync(full).toString('latin1').slice(0, 4096)
        : stat.isSymbolicLink()
          ? fs.readlinkSync(full)
          : '';
      out.push(`${relative} ${stat.mode.toString(8)} ${first}${old} ${content}`);
      if (stat.isDirectory()) visit(relative);
    }
  };
  visit('.');
  return out;
}

// The limits and laws of DESIGN.md and the house style, as far as a program can judge them.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import {
  imports,
  isTest,
  longFunctions,
  ROOT,
  type Source,
  says,
  sources,
  TOP,
} from './testing/sources.ts';

const all = sources();
const code = all.filter(({ path }) => !isTest(path));

test('no file has more than 500 lines', (t) => {
  t.deepEqual(
    all.filter(({ lines }) => lines > 500).map(({ path, lines }) => `${path}: ${lines}`),
    [],
  );
});

test('no function has more than 70 lines', (t) => {
  const long = longFunctions(
    code.map(({ path }) => path),
    70,
  );
  t.deepEqual(long, []);
});

test('no folder has more than 15 files, tests and userland/bin left out', (t) => {
  const counts = new Map<string, number>();
  for (const { path } of code) {
    counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  }
  counts.delete('userland/bin');
  t.deepEqual(
    [...counts].filter(([, count]) => count > 15),
    [],
  );
});

test('every file opens with a comment that says what it is', (t) => {
  t.deepEqual(
    all.filter(({ text }) => !/^(#!.*\n)?\/[/*]/.test(text)).map(({ path }) => path),
    [],
  );
});

/** Who may import what: the first law whose `from` begins the path holds. */
const SHARED = ['kernel/abi/', 'kernel/ipc/', 'kernel/ninep/'];
const LAWS: readonly { from: string; may: readonly string[]; packages?: readonly string[] }[] = [
  { from: 'kernel/abi/', may: ['kernel/abi/'] },
  { from: 'kernel/ipc/', may: ['kernel/abi/', 'kernel/ipc/'] },
  { from: 'kernel/ninep/', may: SHARED },
  { from: 'kernel/', may: ['kernel/'] },
  { from: 'daemons/lib/', may: [...SHARED, 'daemons/lib/'], packages: ['crc-32'] },
  { from: 'daemons/ext4fs/', may: [...SHARED, 'daemons/lib/', 'daemons/ext4fs/'] },
  { from: 'daemons/fatd/', may: [...SHARED, 'daemons/lib/', 'daemons/fatd/'] },
  { from: 'daemons/hfsd/', may: [...SHARED, 'daemons/lib/', 'daemons/hfsd/'] },
  { from: 'daemons/main.ts', may: [...SHARED, 'daemons/'] },
  { from: 'daemons/rehearsal.ts', may: [...SHARED, 'daemons/'] },
  { from: 'drivers/lib/', may: [...SHARED, 'drivers/lib/'] },
  { from: 'drivers/ahci/', may: [...SHARED, 'drivers/lib/', 'drivers/ahci/'] },
  { from: 'drivers/virtio-blk/', may: [...SHARED, 'drivers/lib/', 'drivers/virtio-blk/'] },
  { from: 'drivers/ide/', may: [...SHARED, 'drivers/lib/', 'drivers/ide/'] },
  { from: 'drivers/main.ts', may: [...SHARED, 'drivers/'] },
  { from: 'drivers/hw/', may: [...SHARED, 'drivers/hw/'], packages: ['fzstd'] },
  {
    from: 'userland/libc/',
    may: ['kernel/abi/', 'kernel/ipc/', 'userland/libc/'],
    packages: ['@noble/hashes', 'fzstd', 'pako'],
  },
  { from: 'userland/sh/', may: ['kernel/abi/', 'userland/libc/', 'userland/sh/'] },
  // mkfs and fsck: a file system's own code at work in a program that has the volume for itself.
  { from: 'userland/fs/', may: ['kernel/abi/', 'userland/libc/', 'userland/fs/', 'daemons/'] },
  { from: 'userland/bin/', may: ['kernel/abi/', 'userland/'] },
  { from: 'userland/', may: ['kernel/abi/', 'userland/'] },
  { from: 'host/', may: [...SHARED, 'drivers/hw/', 'host/'] },
  { from: 'index.ts', may: ['host/'] },
  { from: 'scripts/', may: [''], packages: ['esbuild', 'typescript/unstable'] },
];

/** What a driver and the model of its hardware share. */
const isRegisters = (path: string): boolean => /^drivers\/[\w-]+\/([\w-]+-)?regs\.ts$/.test(path);

test('imports go down only, never sideways', (t) => {
  const wrong: string[] = [];
  for (const source of code) {
    const law = LAWS.find(({ from }) => source.path.startsWith(from));
    for (const { where, what } of imports(source)) {
      if (what.startsWith('node:')) continue; // judged below
      const ours = existsSync(join(ROOT, what));
      const allowed = ours ? law?.may : law?.packages;
      const shared = source.path.startsWith('drivers/hw/') && isRegisters(what);
      if (!shared && !allowed?.some((start) => what.startsWith(start))) {
        wrong.push(`${where} imports ${what}`);
      }
    }
  }
  t.deepEqual(wrong, []);
});

const HOST = /^(drivers\/hw\/|host\/|scripts\/|index\.ts$)/;
const outside = (where: RegExp): Source[] => code.filter(({ path }) => !where.test(path));

test('only kernel/ipc/wait.ts sleeps and wakes', (t) => {
  const what = /Atomics\.(?:wait|notify|waitAsync)\b|[{,] *(?:wait|notify|waitAsync)\b.*= Atomics/;
  const found = outside(/^kernel\/ipc\/wait\.ts$/).flatMap((source) => says(source, what));
  t.deepEqual(found, []);
});

test('only the board touches the host', (t) => {
  const found = outside(HOST).flatMap((source) => imports(source));
  t.deepEqual(
    found.filter(({ what }) => what.startsWith('node:')),
    [],
  );
});

test('time and randomness come from the board', (t) => {
  const what =
    /\b(?:Date\.now|new Date\(\)|(?<!new )Date\(|Math\.random|performance\b|crypto\.\w+|set(?:Timeout|Interval|Immediate))/;
  const found = outside(HOST).flatMap((source) => says(source, what));
  t.deepEqual(found, []);
});

test('every top folder has a README of at most 40 lines', (t) => {
  for (const top of TOP) {
    const file = join(ROOT, top, 'README.md');
    t.true(existsSync(file), `${top} has none`);
    const lines = readFileSync(file, 'utf8').split('\n').length - 1;
    t.true(lines <= 40, `${top}: ${lines} lines`);
  }
});

test('what READMEs and docs point at is there', (t) => {
  const dangling: string[] = [];
  for (const top of ['', ...TOP]) {
    const file = join(ROOT, top, 'README.md');
    if (!existsSync(file)) continue;
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/\]\(([^)#:]+)\)/g)) {
      if (!existsSync(join(ROOT, top, target))) dangling.push(`${top}/README.md: ${target}`);
    }
  }
  t.deepEqual(dangling, []);
});

// An addon that is being loaded when its worker is terminated ends the whole process.
test('what is installed with Atoll has no native code', (t) => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; hasInstallScript?: boolean; os?: string[] }>;
  };
  const native = Object.entries(lock.packages).filter(
    ([path, { dev, hasInstallScript, os }]) =>
      path !== '' && dev !== true && (hasInstallScript === true || os !== undefined),
  );
  t.deepEqual(
    native.map(([path]) => path),
    [],
  );
});

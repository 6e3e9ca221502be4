// Claims about gzip, gunzip and zcat, beside the host's.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { type Case, compare } from '../libc/testing/differential.ts';
import { runOnHost } from '../libc/testing/host-sys.ts';
import { programs } from './registry.ts';

/** Bytes with repeats and noise, from a seed. */
function bytes(size: number, seed: number): Uint8Array {
  const out = new Uint8Array(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    out[i] = i % 97 < 60 && i >= 97 ? (out[i - 97] ?? 0) : state >>> 24;
  }
  return out;
}

function ours(argv: readonly string[], stdin: Uint8Array): { stdout: Buffer; status: number } {
  const dir = mkdtempSync(`${tmpdir()}/atoll-gzip-`);
  try {
    writeFileSync(`${dir}/in`, stdin);
    return runOnHost({ programs, argv, cwd: dir, stdin: `${dir}/in` });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const theirs = (argv: readonly string[], input: Uint8Array): Buffer =>
  spawnSync(argv[0] ?? '', argv.slice(1), { input, maxBuffer: 1 << 28 }).stdout;

const bothWays = test.macro({
  exec(t: ExecutionContext, size: number, level: string) {
    const plain = bytes(size, size + 1);
    const packed = ours(['gzip', level, '-c'], plain);
    t.is(packed.status, 0);
    t.deepEqual(theirs(['gzip', '-dc'], packed.stdout), Buffer.from(plain), 'theirs unpacks ours');
    const back = ours(['gzip', '-dc'], theirs(['gzip', level, '-c'], plain));
    t.deepEqual(back.stdout, Buffer.from(plain), 'ours unpacks theirs');
  },
  title: (_, size: number, level: string) => `${size} bytes go both ways with ${level}`,
});
for (const size of [0, 1, 100, 65_536, 1_000_003]) test(bothWays, size, '-6');
test(bothWays, 300_000, '-1');
test(bothWays, 300_000, '-9');

const same = test.macro({
  exec: (t: ExecutionContext, over: Case) => compare(t, over),
  title: (_, { run }: Case) => run,
});
const tree = `printf 'hello hello hello\\n' > a; printf x > b; gzip -n -c a > p.gz; cat p.gz p.gz > two.gz
(cat p.gz; printf garbage) > garbage.gz; head -c 20 p.gz > short.gz; printf 'no gzip' > not.gz
(cat p.gz; head -c 1000 /dev/zero) > zeros.gz; mkdir d; cp a d/x; ln a hard; touch -d 2001-01-01 b
tr '\\003' '\\004' < p.gz > broken.gz; gzip -n -c < /dev/null > empty.gz; chmod 640 b`;
for (const run of [
  'zcat p.gz',
  'zcat two.gz',
  'zcat garbage.gz',
  'zcat zeros.gz',
  'gunzip p.gz',
  'gunzip -k p.gz',
  'gunzip -c short.gz',
  'gunzip not.gz',
  'gunzip nothere',
  'gunzip a',
  'gzip d',
  'gzip nothere',
  'gzip a',
  'gzip p.gz',
  'gzip -t p.gz',
  'gzip -t short.gz',
  'gzip -tv p.gz',
  'gzip -l p.gz',
  'gunzip -r d',
  'gunzip empty.gz',
]) {
  // The host's gunzip and zcat are scripts around gzip: what they say begins with its name.
  test(same, run.startsWith('gzip ') ? { run, tree } : { run, tree, ignore: ['stderr'] });
}
test(same, { run: 'gunzip -f p.gz', tree: `${tree}; printf old > p`, ignore: ['stderr'] });
test(same, { run: 'gunzip -n p.gz', tree: `${tree}; printf old > p`, ignore: ['stderr'] });

test('a file that is packed keeps its mode and time, and comes back', (t) => {
  const dir = mkdtempSync(`${tmpdir()}/atoll-gzip-`);
  try {
    writeFileSync(`${dir}/f`, bytes(10_000, 7), { mode: 0o604 });
    writeFileSync(`${dir}/in`, '');
    const run = (argv: string[]): number =>
      runOnHost({ programs, argv, cwd: dir, stdin: `${dir}/in` }).status;
    t.is(run(['gzip', '-9', 'f']), 0);
    t.is(spawnSync('gzip', ['-t', `${dir}/f.gz`]).status, 0);
    t.regex(spawnSync('gzip', ['-lN', `${dir}/f.gz`]).stdout.toString(), /10000 .*f\n/);
    t.is(run(['gunzip', 'f']), 0);
    t.deepEqual(readFileSync(`${dir}/f`), Buffer.from(bytes(10_000, 7)));
  } finally {
    rmSync(dir, { recursive: true });
  }
});

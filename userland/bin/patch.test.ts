// patch against the host's: what the real diff wrote, applied to what it was made of and to what drifted.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { compare } from '../libc/testing/differential.ts';
import { runOnHost } from '../libc/testing/host-sys.ts';
import { programs } from './registry.ts';

const tree = String.raw`
set +e # diff's status says that there are differences
seq 1 30 > a
seq 1 30 | sed 's/^5$/five/; 12d; s/^20$/20\ntwenty and a half/; 30s/$/!/' > b
printf 'x\ny' > n1; printf 'x\ny\nz' > n2; touch -d @1000000000 a b n1 n2
diff -u a b > u; diff -c a b > c; diff a b > n; diff -U1 a b > u1; diff -u b a > back; diff -u n1 n2 > nn; diff n1 n2 > nnn
(seq 100 103; cat a) > moved
sed 's/^4$/four/' a > fuzzy
sed 's/^4$/four/; s/^6$/six/; s/^5$/FIVE/' a > broken
sed 's/ /  /g; s/^7/7 /' a > blanks
mkdir -p d/e; cp a d/e/f
sed 's#^--- a#--- x/d/e/f#; s#^+++ b#+++ x/d/e/f#' u > deep
printf -- '--- /dev/null\n+++ made/new\n@@ -0,0 +1,2 @@\n+one\n+two\n' > create
printf -- '--- a\n+++ /dev/null\n@@ -1,30 +0,0 @@\n' > delete; sed 's/^/-/' a >> delete
printf -- '--- a\n+++ a\n@@ -1,3 +1,3 @@\n 1\n-2\n' > short
printf 'no patch here\nat all\n' > garbage
cat u create > two
printf -- '--- ../../etc/x\n+++ ../../etc/x\n@@ -0,0 +1 @@\n+evil\n' > evil
chmod 640 a
`;

const same = test.macro({
  exec(t, run: string) {
    // Modes of -o and times of files that nothing fits differ: GNU's are those of its temporary files.
    const loose = /^-[of]/.test(run);
    compare(t, { run: `patch ${run}`, tree, ignore: loose ? ['stderr', 'tree'] : ['stderr'] });
  },
  title: (_, run: string) => `patch ${run}`,
});

const cases: readonly string[] = [
  'a u',
  // Rejects in the style of the patch; what is not applied is not taken back.
  'broken c',
  'broken n',
  '-R a c',
  '-R -N a u',
  '-s -R a u',
  'a c',
  'a n',
  'a u1',
  '-i u a',
  '-i u',
  '-p0 -i u',
  '-R b u',
  '-R -i c b',
  '-R b n',
  'b back',
  'moved u',
  'moved c',
  'fuzzy u',
  '-F0 fuzzy u',
  'broken u',
  '-r rejects broken u',
  '-l blanks u',
  'blanks u',
  '-b a u',
  '-o out a u',
  '--dry-run a u',
  '-s a u',
  '-N b u',
  '-f b u',
  '-t b u',
  '-p1 -i deep',
  '-d d -p2 -i ../deep',
  '-p0 -i create',
  '-p0 -i delete',
  'n1 nn',
  'n1 nnn',
  '-R n2 nn',
  '-p0 -i two',
  'a garbage',
];
for (const one of cases) test(same, one);

test('a patch that ends early, or leads out of the directory, changes nothing', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'atoll-patch-'));
  try {
    spawnSync('sh', ['-c', tree], { cwd: dir });
    const before = readFileSync(join(dir, 'a'), 'utf8');
    const env = { PATH: '/bin' };
    writeFileSync(join(dir, 'stdin'), '');
    const run = (...args: string[]) =>
      runOnHost({ programs, argv: ['patch', ...args], cwd: dir, stdin: join(dir, 'stdin'), env });
    const short = run('a', 'short');
    t.is(short.status, 2);
    t.regex(short.stderr, /unexpected end of file in patch at line 6/);
    t.is(readFileSync(join(dir, 'a'), 'utf8'), before);
    const evil = run('-p0', '-i', 'evil');
    t.is(evil.status, 1);
    t.regex(evil.stderr, /dangerous file name/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("random texts: what our diff writes our patch and the host's bring to the same file", (t) => {
  const seed = Number(process.env.SEED ?? Date.now() & 0xffff);
  t.log(`seed ${seed}`);
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', 'd e'), { maxLength: 40 });
  const end = fc.constantFrom('', '\n');
  const pairs = fc.sample(fc.tuple(lines, end, lines, end), { seed, numRuns: 25 });
  const env = { PATH: '/usr/bin:/bin', TZ: 'UTC', LC_ALL: 'C' };
  for (const [a, aEnd, b, bEnd] of pairs) {
    const dir = mkdtempSync(join(tmpdir(), 'atoll-patch-'));
    try {
      const put = (name: string, text: string) => writeFileSync(join(dir, name), text);
      put('a', a.join('\n') + aEnd);
      put('b', b.join('\n') + bEnd);
      put('stdin', '');
      const ours = (...argv: string[]) =>
        runOnHost({ programs, argv, cwd: dir, stdin: join(dir, 'stdin'), env });
      for (const form of ['-u', '-c', '-U0']) {
        const made = ours('diff', form, 'a', 'b');
        put('p', made.stdout.toString('latin1'));
        if (made.status === 0) continue;
        for (const name of ['mine', 'theirs']) put(name, a.join('\n') + aEnd);
        t.is(ours('patch', 'mine', 'p').status, 0, form);
        t.is(spawnSync('patch', ['theirs', 'p'], { cwd: dir, env }).status, 0, form);
        t.is(readFileSync(join(dir, 'mine'), 'utf8'), b.join('\n') + bEnd, form);
        t.is(readFileSync(join(dir, 'theirs'), 'utf8'), b.join('\n') + bEnd, form);
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
});

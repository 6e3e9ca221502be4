// diff against the host's: every form of output, and random files whose changes bring one to the other.

import test from 'ava';
import fc from 'fast-check';
import { compareTexts, textOf } from '../libc/diff/lines.ts';
import { editScript } from '../libc/diff/script.ts';
import { compare } from '../libc/testing/differential.ts';

const tree = String.raw`
printf 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\ntwelve\n' > a
printf 'one\n2\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\ntwelve\nthirteen\n' > b
printf 'zero\none\ntwo\nthree\nfour\nfive\n5.5\nsix\nseven\neight\nnine\nten\neleven\ntwelve' > c
printf 'int f()\n{\n  a;\n}\n\nint g()\n{\n  b;\n}\n' > f1
printf 'int f()\n{\n  a;\n}\n\nint h()\n{\n  c;\n}\n\nint g()\n{\n  b;\n}\n' > f2
printf 'Hello  World\nfoo\n\nbar \n' > s1
printf 'hello world\nfoo\nbar\n\n' > s2
printf 'a\000b\n' > bin1
printf 'a\000c\n' > bin2
printf '' > empty
printf '.\n..\nx\n' > dots
printf 'x\r\ny\r\n' > crlf
printf 'x\ny\n' > lf
mkdir -p d1/sub d2/sub d1/only
echo 1 > d1/x; echo 2 > d2/x; echo same > d1/y; echo same > d2/y; echo s > d1/sub/z; echo t > d2/sub/z
echo new > d2/new; echo n > d1/k; mkdir d2/k
find . -exec touch -d '2001-02-03 04:05:06.789 UTC' {} +
`;

const same = test.macro({
  exec(t, run: string) {
    compare(t, { run: `diff ${run}`, tree });
  },
  title: (_, run: string) => `diff ${run}`,
});

const forms = [
  '',
  '-u',
  '-c',
  '-e',
  '-n',
  '-U0',
  '-U1',
  '-C1',
  '-C 0',
  '-q',
  '-s',
  '-y',
  '-yW 40',
  '-p',
  '-pu',
  '-tc',
];
const pairs = [
  'a b',
  'b a',
  'a c',
  'c a',
  'a a',
  'a empty',
  'empty a',
  'f1 f2',
  'f2 f1',
  's1 s2',
  'c b',
];
for (const form of forms) for (const pair of pairs) test(same, `${form} ${pair}`.trim());

const cases: readonly string[] = [
  '-i s1 s2',
  '-b s1 s2',
  '-w s1 s2',
  '-B s1 s2',
  '-E s1 s2',
  '-Z s1 s2',
  '-ibB s1 s2',
  '-e empty dots',
  '-f a b',
  'bin1 bin2',
  '-a bin1 bin2',
  '-q bin1 bin2',
  'bin1 bin1',
  '--strip-trailing-cr crlf lf',
  'crlf lf',
  '-u --label A --label B a b',
  'd1 d2',
  '-r d1 d2',
  '-ru d1 d2',
  '-rq d1 d2',
  '-rN d1 d2',
  '-r -x x -x k d1 d2',
  '-rs d1 d2',
  'a d1',
  'a',
  'a b c',
  'a missing',
  'missing b',
  '-N a missing',
  '-uN missing b',
  '--normal a b',
  '-y --suppress-common-lines a c',
  '-y --left-column a c',
  '-ty -W 61 s1 s2',
  '-y -W 5 a b',
  '-u -c a b',
  '-e -n a b',
  '-f a c',
  '-W 0 a b',
  '-y crlf lf',
];
for (const one of cases) test(same, one);

test('random texts: the changes lead from one to the other, in as few lines as diff -d', (t) => {
  const seed = Number(process.env.SEED ?? Date.now() & 0xffff);
  t.log(`seed ${seed}`);
  const lines = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 60 });
  fc.assert(
    fc.property(lines, lines, (a, b) => {
      const changes = editScript(Int32Array.from(a), Int32Array.from(b));
      const made: number[] = [];
      let at = 0;
      for (const { aStart, aCount, bStart, bCount } of changes) {
        made.push(...a.slice(at, aStart), ...b.slice(bStart, bStart + bCount));
        at = aStart + aCount;
      }
      made.push(...a.slice(at));
      t.deepEqual(made, b);
      const cost = changes.reduce((sum, c) => sum + c.aCount + c.bCount, 0);
      t.is(cost, a.length + b.length - 2 * common(a, b));
    }),
    { seed, numRuns: 300 },
  );
});

/** The length of the longest common subsequence, by the table. */
function common(a: readonly number[], b: readonly number[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const x of a) {
    const next = [0];
    for (const [j, y] of b.entries())
      next.push(x === y ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0));
    row = next;
  }
  return row[b.length] ?? 0;
}

test('two long files that have nothing in common take bounded work', (t) => {
  const lines = (mark: string) =>
    textOf({
      name: mark,
      stamp: '',
      bytes: new TextEncoder().encode(
        Array.from({ length: 20_000 }, (_, i) => `${mark}${i % 3 === 0 ? i * 7 : i}`).join('\n'),
      ),
    });
  const how = {
    ignoreCase: false,
    blanks: 'count',
    ignoreEmpty: false,
    stripCr: false,
    countsEnd: true,
  } as const;
  t.is(compareTexts(lines('a'), lines('b'), how).length, 1);
});

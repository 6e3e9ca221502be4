// csplit against the host's: the same pieces.

import test from 'ava';
import { compare } from '../libc/testing/differential.ts';

const tree = String.raw`
seq 1 20 > n; printf 'intro\n== a\n1\n2\n== b\n3\n== c\n' > s; : > e; printf 'x\ny' > u
`;

const same = test.macro({
  exec(t, run: string, stdin: string) {
    compare(t, { run, tree, stdin });
  },
  title: (_, run: string, stdin: string) =>
    JSON.stringify(stdin === '' ? run : `${run} <<< ${stdin}`).slice(1, -1),
});

const cases: readonly (readonly [run: string, stdin?: string])[] = [
  ['csplit n 5'],
  ['csplit n 5 10'],
  ['csplit n 5 {2}'],
  ['csplit n 5 {9}'],
  ['csplit n 5 {*}'],
  ['csplit -k n 5 {9}'],
  ['csplit n 25'],
  ['csplit -k n 25'],
  ['csplit n 20'],
  ['csplit n 21'],
  ["csplit s '/==/'"],
  ["csplit s '/==/' {1}"],
  ["csplit s '/==/' {*}"],
  ["csplit s '/==/' {2}"],
  ["csplit s '/==/' {5}"],
  ["csplit -k s '/==/' {5}"],
  ["csplit -z s '/==/' {*}"],
  ["csplit s '/==/+1' {*}"],
  ["csplit s '/==/-1' {*}"],
  ["csplit s '/b/-2'"],
  ["csplit s '%== b%'"],
  ["csplit s '%==%' '/==/' {*}"],
  ["csplit s '%nope%'"],
  ["csplit s '/nope/'"],
  ["csplit -s s '/==/' {*}"],
  ["csplit -f part- s '/==/' {*}"],
  ["csplit -n 3 s '/==/'"],
  ["csplit -b %03d.txt s '/==/'"],
  ['csplit -b %x s 2'],
  ['csplit -b foo s 2'],
  ['csplit -b %s s 2'],
  ["csplit --suppress-matched s '/==/' {*}"],
  ['csplit --suppress-matched n 5 {2}'],
  ['csplit n 10 5'],
  ['csplit n 5 5'],
  ['csplit n 0'],
  ['csplit n x'],
  ['csplit n'],
  ['csplit'],
  ['csplit missing 2'],
  ["csplit n '/1/x'"],
  ['csplit u 2'],
  ["csplit e '/x/'"],
  ['csplit - 3', 'a\nb\nc\nd\n'],
  ["csplit n '/5/' 10 '/15/' '%18%'"],
  ["csplit n 7 '/1/' {3}"],
  ["csplit n '/1/' {3}"],
  ['csplit -z n 1 5'],
  ['csplit n 1 5'],
  ["csplit n '/^1$/' '/9/'"],
];
for (const [run, stdin = ''] of cases) test(same, run, stdin);

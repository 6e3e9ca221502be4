// expand, unexpand, join, split, shuf, strings and fmt against the host's.

import test from 'ava';
import { compare } from '../libc/testing/differential.ts';

const tree = String.raw`
printf 'a\tb\t\tc\n\t  x \t y\nlong word here\tz\n        eight\n   \t mixed  \t\nno newline\tend' > t
printf '        a       b  c        d\n  \t   e   f\n                g\n' > s
printf 'a 1 x\nb 2\nb 3 y\nd 4\n' > j1
printf 'a X\nb Y\nb Z\nc W\ne V\n' > j2
printf 'k,1,2\nm,3\n' > c1; printf 'k,9\nl,8\nm,7,6\n' > c2
printf 'b\na\n' > unsorted
printf 'A 1\nb 2\n' > case1; printf 'a x\nB y\n' > case2
seq 1 2500 > n; printf '' > empty; printf 'aaa\nbb\nc' > few; printf 'a\000b\000c\000' > z
printf 'text here\000\001ab\000long enough\nand more\tx\377tail' > bin
printf 'This is a paragraph that goes on for a while.  It has two sentences, and some punctuation; it is long enough to be broken (we hope) into lines.\n\nShort.\nlines\nthat   are    joined.\n\n  indented text that should keep\n  its indentation on all lines because that is what fmt does, surely.\nnot indented\n\n- tag here\n  with more text that follows the tag and is long enough to wrap around the end of the line.\n' > p
printf '# comment one that is fairly long and goes beyond the width of what we would like to see here\n# second\ncode here\n' > q
`;

const same = test.macro({
  exec(t, run: string) {
    compare(t, { run, tree });
  },
  title: (_, run: string) => run,
});

const cases: readonly string[] = [
  'expand t',
  'expand -t 4 t s',
  'expand -4 t',
  'expand -i t',
  'expand -t 3,7,20 t',
  'expand -t 2,/5 t',
  'expand -t 2,+5 t',
  'expand -t 0 t',
  'expand -t 5,3 t',
  'expand missing t',
  'unexpand s',
  'unexpand -a s t',
  'unexpand -t 4 s',
  'unexpand -a -t 3 s',
  'unexpand --first-only -t 2 s',
  'unexpand -t 4,8,12 s',
  'join j1 j2',
  'join -o 1.1 0 j1 j2',
  'join -o auto -o 1.1 j1 j2',
  'join -t : -t , j1 j2',
  'split -n 0 j1',
  'join -a 1 j1 j2',
  'join -a 2 j1 j2',
  'join -a 1 -a 2 -e - -o 0,1.2,2.2 j1 j2',
  'join -v 1 j1 j2',
  'join -v 1 -v 2 j1 j2',
  'join -t , c1 c2',
  'join -t , -a 1 -a 2 -o auto -e E c1 c2',
  'join -1 2 -2 1 j1 j2',
  'join -j 1 -o 1.1,2.2,1.3 j1 j2',
  'join -i case1 case2',
  'join --header j1 j2',
  'join unsorted j2',
  'join --check-order unsorted j2',
  'join --nocheck-order unsorted j2',
  'join j1 missing',
  'join j1',
  'join -o 3.1 j1 j2',
  'join -1 0 j1 j2',
  'split n',
  'split -l 100 n p-',
  'split -100 n',
  'split -b 1000 n',
  'split -b 1k -d n out',
  'split -C 500 n',
  'split -a 3 -l 900 n',
  'split -a 1 -l 10 n',
  'split -l 50 -x n',
  'split --numeric-suffixes=5 -l 900 n',
  'split --additional-suffix=.txt -l 900 n',
  'split -n 3 n',
  'split -n 2/3 n',
  'split -n l/4 n',
  'split -n l/2/4 n',
  'split -n r/3 few',
  'split -n r/2/3 n',
  'split -n 5 few',
  'split -e -n 9 few',
  'split -t b -l 1 few',
  'split --verbose -l 1500 n',
  'split empty',
  'split missing',
  'split -b 0 n',
  'split -b 1 -l 1 n',
  'split -l 3 n',
  'shuf -i 5-5',
  'shuf -e only',
  'shuf -n 0 n',
  'shuf empty',
  'shuf -i 9-1',
  'shuf missing',
  'strings bin',
  'strings -n 2 bin',
  'strings -t d bin',
  'strings -t x -n 3 bin',
  'strings -o bin',
  'strings -f bin few',
  'strings -w bin',
  'fmt p',
  'fmt -w 40 p',
  'fmt -40 p',
  'fmt -s -w 30 p',
  'fmt -u p',
  'fmt -c -w 50 p',
  'fmt -t -w 50 p',
  'fmt -p "#" q',
  'fmt -g 30 -w 40 p',
];
for (const one of cases) test(same, one);

test('shuf writes each line once, and -r as many as asked for', (t) => {
  compare(t, { run: 'shuf n', tree, sorted: true });
  compare(t, { run: 'shuf -i 1-100', tree, sorted: true });
  compare(t, { run: 'shuf -r -n 5 -e x', tree });
});

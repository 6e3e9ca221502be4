// The tree of files that programs are given: links, modes, times of long ago, odd names.

import { type Case, quote } from '../case.ts';
import { textOf } from '../inputs.ts';
import type { Random } from '../random.ts';

const NAMES =
  'a|b|c.txt|d|e f|link|d/x|d/y.txt|d/sub|d/sub/z|missing|dirlink|.hid|empty|-n|d/|no/x|d2|v10.c|v9.c'.split(
    '|',
  );
const DATE = ['2001-02-03 04:05:06', '2010-01-01', '2015-06-07 08:09:10', '1999-12-31 23:59:59'];

/** Names that programs get wrong: blanks, quotes, newlines, patterns, bytes. */
const ODD = [
  ...[
    "it's",
    'new\nline',
    ' lead',
    'trail ',
    'tab\tx',
    '\xe9',
    '"q"',
    'a\\b',
    '$x',
    '*',
    '~t',
    '#h',
    '-r',
    'a:b',
  ],
  ...[
    '\x01c',
    'x'.repeat(40),
    '[ab]',
    '{}',
    '!',
    'a=b',
    '..x',
    'A.TXT',
    'z~',
    '.#lock',
    'v1.tar.gz',
    'v01',
    'v1~',
  ],
];

/** Files, links and directories with times of long ago, so that nothing depends on now. */
function setup(random: Random, odd: readonly string[]): string[] {
  const extra = random.some(
    'ln;-s;nowhere;dangling|chmod;444;b|ln;a;hard|chmod;700;d|mkdir;-p;d2/deep/er|printf;x>-n|chmod;4755;c.txt|mkfifo;p|touch;d2.c|ln;-s;loop;loop'.split(
      '|',
    ),
    3,
  );
  return [
    'umask 022; mkdir -p d/sub; ln -s a link; ln -s d dirlink',
    'touch v9.c v10.c d/x d/sub/z',
    ...extra.map((line) => line.replaceAll(';', ' ').replace('x>', '-- x > ')),
    ...odd.map((name) => `${random.once(4) ? 'mkdir' : 'touch'} -- ${quote(name)}`),
    `find . -depth -exec touch -h -d '${random.pick(DATE)}' {} +`,
    `touch -d '${random.pick(DATE)}' a; touch -d '${random.pick(DATE)}' d d/x`,
  ];
}

export function onTree(
  random: Random,
  words: readonly string[],
  more: Partial<Case> = {},
): Omit<Case, 'program'> {
  const files = {
    a: textOf(random, 'words', 4),
    b: 'bbb\n',
    'c.txt': textOf(random, 'integers', 90),
    'e f': '',
    '.hid': 'h',
    empty: '',
  };
  return { files, setup: setup(random, []), words, tree: true, ...more };
}

/** Among the others there are files with odd names, and the command may name them. */
export function onOddTree(
  random: Random,
  words: readonly string[],
  more: Partial<Case> = {},
): Omit<Case, 'program'> {
  const odd = random.once(2) ? random.list(1, 4, () => random.pick(ODD)) : [];
  const named = odd.filter((name) => random.once(3) && !name.startsWith('-'));
  return { ...onTree(random, [...words, ...named], more), setup: setup(random, [...new Set(odd)]) };
}

export const names = (random: Random, least: number, most: number): string[] =>
  random.list(least, most, () =>
    random.once(3) ? random.pick(NAMES) : random.pick(['a', 'b', 'c.txt', 'd', 'link']),
  );

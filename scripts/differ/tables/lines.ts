// Programs that take text line by line: their options, and the kinds of text that they are for.

import { anyText, type Kind, sortedText, textOf } from '../inputs.ts';
import { onText, small, type Table } from '../maker.ts';
import type { Random } from '../random.ts';

const count = (random: Random): string =>
  random.pick(['', '-', '+']) +
  small(random) +
  (random.once(12) ? random.pick(['k', 'b', 'x', 'K']) : '');

const sortKey = (random: Random): string => {
  const place = (): string =>
    `${random.below(3) + 1}${random.once(3) ? `.${random.below(4) + 1}` : ''}${random.once(2) ? random.pick(['n', 'r', 'b', 'f', 'nr', 'd', 'i', 'g', 'h', 'V', 'M']) : ''}`;
  return `-k${place()}${random.once(2) ? `,${place()}` : ''}`;
};

const list = (random: Random): string =>
  random
    .list(1, 3, () => {
      const from = random.below(6) + 1;
      return random.pick([`${from}`, `${from}-`, `-${from}`, `${from}-${from + random.below(4)}`]);
    })
    .join(',');

const sorts = (random: Random): string[] => {
  const kinds = 'words|word|numbers|integers|fields|columns|odd|versions|sizes|months'.split(
    '|',
  ) as Kind[];
  const options = random.some(
    '-n|-r|-u|-b|-f|-d|-i|-g|-h|-M|-V|-s|-t:|-t,|-c|-C|-m|-z|-o out|-S 1M|-S 10%|-S 9b|-S x|--parallel=2|--parallel=0|--sort=numeric'.split(
      '|',
    ),
    3,
  );
  return [...random.list(0, 2, () => sortKey(random)), ...options, random.pick(kinds)];
};

export const lineTable: Table = {
  cat: (r) =>
    onText(r, ['cat', ...r.some(['-n', '-b', '-s', '-E', '-T', '-v', '-A', '-e', '-t', '-u'])]),
  tac: (r) => onText(r, ['tac', ...r.some(['-b', '-s a', '-s ,', '-s oo'], 2)]),
  // A dash is a file to util-linux's.
  // The host's ends at a byte above 127, as its locale is C: ours goes by characters in any.
  rev: (r) => onText(r, ['rev'], { takes: 'input', text: (random) => textOf(random, 'words') }),
  head: (r) =>
    onText(r, [
      'head',
      ...r.pick([[], [`-n${count(r)}`], [`-c${count(r)}`], [`-${small(r)}`]]),
      ...r.some(['-q', '-v', '-z'], 1),
    ]),
  tail: (r) =>
    onText(r, [
      'tail',
      ...r.pick([[], [`-n${count(r)}`], [`-c${count(r)}`], [`-${small(r)}`]]),
      ...r.some(['-q', '-v', '-z'], 1),
    ]),
  wc: (r) => {
    const options = r.some(['-l', '-w', '-c', '-m', '-L']);
    if (!r.once(4)) return onText(r, ['wc', ...options]);
    const names = r.list(0, 4, () => r.pick(['f', 'g', 'f', 'missing', '', '-', 'no\nfile']));
    const files = { f: anyText(r), g: anyText(r), list: names.join('\0') + r.pick(['', '\0']) };
    const from = r.pick(['list', 'list', '-', 'none']);
    const more = r.once(9) ? ['g'] : [];
    return { files, words: ['wc', ...options, `--files0-from=${from}`, ...more], stdin: 'list' };
  },
  nl: (r) =>
    onText(
      r,
      [
        'nl',
        ...r.some(
          '-ba|-bt|-bn|-bpfoo|-bp^a|-ha|-fa|-i2|-i5|-l2|-nln|-nrn|-nrz|-p|-s:|-s|-v5|-v0|-v-3|-w2|-w9|-dxy'.split(
            '|',
          ),
          4,
        ),
      ],
      r.once(3)
        ? {
            text: (random) =>
              random.text(1, 9, 'a\n|foo\n|\n|\\:\\:\\:\n|\\:\\:\n|\\:\n|xyxy\n|xy\n'.split('|')),
          }
        : {},
    ),
  sort: (r) => {
    const options = sorts(r);
    const kind = options.pop() as Kind;
    const one = onText(r, ['sort', ...options], { kind });
    return options.includes('out') ? { ...one, tail: '; cat out' } : one;
  },
  uniq: (r) =>
    onText(
      r,
      [
        'uniq',
        ...r.some(
          '-c|-d|-u|-i|-D|-f1|-s1|-s2|-w2|-w3|-z|--group|--group=both|--group=append|--all-repeated=prepend|--all-repeated=separate'.split(
            '|',
          ),
          3,
        ),
      ],
      {
        takes: 'one',
        text: (random) =>
          random.text(0, 9, 'a\n|a\n|A\n|x a\n|y a\n|x ab\n|\n|ab| a\n|foo\tb\n'.split('|')),
      },
    ),
  comm: (r) => {
    const kind = r.pick(['word', 'integers', 'words'] as const);
    const files = { f: sortedText(r, kind), g: sortedText(r, kind) };
    const options = r.some(
      '-1|-2|-3|-12|-23|--total|--output-delimiter=:|--check-order|--nocheck-order|-z'.split('|'),
      2,
    );
    return { files, words: ['comm', ...options, 'f', r.once(6) ? '-' : 'g'], stdin: 'g' };
  },
  join: (r) => {
    const kind = r.pick(['word', 'columns', 'columns', 'words'] as const);
    const files = { f: sortedText(r, kind), g: sortedText(r, kind) };
    const options = r.some(
      '-a1|-a2|-v1|-v2|-i|-t:|-j1|-12|-22|-o1.1,2.2|-o0,1.2,2.1|-oauto|-eX|--header|--nocheck-order|--check-order|-z|-o 1.1,0 2.9|-a 1|-e|-t|-t\\0|-tab|-j2|-j0|-jx|-1 3|-o 3.1|-o1|-a3|--ignore-case|-t,'.split(
        '|',
      ),
      4,
    );
    const names = r.pick([
      ['f', 'g'],
      ['f', 'g'],
      ['f', 'g'],
      ['-', 'g'],
      ['f', '-'],
      ['f'],
      ['-', '-'],
      ['f', 'missing'],
      ['f', 'g', 'f'],
    ]);
    return { files, words: ['join', ...options, ...names], stdin: r.pick(['f', 'g']) };
  },
  paste: (r) =>
    onText(r, [
      'paste',
      ...r.some(['-s', '-d:', '-d,;', '-d\\n', '-d\\0', '-d', '-z', '-d:\\t'], 2),
    ]),
  cut: (r) => {
    const what = r.pick(['-f', '-f', '-c', '-b']);
    const more =
      what === '-f'
        ? ['-d:', '-d:', '-d,', '-s', '-z', '--complement', '--output-delimiter=<>']
        : ['--complement', '-z', '--output-delimiter=_', '-n'];
    return onText(r, ['cut', ...r.some(more, 3), `${what}${list(r)}`], {
      kind: r.pick(['fields', 'words', 'odd', 'tabs'] as const),
    });
  },
  fold: (r) =>
    onText(r, ['fold', ...r.some(['-s', '-b', '-w10', '-w1', '-w 25', '-7'], 3)], {
      kind: r.pick(['prose', 'tabs', 'odd', 'long'] as const),
    }),
  fmt: (r) =>
    onText(
      r,
      ['fmt', ...r.some(['-w 20', '-w 40', '-30', '-s', '-u', '-c', '-t', '-g 20', '-pa'], 2)],
      { kind: 'prose' },
    ),
  expand: (r) =>
    onText(
      r,
      ['expand', ...r.some(['-i', '-t4', '-t 3,7,12', '-t1', '-4', '-t 2,/5', '-t 3,+4'], 2)],
      { kind: 'tabs' },
    ),
  unexpand: (r) =>
    onText(
      r,
      [
        'unexpand',
        ...r.some(['-a', '-t4', '-t 3,7,12', '-t1', '--first-only', '-t 2,/5', '-t 3,+4'], 2),
      ],
      { kind: 'tabs' },
    ),
  tr: (r) => {
    const set = (): string =>
      r
        .list(1, 3, () =>
          r.pick(
            'a-c|abc|A-Z|a-z|0-9|[:upper:]|[:lower:]|[:digit:]|[:space:]|[:alnum:]|[:punct:]|\\n|\\t| |x|\\101|[=a=]|\\\\|-|[a*2]|[x*]|\\377|é'.split(
              '|',
            ),
          ),
        )
        .join('');
    const options = r.some(['-d', '-s', '-c', '-C', '-t', '-ds', '-cd', '-cs'], 2);
    return onText(r, ['tr', ...options, ...r.list(1, 2, set)], { takes: 'input' });
  },
  tsort: (r) =>
    onText(r, ['tsort'], {
      takes: 'one',
      text: (random) =>
        random.text(0, 8, 'a b\n|b c\n|c d\n|a a\n|x y\n|b d\n|d x\n|e\n|f e '.split('|')),
    }),
  shuf: (r) => ({
    ...onText(r, ['shuf', ...r.some(['-z', '--random-source=/dev/zero'], 1)], {
      takes: 'one',
      kind: 'words',
    }),
    sorted: true,
  }),
  split: (r) => ({
    ...onText(
      r,
      [
        'split',
        ...r.pick([
          [],
          [`-l${small(r)}`],
          [`-b${small(r)}`],
          [`-C${r.below(20) + 1}`],
          [`-n${r.below(5)}`],
          [`-nl/${r.below(5) + 1}`],
          [`-nr/${r.below(4) + 1}`],
          ['-nl/2/3'],
          ['-t:', '-l1'],
        ]),
        ...r.some(
          '-d|-x|-a3|-a1|-e|--additional-suffix=.z|--verbose|--numeric-suffixes=4|-u'.split('|'),
          2,
        ),
      ],
      { takes: 'one' },
    ),
    tree: true,
  }),
  csplit: (r) => ({
    ...onText(r, ['csplit'], { takes: 'one', kind: r.pick(['words', 'integers'] as const) }),
    files: { f: textOf(r, 'words', 20) },
    words: [
      'csplit',
      ...r.some(['-s', '-z', '-k', '-n3', '-b%d.x', '-f p', '--suppress-matched'], 2),
      'f',
      ...r.list(1, 3, () =>
        r.pick(['2', '4', '7', '/foo/', '/bar/+1', '/a/-1', '%b%', '/hello/', '{1}', '{2}', '{*}']),
      ),
    ],
    tree: true,
  }),
  tee: (r) => ({
    files: { f: anyText(r), b: 'old\n' },
    words: [
      'tee',
      ...r.some(['-a', '-i', '-p'], 1),
      ...r.pick([[], ['a'], ['a', 'b'], ['no/where', 'b']]),
    ],
    stdin: 'f',
    tree: true,
  }),
};

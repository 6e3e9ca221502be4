// The texts that programs are tried on, one byte a character: words, numbers, fields, prose, bytes.

import type { Random } from './random.ts';

export type Kind = keyof typeof kinds;

/** Lines of this kind, now and then none, or without the last newline. */
export function textOf(random: Random, kind: Kind, most = 12): string {
  if (random.once(25)) return '';
  const lines = random.list(1, most, () => kinds[kind](random));
  return lines.join('\n') + (random.once(8) ? '' : '\n');
}

/** Some kind of lines or other. */
export const anyText = (random: Random): string => {
  if (random.once(30)) return bytes(random);
  return textOf(random, random.pick(Object.keys(kinds) as Kind[]));
};

export const sortedText = (random: Random, kind: Kind): string => {
  const text = textOf(random, kind);
  return random.once(8) ? text : `${text.split('\n').filter(Boolean).sort().join('\n')}\n`;
};

const WORDS = [
  'a',
  'b',
  'ab',
  'abc',
  'foo',
  'Foo',
  'FOO',
  'bar',
  'baz',
  'x',
  'foobar',
  'hello',
  'World',
];

const kinds = {
  words: (random: Random): string =>
    random.once(7) ? '' : random.list(1, 4, () => random.pick(WORDS)).join(' '),
  word: (random: Random): string => random.pick(WORDS),
  numbers: (random: Random): string => number(random),
  integers: (random: Random): string => String(random.below(random.pick([5, 20, 1000, 1000000]))),
  fields: (random: Random): string => {
    const separator = random.once(4) ? random.pick([',', ' ', '\t', '::']) : ':';
    return random
      .list(1, 5, () => random.pick([random.pick(WORDS), number(random), '', ' ']))
      .join(separator);
  },
  columns: (random: Random): string =>
    random
      .list(1, 4, () => random.pick([random.pick(WORDS), number(random)]))
      .join(random.once(5) ? random.pick(['  ', '\t', ' \t ']) : ' '),
  tabs: (random: Random): string =>
    random.text(0, 12, ['a', 'bc', '\t', ' ', '  ', '        ', '.']),
  odd: (random: Random): string =>
    random.text(0, 10, [
      ...[
        'a',
        'B',
        ' ',
        '\t',
        '\\',
        '"',
        "'",
        '*',
        '.',
        '-',
        '%',
        '/',
        '&',
        '[',
        ']',
        '$',
        '^',
        '#',
      ],
      ...[
        '\xc3\xa9',
        '\xe6\xbc\xa2',
        '\xf0\x9f\x98\x80',
        '\xff',
        '\x01',
        '\x1b',
        '\x7f',
        '\r',
        '\f',
      ],
    ]),
  prose: (random: Random): string =>
    random.once(6)
      ? ''
      : random.pick(['', '', '  ', '    ']) +
        random
          .list(1, 14, () =>
            random.pick([...WORDS, 'sentence.', 'end.  Next', 'what?', 'comma,', '(so)']),
          )
          .join(' '),
  long: (random: Random): string =>
    random.pick(WORDS).repeat(random.pick([1, 3, 40, 400])) + (random.once(2) ? ' tail' : ''),
  versions: (random: Random): string =>
    random.pick(['file', 'v', '', 'a-', 'lib']) +
    random.list(1, 3, () => String(random.below(12))).join(random.pick(['.', '-', '~'])) +
    random.pick(['', '.c', '.tar.gz', '~', 'a', '.~1~']),
  sizes: (random: Random): string =>
    `${random.below(2000)}${random.pick(['', '', '.5', '.25'])}${random.pick(['', 'K', 'M', 'G', 'k', 'Ki', 'T'])}`,
  months: (random: Random): string =>
    `${random.pick(['', ' '])}${random.pick(['Jan', 'feb', 'MAR', 'Apr', 'dec', 'Nov', 'foo', 'Ma', 'January'])} ${random.below(9)}`,
} as const;

function number(random: Random): string {
  const sign = random.pick(['', '', '', '-', '+']);
  const lead = random.pick(['', '', '', ' ', '0', '00']);
  const fraction = random.pick(['', '', '', '.5', '.25', '.', '.100', 'e2', 'E-1', 'x']);
  return `${lead}${sign}${random.below(random.pick([10, 100, 10000]))}${fraction}`;
}

export function bytes(random: Random): string {
  const size = random.pick([1, 7, 16, 40, 100, 600]);
  return Array.from({ length: size }, () =>
    String.fromCharCode(random.once(3) ? random.pick([0, 10, 32, 65, 255]) : random.below(256)),
  ).join('');
}

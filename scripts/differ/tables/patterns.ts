// Programs with patterns and languages of their own: grep, awk, bc, expr, ed, diff.

import { anyText, type Kind, textOf } from '../inputs.ts';
import { onText, small, type Table } from '../maker.ts';
import type { Random } from '../random.ts';
import { pattern } from './pattern.ts';
import { sed } from './sed.ts';

const grep = (random: Random, name: string): ReturnType<Table[string]> => {
  const kind: Kind = random.pick(['words', 'odd', 'fields', 'prose']);
  const flavour =
    name === 'grep' ? random.pick(['-E', '-G', '', '-F']) : name === 'egrep' ? '-E' : '-F';
  const one = (): string =>
    flavour === '-F'
      ? random.pick(['a', 'foo', 'o b', '.', '', 'ab'])
      : pattern(random, flavour === '-E');
  const options = random.some(
    '-n|-c|-v|-i|-w|-x|-h|-H|-o|-b|-q|-s|-l|-L|-m 1|-m 2|-A 1|-B 1|-C 1|-A 2|-z|-a|--color=always|-T|--no-group-separator|--group-separator=XX|-Z|--line-buffered|--label=in|--binary-files=without-match|-y|-u'.split(
      '|',
    ),
    4,
  );
  const patterns = random.once(4)
    ? ['-e', one(), '-e', one()]
    : random.once(6)
      ? ['-f', 'pats']
      : [one()];
  const made = onText(
    random,
    [name, ...(name === 'grep' && flavour !== '' ? [flavour] : []), ...options, ...patterns],
    { kind },
  );
  return patterns[0] === '-f'
    ? { ...made, files: { ...made.files, pats: `${one()}\n${one()}\n` } }
    : made;
};

const bcLine = (random: Random): string => {
  const number = (): string =>
    random.pick('0|1|2|7|10|-3|1.5|.25|100.001|99999999999999999999|a|b'.split('|'));
  const expression = (depth: number): string =>
    depth === 0 || random.once(3)
      ? number()
      : random.pick([
          `(${expression(depth - 1)})`,
          `sqrt(${random.below(50)}.5)`,
          `length(${number()})`,
          `scale(${number()})`,
          `${expression(depth - 1)}^${random.below(4)}`,
          `${expression(depth - 1)} ${random.pick(['+', '-', '*', '/', '%', '<', '>=', '=='])} ${expression(depth - 1)}`,
        ]);
  return random.pick([
    expression(3),
    expression(2),
    `a = ${expression(2)}`,
    `b += ${number()}; b`,
    `scale = ${random.below(9)}`,
    `obase = ${random.pick(['2', '16', '10', '8', '20'])}; ${expression(1)}; obase = 10`,
    `ibase = 16; FF; ibase = A`,
    `for (i = 0; i < ${random.below(5)}; i++) i * ${number()}`,
    `if (${expression(1)} > 1) 5 else 6`.replace(' else 6', ''),
    'define f(x) { return x * x + 1 }',
    'define g(n) { if (n < 2) return 1; return n * g(n - 1) }',
    'f(3)'.replace('f', 'g'),
    'print "x", 1, "\\n"',
    '"text"',
    'while (a < 3) { a = a + 1; a }',
  ]);
};

const awkProgram = (random: Random): string => {
  const value = (): string =>
    random.pick([
      '$1',
      '$2',
      '$0',
      '$NF',
      'NR',
      'NF',
      'length($1)',
      'substr($0, 2, 3)',
      'x',
      '"s"',
      '1',
      '2.5',
      'toupper($1)',
      'index($0, "o")',
      '$1 + $2',
      '$1 $2',
      'x++',
      'a[$1]++',
      'NR % 2',
      '-$1',
      '!$1',
      '$1 ~ /o/',
      'match($0, /o+/) RSTART RLENGTH',
      'int($1)',
      'sprintf("%5.2f|%d|%s", $1, $1, $2)',
      'split($0, p, /o/) p[1]',
      '$1 < $2',
      '$1 == $2',
      '($1 > 5 ? "big" : "small")',
      'x = x $1',
      '2 ^ 3',
      '$1 / 3',
      '$1 % 3',
      'length()',
      'substr($1, 0)',
      'tolower($0)',
    ]);
  const action = (): string =>
    random.pick([
      `print ${value()}`,
      `print ${value()}, ${value()}`,
      `printf "%s:%s\\n", ${value()}, ${value()}`,
      `printf "%d %x %5s|%-5s|%e\\n", ${value()}, NR, ${value()}, ${value()}, $1`,
      `x = ${value()}; print x`,
      `gsub(/${pattern(random, true)}/, "<&>"); print`,
      `sub(/o/, "${random.pick(['0', '&&', '\\\\&'])}"); print $0`,
      `$2 = ${value()}; print; print NF`,
      `n += $1; print n`,
      `if (${value()}) print "yes"; else print "no"`,
      `for (i = NF; i > 0; i--) printf "%s ", $i; print ""`,
      `while (i++ < 3) { if (i == 2) continue; print i }`,
      `$${random.below(5)} = "new"; print`,
      `NF = ${random.below(4)}; print`,
      `getline; print`,
      `if (NR == 2) next; print "n", $0`,
      'nextfile',
      'delete a; a[1]; print length(a)',
    ]);
  const rule = (): string =>
    `${random.pick(['', 'NR == 2 ', 'NF ', '/o/ ', '$1 > 3 ', `/${pattern(random, true)}/ `, 'NR == 1, NR == 3 ', '!/a/ ', '/a/, /b/ ', '$2 ~ /^[a-f]/ '])}{ ${action()} }`;
  const end = random.pick(
    '||END { print NR, x, n }|END { print $0, NF }|END { for (k in a) c++; print c }'.split('|'),
  );
  return [
    random.pick([
      '',
      '',
      'BEGIN { FS = ":" }',
      'BEGIN { OFS = "-"; ORS = "|\\n" }',
      'BEGIN { RS = "" }',
      'BEGIN { print length("abc"), substr("hello", 2, 3), 1 / 4; CONVFMT = "%.2g" }',
    ]),
    ...random.list(1, 2, rule),
    end,
  ]
    .filter(Boolean)
    .join('\n');
};

const exprTokens = [
  '1',
  '2',
  '0',
  '-3',
  'abc',
  'foo',
  '',
  '10',
  '+',
  '-',
  '*',
  '/',
  '%',
  '<',
  '<=',
  '=',
  '!=',
  '>',
  '|',
  '&',
  ':',
  '(',
  ')',
  'a.*',
  '\\(b\\)',
  'length',
  'index',
  'substr',
  'match',
];

const edScript = (random: Random): string =>
  `${random.list(1, 6, () => random.pick(['p', 'n', '1,$p', '2d', '$d', 'a\nnew\nlines\n.', '1i\nfirst\n.', '2c\nchanged\n.', 's/o/0/', 's/a/<&>/gp', '1,$s/b/B/', 'g/foo/p', 'v/a/d', 'g/a/s//x/', '1m$', '2t0', '1,2j', '=', '$=', '/a/', '?b?', '+', '-', 'l', 'u', 'kx', "'xp", '.,$n', '1,2w out', 'r g', 'f', 'e', 'H', 'h', 'w', 'q', '2;+1p', '%p', ',n'])).join('\n')}\n`;

export const patternTable: Table = {
  grep: (r) => grep(r, 'grep'),
  egrep: (r) => grep(r, 'egrep'),
  fgrep: (r) => grep(r, 'fgrep'),
  sed,
  awk: (r) =>
    onText(r, ['awk', ...r.some(['-F:', '-F,', '-v x=3', '-F[ab]'], 1), awkProgram(r)], {
      kind: r.pick(['columns', 'fields', 'words', 'numbers'] as const),
    }),
  bc: (r) => ({
    files: { f: `${r.list(1, 6, () => bcLine(r)).join('\n')}\n` },
    words: ['bc', ...r.some(['-l', '-q', '-s'], 1)],
    stdin: 'f',
  }),
  expr: (r) => ({ files: {}, words: ['expr', ...r.list(1, 5, () => r.pick(exprTokens))] }),
  ed: (r) => ({
    files: { f: textOf(r, 'words'), g: 'G1\nG2\n', s: edScript(r) },
    words: ['ed', ...r.some(['-s', '-p*', '-v'], 1), 'f'],
    stdin: 's',
    tree: true,
  }),
  diff: (r) => {
    const f = r.text(0, 10, ['a\n', 'b\n', 'c\n', 'a b\n', 'A\n', '\n', '  a\n', 'x']);
    const lines = f
      .split(/(?<=\n)/)
      .flatMap((line) => r.pick([[line], [line], [line], [line, 'new\n'], [], ['other\n']]));
    const options = r.some(
      '-u|-c|-e|-n|-y|-b|-w|-i|-B|-q|-s|-U1|-U0|-C1|-a|--label=L|-E|-p|-t|--normal|-W 40'.split(
        '|',
      ),
      2,
    );
    const made = {
      files: { f, g: r.once(12) ? anyText(r) : lines.join('') },
      words: ['diff', ...options, 'f', 'g'],
    };
    return { ...made, setup: ["touch -d '2001-02-03 04:05:06' f g"] };
  },
  cmp: (r) => {
    const f = anyText(r);
    const at = r.below(f.length + 1);
    const g = r.pick([f, f.slice(0, at), `${f.slice(0, at)}Z${f.slice(at + 1)}`, anyText(r)]);
    return {
      files: { f, g },
      words: [
        'cmp',
        ...r.some(['-l', '-s', '-b', '-n 5', '-i 2', '-i 1:2', '-bl'], 2),
        'f',
        r.once(6) ? '-' : 'g',
        ...(r.once(6) ? [small(r), small(r)] : []),
      ],
      stdin: 'g',
    };
  },
  patch: (r) => {
    const f = r.text(3, 12, ['a\n', 'b\n', 'c\n', 'd\n', 'e\n', 'f g\n']);
    const g = f
      .split(/(?<=\n)/)
      .flatMap((line) => r.pick([[line], [line], [line], [line, 'new\n'], [], ['other\n']]))
      .join('');
    const off = r.pick([f, f, `head\n${f}`, `${f}tail\n`]);
    const options = r.some(['-R', '-b', '-s', '-N', '-o out', '--dry-run', '-f', '-p0'], 2);
    // The host makes the file of -o with --dry-run, too, and for a patch that is none.
    const isOdd = options.includes('--dry-run') || f === g;
    const named = options.includes('-o') && (isOdd || !r.once(2)) ? [] : options;
    const style = r.pick(['-u', '-c', '', '-u']);
    const file = r.pick([
      ['-i', 'p'],
      ['f', 'p'],
      ['f', '-i', 'p'],
    ]);
    const target = style === '' && named.includes('-o') ? ['f', 'p'] : file;
    return {
      files: { f, g, h: off },
      // The times that the heads tell are not those of the run.
      setup: ["touch -d '2001-02-03 04:05:06' f g", `diff ${style} f g > p`, 'mv h f'],
      words: ['patch', ...named, ...target],
      // A new file of -o has the mode of the host's temporary ones.
      tail: '; rm -f g p; [ ! -f out ] || chmod 644 out',
      tree: true,
    };
  },
};

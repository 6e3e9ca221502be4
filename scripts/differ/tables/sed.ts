// Scripts of sed: addresses, commands, those that people know by heart, and those that are refused.

import type { Case } from '../case.ts';
import { onText, small } from '../maker.ts';
import type { Random } from '../random.ts';
import { pattern } from './pattern.ts';

export function sed(r: Random): Omit<Case, 'program'> {
  const extended = r.once(2);
  const plain = r.once(5)
    ? r.pick(KNOWN)
    : sedScript(r, extended) + (r.once(3) ? '\n: e' : '') + (r.once(20) ? r.pick(WRONG) : '');
  // What D leaves begins again: with G it would go on for ever.
  const script = /G/.test(plain) ? plain.replace(/D$/gm, 'P') : plain;
  const options = r.some(OPTIONS, 2);
  const words = ['sed', ...(extended ? ['-E'] : []), ...options];
  const how = r.below(8);
  const given =
    how === 0
      ? ['-f', 'script']
      : how === 1 && !/\/.*\\$/m.test(script)
        ? script.split('\n').flatMap((line) => ['-e', line])
        : how === 2
          ? [`--expression=${script}`]
          : ['-e', script];
  const made = onText(r, [...words, ...given], {
    kind: r.pick(['words', 'fields', 'odd', 'prose', 'tabs'] as const),
  });
  const files = { g: 'G1\nG2\n', ...made.files };
  return {
    ...made,
    files: how === 0 ? { ...files, script: `${script}${r.once(3) ? '' : '\n'}` } : files,
    tree: true,
  };
}

const OPTIONS =
  '-n|-s|-z|-u|-i|-i.bak|-l 10|-l 1|-r|--quiet|--in-place=*.old|--sandbox|-ns|--null-data|--line-length=5|--separate'.split(
    '|',
  );

const ODD_COMMANDS = [
  ...[
    's/o/\\x26\\o46\\d038/',
    's/[\\n]/<&>/',
    's/a\\|b/[&]/3g',
    'y/\\/a/|b/',
    'y/a\\\\/b|/',
    's,o\\,,x,',
  ],
  ...[
    's/\\(.\\)\\(.\\)/\\2\\1/',
    's/.*/"&"/',
    's/^[ \\t]*//',
    's/x*/-/g',
    's/b*/&&/2',
    's/$/\\r/',
    's/a/x/gp;s/x/y/w out',
  ],
  ...[
    'l 0',
    'l 1',
    'l 5',
    'q5',
    'Q 2',
    'v',
    'W out',
    'w /dev/stdout',
    'r missing',
    'R missing',
    '# a comment',
  ],
  ...[
    '{;p;}',
    '{p;p}',
    'n;d',
    '$!N',
    'N;P;D',
    'a\\  text',
    'i\\\n  text\\\n more',
    'atext',
    'a\\text',
    'c\\',
    'i one\\two',
  ],
  ...[
    's/a/\\\n/',
    's/\\./\\//',
    's|a\\|b|x|',
    's/[/]/x/',
    's/[]/]/x/',
    'y/abc/\\n\\t\\\\/',
    's/a/b/;ta',
    ':a;s/^.\\{1,9\\}$/ &/;ta',
  ],
  ...[
    's/\\bo/X/g',
    's/o\\b/X/',
    's/\\w\\+/<&>/g',
    's/[[:upper:]]/(&)/2g',
    's/\\(o\\)*/x\\1/g',
    's/^/> /',
    's/\\`./X/M',
    "s/.\\'/X/M",
  ],
] as const;

/** One of these in a script of its own. */
const KNOWN = [
  ...[
    '$!N;$!D',
    '1!G;h;$!d',
    ':a;N;$!ba;s/\\n/,/g',
    '/./,/^$/!d',
    '$=',
    'n;n;s/./x/',
    '/a/,/b/{s/o/0/;p}',
    '0,/o/s//X/',
  ],
  ...[
    '/^$/d;G',
    '$!N;s/\\n/ /',
    '/foo/{x;p;x}',
    '$!{h;d};x;G',
    '/\\n/!G;s/\\(.\\)\\(.*\\n\\)/&\\2\\1/;//D;s/.//',
    ':x;s/^\\([^ ]*\\) /\\1_/;tx',
  ],
  ...[
    '2q',
    '$!d',
    '1~3d',
    'y/abcdefghij/ABCDEFGHIJ/',
    's/\\(^\\|[^0-9.]\\)\\([0-9]*\\)\\([0-9]\\{3\\}\\)/\\1\\2,\\3/g',
    '/o/!s/^/no /',
    '/o/I!d',
  ],
  ...[
    '#n\n/o/p',
    '#no\np',
    's/o/&\\n/;P;D',
    '2{N;N;s/\\n/+/g}',
    '$!N;/^\\(.*\\)\\n\\1$/!P;D',
    '1i\\\nhead\n$a\\\nfoot',
    '/a/c\\\nchanged',
    '2,4c\\\nall of them',
    '$!{2,3!d}',
  ],
  ...[
    '/a/b x;s/^/- /;:x;s/$/ ./',
    'p;x;p;x',
    'N;N;D',
    '1d;$d',
    '/a/I,/B/Ip',
    '2,1p',
    '3,/o/d',
    '/o/,3d',
    '/o/,+1d',
    '/o/,~2d',
  ],
] as const;

/** Refused, most of them. */
const WRONG = [
  ...[
    '\n{',
    '\n}',
    '\nk',
    '\nb missing',
    '\ns/a/b/gg',
    '\ns/a/b/pp',
    '\ns/a/b/0',
    '\ns/a/b',
    '\ns/\\(a/b/',
    '\ns/a/\\1/',
    '\ny/ab/c/',
  ],
  ...[
    '\n0p',
    '\n0,5p',
    '\n:',
    '\n+3p',
    '\n1~0p',
    '\na',
    '\nr',
    '\nw',
    '\np x',
    '\n1!!p',
    '\n1 ! p',
    '\n1,p',
    '\n1,2=',
    '\n1,2q',
    '\n/a',
    '\ns',
  ],
  ...[
    '\n1,2:x',
    '\n1}',
    '\ns/a/b/x',
    '\ny/a/b',
    '\ns/*/x/',
    '\ns/a\\{2/x/',
    '\ns/[a/x/',
    '\n//p',
    '\ns//x/',
    '\nl x',
    '\nq x',
    '\nw no/x',
    '\n1,2!{p',
    '\ns/a/b/2 3',
  ],
] as const;

const sedAddress = (random: Random): string => {
  const one = (): string =>
    random.pick([
      small(random),
      '$',
      `/${pattern(random, false)}/`,
      '/foo/I',
      '/b/',
      '2~3',
      '0~2',
      '\\,o,',
    ]);
  const two = (): string => random.pick([one(), `+${small(random)}`, `~${small(random)}`]);
  return (
    random.pick(['', '', one(), one(), `${one()},${two()}`, `${one()},${two()}`]) +
    (random.once(8) ? '!' : '')
  );
};

const sedCommand = (random: Random, extended: boolean, depth = 0): string => {
  const text = random.pick(['new', ' lead', 'two\\\nlines', 'a&b', '\\tx']);
  const flags = random.pick(['', '', 'g', '2', 'p', 'gI', '2g', 'i', 'w out', 'M', 'e'.slice(1)]);
  const replacement = random.pick('<&>|X||\\n|\\U&|\\l&\\E.|[&][&]|\\t&|a\\\nb'.split('|'));
  const body = random.pick([
    ...[`s/${pattern(random, extended)}/${replacement}/${flags}`, `s|o|${replacement}|${flags}`],
    ...'p|d|n|N|P|D|g|G|h|H|x|=|l|l 20|q|q 3|Q|z|F'.split('|'),
    ...[
      'y/abc/xyz/',
      'y/o\\n/0_/',
      `a ${text}`,
      `i\\\n${text}`,
      `c\\\n${text}`,
      `a\\\n${text}`,
      `c ${text}`,
      'r g',
      'w out',
      'R g',
      'b',
      't',
      'T',
      ': l',
      'be',
      'te',
    ],
    ...ODD_COMMANDS,
    ...(depth < 2 ? [`{${sedScript(random, extended, depth + 1)}\n}`] : []),
  ]);
  return `${/^[:}]/.test(body) ? '' : sedAddress(random)}${body}`;
};

const sedScript = (random: Random, extended: boolean, depth = 0): string =>
  random.list(1, depth === 0 ? 3 : 2, () => sedCommand(random, extended, depth)).join('\n');

// Corners of the shell language for the random scripts, words: what quotes do inside of expansions, field
// splitting, `$@` and `$*`, here-documents anywhere, arithmetic, patterns.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are parameters of the shell

import type { Random } from '../random.ts';

const VALUES = [
  "'a b'",
  'abc',
  "'  x  y '",
  "'a:b::c:'",
  "'*'",
  "''",
  "'a\\b'",
  "'}'",
  "'q\"r'",
  '7',
];

export const value = (r: Random): string => r.pick(VALUES);

const NAMES = ['p', 'q', 'e', 'u', '1', '2', '3', '9', '@', '*', '#'];

export const show = (words: string): string => `printf '<%s>' ${words}; echo`;

function expansion(r: Random, depth = 0): string {
  const deeper = (): string => (depth > 2 ? r.pick(['x', '$q', '"$p"']) : pieces(r, depth + 1));
  const name = r.pick(depth > 0 ? NAMES.slice(0, 8) : NAMES.slice(0, 10));
  const plain = name === '@' || name === '*';
  // Without parameters `$*` is unset, but not for dash.
  const operator = (): string => r.pick(plain ? [':-', ':+'] : ['-', ':-', '+', ':+']);
  return r.pick([
    () => `\${${name}${operator()}${deeper()}}`,
    () => `\${${name}${operator()}${deeper()}}`,
    () => `\${${plain ? 'p' : name}${r.pick(['#', '##', '%', '%%'])}${glob(r, depth + 1)}}`,
    () => `\${${r.pick(['p', 'u', 'e'])}${r.pick(['=', ':='])}${deeper()}}`,
    () => `\${#${r.pick(['p', 'q', 'e', '1', '2'])}}`,
  ])();
}

function pieces(r: Random, depth: number): string {
  const piece = (): string =>
    r.pick([
      () =>
        r.pick(['a', 'b c', "'s  t'", '"d  e"', '\\}', '\\"', "\\'", '\\$', '\\\\', ' ', '*', '~']),
      () => r.pick(['$p', '"$p"', '$q', '"$@"', '$*', '"$*"', '$1', '"$2"']),
      () => expansion(r, depth),
      () => `"${expansion(r, depth)}"`,
      () => `$(echo ${r.pick(['"a  b"', "'x y'", '$p', '"$q"', '")"', "'}'"])})`,
      () => `\`echo ${r.pick(['$p', '"$q"', 'z'])}\``,
      () => `$((${r.pick(['1+2', '${#p}', '7%4'])}))`,
    ])();
  return touching(r.list(1, 2, piece));
}

/** dash drops an empty last parameter in front of an expansion that comes to nothing. */
export const touching = (parts: readonly string[]): string =>
  parts.join('').replaceAll(/"\$@"(?=[$`])/g, `"$@"''`);

const glob = (r: Random, depth: number): string =>
  r
    .list(1, 2, () =>
      r.pick([
        () =>
          r.pick([
            '*',
            '?',
            'a',
            '[!a]',
            '[a-c]',
            '"*"',
            "'*'",
            '\\*',
            ':',
            '\\}',
            '"}"',
            '\\\\',
            ' ',
          ]),
        () =>
          r.pick([
            '$q',
            '"$q"',
            '"$p"',
            '${p%?}',
            '"${p%?}"',
            '[[:alpha:]]',
            '[[:space:]]*',
            '"$1"',
          ]),
        () => (depth > 2 ? 'x' : `\${q:-${glob(r, depth + 1)}}`),
      ])(),
    )
    .join('');

const setPq = (r: Random): string => `p=${value(r)} q=${value(r)} e=; unset u`;

export const nested = (r: Random): string => {
  const words = r.list(1, 2, () => {
    const one = expansion(r);
    return r.pick([one, `"${one}"`, `x${one}y`, `"x ${one} y"`, `${one}"$q"`]);
  });
  return `${setPq(r)}\n${show(words.join(' '))}${r.once(3) ? '; echo "[$p|$u|$e]"' : ''}`;
};

const IFS = ["' '", "':'", "' :'", "': '", "''", "'x'", "' x'", "'a'", "'\\'", "', \t'", "'*'"];

export const splitting = (r: Random): string => {
  const text = `'${r.text(0, 8, [' ', ' ', ':', ':', 'x', 'a', 'b', '\t', ',', '\\', '*'])}'`;
  const word = (): string =>
    r.pick([
      '$p',
      'a$p',
      '$p"b"',
      '"$p"',
      '$(echo "$p")',
      '${p}:',
      '${u-$p}',
      '${u- a:b }',
      '$p$q',
      "''$p",
      '$q',
    ]);
  const use = r.pick([
    () => show(`${word()} ${word()}`),
    () => `for i in ${word()}; do printf '[%s]' "$i"; done; echo`,
    () => `set -- ${word()} ${word()}; ${show('$# "$@"')}; ${show('"$*"')}; s=$*; ${show('"$s"')}`,
    () => `case ${word()} in *:*) echo colon;; *' '*) echo blank;; *) echo other;; esac`,
    () => `s=${word()}; ${show('"$s"')}`,
    () => `(unset IFS; ${show(word())})`,
  ])();
  return `(set -f; p=${text} q=${value(r)}; unset u; IFS=${r.pick(IFS)}; ${use})`;
};

export const lists = (r: Random): string => {
  const params = r.list(0, 3, () => value(r)).join(' ');
  const use = r.pick([
    ...[
      '"$@"',
      '"$*"',
      '$*',
      'a"$@"b',
      '"a $@ b"',
      '"a$*b"',
      '"$@$@"',
      '"${@}"',
      '"${*}"',
      '"$@""$@"',
    ],
    ...[
      '${1+"$@"}',
      '"${1+"$@"}"',
      '${*:+x}',
      '"${*:-none}"',
      '"${1-$*}"',
      '${u-"$@"}',
      '"${u:-$*}"',
    ],
  ]);
  const ifs = r.pick(['', '', "IFS=':'; ", 'IFS=; ', "IFS=' :'; ", 'unset IFS; ', "IFS='xy'; "]);
  const tail = r.pick([
    '',
    '; for i do printf "{%s}" "$i"; done; echo',
    '; for i in "$@"; do printf "(%s)" "$i"; done; echo',
    '; s="$*"; printf "%s\\n" "$s"',
    '; case "$*" in "a b"*) echo ab;; "") echo nil;; *) echo no;; esac',
    '; shift $(($# > 1)); printf "%s," "$#" "$*"; echo',
    '; cat <<E\n$* "$#" ${1-one} "${2:-two}"\nE\n:',
  ]);
  return `(set -f; unset u; set -- ${params}; ${ifs}${show(use)}${tail})`;
};

const hereBody = (r: Random): string =>
  r
    .list(1, 3, () =>
      r.pick([
        ...[
          'plain',
          '$p',
          '${p:-"q"}',
          "${u:-'single'}",
          '"quoted" $q',
          '\\$p \\\\ \\x \\`',
          '$((1+${#p}))',
        ],
        ...[
          '$(echo "in $p")',
          '`echo "$q"`',
          '\ttab',
          'con\\\ntinued',
          '${p#a}',
          '${u-a\\}b}',
          "it's",
          '${p%"b"}',
        ],
        ...['$(cat <<I\nnested $p\nI\n)', '$1 $# $*', 'E E', ' E', '${u:-\\"x\\"}', '"${p:-"x"}"'],
      ]),
    )
    .join('\n');

export const hereDocuments = (r: Random): string => {
  const end = r.pick(['E', 'E', "'E'", '"E"', '\\E']);
  const op = r.pick(['<<', '<<', '<<-']);
  const doc = (command: string, after = ''): string =>
    `${command} ${op}${end}${after}\n${hereBody(r)}\n${op === '<<-' ? r.pick(['', '\t', '\t\t']) : ''}E`;
  return `${setPq(r)}\n${r.pick([
    () => doc('cat'),
    () => `for i in 1 2; do\n${doc('cat', ' | sed "s/^/$i:/"')}\ndone`,
    () => `h() {\n${doc('cat')}\n}; h A B; p=other; h`,
    () => `v=$(${doc('cat')}\n); echo "$v"`,
    () => `while read -r l; do echo "[$l]"; ${doc('cat')}\nbreak; done <<X\nline one\nline two\nX`,
    () => `cat <<A; cat <<-B\nfirst $p\nA\n\tsecond $q\n\tB`,
    () => `cat <<A - <<B\nfirst\nA\nsecond $p\nB`,
    () => `if ${doc('cat', '; then echo yes; fi')}`,
    () => `cat 3<<A <&3\nby three $p\nA`,
    () => `echo $(${doc('cat')}\n) after`,
    () => `(\n${doc('cat', ' && echo and')}\n)`,
    () => `eval 'cat <<A\neval $p\nA\n'`,
    () => `case x in x) ${doc('cat')}\n;; esac`,
    () => `${doc('cat', ' >out')}\ncat out`,
    () => `${doc('{ read -r a; cat; echo "$a"; }')}`,
  ])()}`;
};

export const patterns = (r: Random): string => {
  const subject = r.pick([
    'a',
    'Z',
    '5',
    ' ',
    "'a b'",
    "'-'",
    "']'",
    "'*'",
    "'\\'",
    "''",
    '.x',
    'ab]',
    "'[a]'",
    '/a',
    '$q',
    '"$q"',
  ]);
  const part = (): string =>
    r.pick([
      ...[
        '[[:alpha:]]',
        '[[:digit:]]',
        '[![:space:]]',
        '[[:upper:][:digit:]]',
        '[]a]',
        '[!]a]',
        '[a-]',
        '[-a]',
        '[a\\]]',
      ],
      ...[
        '[\\a]',
        '[[:punct:]]',
        '*',
        '?',
        '\\*',
        '"*"',
        "'?'",
        '[*]',
        '["*"]',
        '[a',
        'a]',
        '[!a-y]',
        '$q',
        '"$q"',
        '\\\\',
      ],
      ...[
        '[[:blank:]]',
        '[[:lower:]]*',
        '[a"-"z]',
        "[a'-'z]",
        '.',
        '"."x',
        '""',
        '[]]',
        '[!]]',
        '[[]',
      ],
    ]);
  const arms = r.list(
    1,
    3,
    () =>
      `${r.once(3) ? '(' : ''}${r.list(1, 2, part).join('')}${r.once(3) ? `|${part()}` : ''}) echo ${r.below(9)};;`,
  );
  return r.pick([
    () => `q=${value(r)}\ncase ${subject} in\n${arms.join('\n')}\n*) echo none\nesac`,
    () =>
      `q=${value(r)} s=${subject}; ${show(`"\${s#${part()}}" "\${s%${part()}}" "\${s##${part()}*}" "\${s%%*${part()}}"`)}`,
    () =>
      `mkdir -p g/.h g/d; : >g/a >g/b.c >g/d/a >g/'x y' >g/.z; cd g; ${show(`${part()}* ${r.pick(['*/a', '*/', './*', '.*[!.]', '[!.]*', '*.c', '"*"', 'd/*', 'no*ne', '\\*'])}`)}; cd ..`,
  ])();
};

function expression(r: Random, depth = 0): string {
  const leaf = [
    'a',
    'b',
    '$a',
    '${b}',
    '0',
    '1',
    '2',
    '7',
    '010',
    '0x1f',
    '0XA',
    '-1',
    '100',
    '$(echo 3)',
    'c',
    '${#p}',
  ];
  if (depth > 2 || r.once(4)) return r.pick(leaf);
  const inner = (): string => expression(r, depth + 1);
  const binary = [
    '+',
    '-',
    '*',
    '<<',
    '>>',
    '<',
    '<=',
    '>',
    '>=',
    '==',
    '!=',
    '&',
    '^',
    '|',
    '&&',
    '||',
    '/',
    '%',
  ];
  return r.pick([
    () => `${inner()} ${r.pick(binary)} ${inner()}`,
    () => `${inner()}${r.pick(['+', '*', '-'])} ${inner()}`,
    () => `(${inner()})`,
    () =>
      `${r.pick(['-', '+', '!', '~', '- -', '!!'])}${r.pick(['a', '(b)', '5', `(${inner()})`])}`,
    () => `${inner()} ? ${inner()} : ${inner()}`,
    () => `${inner()} ? ${inner()} : ${inner()} ? ${inner()} : ${inner()}`,
    () =>
      `(${r.pick(['a', 'b', 'n'])} ${r.pick(['=', '+=', '-=', '*=', '|=', '&=', '^=', '<<=', '>>='])} ${inner()})`,
    () => `(a = b = ${inner()})`,
    () => `(${inner()} && (n = ${inner()}))`,
  ])();
}

export const arithmetic = (r: Random): string => {
  const text = expression(r);
  return r.pick([
    () => `(a=5 b=-3 c= p=xyz; n=; echo $((${text})); echo "$? $a $b \${n-}")`,
    () => `(a=010 b=0x10 c=; n=; p=; echo "$((${text}))" $((${expression(r)})); echo "$a $b")`,
    () =>
      `(a=1 b=2 c=3 n=0 p=; i=$((${text})); echo "$i"; [ "$((${text}))" -eq 0 ] && echo zero; echo "$a,$b")`,
    () => `(a='1 + 2' b=7 c= n=0 p=; echo $(($a * 2)) $(( ${expression(r, 2)} )))`,
    () => `(a=3 b=4; set -- $((a)) $((b)); IFS=3; echo $((a*b)) $((30+$1)) "$((30+$1))")`,
  ])();
};

// Random shell scripts: expansions with quotes in them, field splitting, here-documents, substitutions,
// compound commands, traps, `set -e`, redirections, getopts, read.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are parameters of the shell

import type { Table } from '../maker.ts';
import type { Random } from '../random.ts';
import { corner } from './shell-corners.ts';
import { touching } from './shell-expansions.ts';

export const shellTable: Table = {
  sh: (r) => ({
    files: {
      s: script(r),
      'a.txt': 'one two\nthree:four five\n',
      f1: 'x\n',
      'b b': 'blank\n',
    },
    words: ['sh', ...r.some(['-e', '-u', '-f', '-C'], 1), 's', 'A1', 'b 2'],
    vague: true,
    whole: true, // without its script it would be another shell
    keep: 's',
  }),
};

const NAMES = ['v', 'w', 'x', 'unset_', 'empty'];
const DEPTH_MOST = 3;

function script(r: Random): string {
  const values = ["'a b'", 'abc', "':x: y :'", "' lead'", "'*.txt'", "''", '7', "'a\\b'", "'q\"r'"];
  const first = `v=${r.pick(values)} w=${r.pick(values)} x=${r.pick(['3', '0', '010', '-5'])} empty=`;
  const ifs = r.once(3) ? [`IFS=${r.pick(["':'", "' :'", "''", "'x '", "','"])}`] : [];
  return [first, ...ifs, ...r.list(2, 6, () => statement(r, 0)), 'echo "end $?"', ''].join('\n');
}

function statement(r: Random, depth: number): string {
  const simple = [output, output, output, assignment, redirection, hereDocument, reading];
  const compound = [conditional, loop, choice, grouping, piped, calls, trapping, strict, options];
  if (r.once(3)) return corner(r);
  const deep = depth < DEPTH_MOST && !r.once(3);
  const made = r.pick(deep ? [...compound, output, jobs] : simple)(r, depth + 1);
  if (r.once(8)) return `${made}\necho "s$?"`;
  return made;
}

const body = (r: Random, depth: number): string =>
  r.list(1, 2, () => statement(r, depth)).join('\n');

/** A word of pieces that touch: quoted, not quoted, expanded. */
function word(r: Random, depth: number): string {
  return touching(r.list(1, 3, () => piece(r, depth)));
}

function piece(r: Random, depth: number): string {
  const plain = ['a', 'b1', ':', 'c:d', '-', "'q  r'", '"d  e"', '\\ ', '\\*', "''", '""', '.txt'];
  const special = [
    '$#',
    '$?',
    '"$@"',
    '"$*"',
    '$1',
    '"$2"',
    '${3}',
    '$*',
    '~',
    '*.txt',
    'f?',
    '[ab]*',
  ];
  if (depth > DEPTH_MOST) return r.pick([...plain, '$v', '"$w"']);
  return r.pick([
    () => r.pick(plain),
    () => r.pick(special),
    () => `$${r.pick(NAMES)}`,
    () => `"$${r.pick(NAMES)}"`,
    () => parameter(r, depth),
    () => parameter(r, depth),
    () => `"${parameter(r, depth)}"`,
    () => `"a${parameter(r, depth)} b"`,
    () => `$(${substituted(r, depth)})`,
    () => `"$(${substituted(r, depth)})"`,
    () => `$((${arithmetic(r, 0)}))`,
    () => `\`echo ${r.pick(NAMES.map((name) => `$${name}`))}\``,
  ])();
}

function parameter(r: Random, depth: number): string {
  const name = r.pick([...NAMES, '1', '2', '9']);
  const operand = (): string => (r.once(4) ? '' : word(r, depth + 2));
  const pattern = (): string =>
    r.pick([
      '*',
      '?',
      'a*',
      '*b',
      '[!a]',
      '"*"',
      '\\*',
      '* ',
      ':*',
      '*:',
      '$w',
      '"$w"',
      "'a'*",
      '[a-c]',
    ]);
  return r.pick([
    () => `\${${name}}`,
    () => `\${#${name}}`,
    () => `\${${name}${r.pick(['-', ':-', '+', ':+'])}${operand()}}`,
    () => `\${${r.pick(NAMES)}${r.pick(['=', ':='])}${operand()}}`,
    () => `\${${name}${r.pick(['#', '##', '%', '%%'])}${pattern()}}`,
  ])();
}

const substituted = (r: Random, depth: number): string =>
  r.pick([
    () => `echo ${word(r, depth + 1)}`,
    () => `printf '%s\\n' ${word(r, depth + 1)} ${word(r, depth + 1)}`,
    () => `cat a.txt`,
    () => `v=inner; echo "$v"`,
    () => `false; echo $?`,
    () => `printf 'x\\n\\n\\n'`,
    () => `case a in a) echo case;; esac`,
    () => `echo $(echo ${word(r, depth + 2)})`,
    () => `set -- p q; echo "$#$1"`,
  ])();

function arithmetic(r: Random, depth: number): string {
  if (depth > 1 || r.once(3)) return r.pick(['x', '$x', '1', '2', '010', '0x1F', '${#v}', '7']);
  const inner = (): string => arithmetic(r, depth + 1);
  return r.pick([
    () =>
      `${inner()} ${r.pick(['+', '-', '*', '&', '|', '^', '<', '<=', '==', '!=', '&&', '||'])} ${inner()}`,
    () => `(${inner()})`,
    () => `${r.pick(['-', '!', '~', '+'])} ${inner()}`,
    () => `${inner()} ? ${inner()} : ${inner()}`,
    () => `x ${r.pick(['=', '+=', '-=', '*='])} ${inner()}`,
    () => `${inner()} ${r.pick(['/', '%', '<<', '>>'])} ${r.pick(['1', '2', '3', '4'])}`,
  ])();
}

const fields = (r: Random, depth: number): string =>
  `printf '<%s>' ${r.list(1, 3, () => word(r, depth)).join(' ')}; echo`;

function output(r: Random, depth: number): string {
  return r.pick([
    () => fields(r, depth),
    () => fields(r, depth),
    () => `echo ${word(r, depth)} ${word(r, depth)}`,
    () => `for i in ${word(r, depth)} ${word(r, depth)}; do printf '[%s]' "$i"; done; echo`,
    () =>
      `set -- ${word(r, depth)} ${word(r, depth)}; echo $# "$1"; shift; printf '{%s}' "$@"; echo`,
    () => `eval "echo \\${r.pick(['$v', '"$w"', '$x'])} ${r.pick(['a', "'b  c'", '\\$#'])}"`,
    () => `test ${condition(r)} && echo yes || echo no`,
  ])();
}

const condition = (r: Random): string =>
  r.pick([
    ...['"$v" = "$w"', '-n "$v"', '-z "$empty"', '"$x" -gt 2', '-f f1', '! -e nosuch', '-d .'],
    ...['"$v" != abc', '"$x" -eq 3 -o -f nosuch', '-r f1 -a -n "$w"', '"$v"', '"$empty"', '-s f1'],
  ]);

const assignment = (r: Random, depth: number): string =>
  r.pick([
    () => `${r.pick(NAMES)}=${word(r, depth)}`,
    () => `v=${word(r, depth)} w=$v; echo "$v|$w"`,
    () => `v=${word(r, depth)} eval 'echo "$v"'; echo "$v"`,
    () => `w=temp sh -c 'echo "$w"'; echo "$w"`,
    () => `export v; sh -c 'echo "$v"'`,
    () => `unset w; echo "\${w-none}"; w=again`,
    () => `(readonly v; v=2; echo not reached) ; echo "$v"`,
    () => `IFS=${r.pick(["':'", "' '", "' :x'"])}`,
    () => `x=$((${arithmetic(r, 0)})); echo $x`,
  ])();

const redirection = (r: Random, depth: number): string =>
  r.pick([
    () => `echo ${word(r, depth)} > out; cat out`,
    () => `{ echo one; echo two >&2; } > out 2>&1; cat out`,
    () => `{ echo one >&3; echo two; } 3> three > two; cat three two`,
    () => `exec 3> log; echo hidden >&3; exec 3>&-; cat log`,
    () => `exec 4< a.txt; read -r v <&4; read -r w <&4; exec 4<&-; echo "$v|$w"`,
    () => `cat < nosuch; echo "c$?"`,
    () => `echo a >> log; echo b >> log; cat log; rm -f log`,
    () => `: > out; cat < out; echo x 1<> out; cat out`,
    () => `(echo sub; exit 3) > out; echo $?; cat out`,
    () => `echo closed >&9; echo "d$?"`,
  ])();

function hereDocument(r: Random, depth: number): string {
  const lines = r.list(1, 3, () =>
    r.pick([
      () => `text ${parameter(r, depth)} "q"`,
      () => `$(${substituted(r, depth)}) \\$v \\\\ \`echo b\``,
      () => `$((${arithmetic(r, 0)})) 'single' $v`,
      () => `\tindented $w`,
      () => `joined \\\nline`,
    ])(),
  );
  const [operator, quoted] = [r.pick(['<<', '<<-']), r.once(3)];
  const command = r.pick(['cat', 'while read -r l; do echo "l:$l"; done', 'cat; echo after']);
  const place = command.startsWith('cat;') ? `{ ${command}; }` : command;
  return `${place} ${operator}${quoted ? "'E'" : 'E'}\n${lines.join('\n')}\nE`;
}

function reading(r: Random): string {
  const ifs = r.pick(['', 'IFS=: ', 'IFS= ', "IFS=' :' ", 'IFS=x ']);
  const names = r.pick(['a', 'a b', 'a b c']);
  const line = r.pick([
    'one two three',
    ' lead  and trail ',
    'a:b:c:d',
    '::',
    'x y:z',
    'back\\slash',
    '',
  ]);
  return `unset a b c\n${ifs}read -r ${names} <<'E'\n${line}\nE\necho "r$?"; printf '{%s}' "$a" "\${b-}" "\${c-}"; echo`;
}

const conditional = (r: Random, depth: number): string => {
  const test = r.pick([
    () => `[ ${condition(r)} ]`,
    () => `test ${condition(r)}`,
    () => r.pick(['true', 'false', '! true', 'false || true', 'true && false', '(exit 2)', ':']),
    () => `echo "$v" | grep -q a`,
  ])();
  const otherwise = r.once(2) ? `else\n${body(r, depth)}\n` : '';
  return `if ${test}; then\n${body(r, depth)}\n${otherwise}fi`;
};

function loop(r: Random, depth: number): string {
  const leave = r.pick(['', '', '[ $n -eq 2 ] && break', '[ $n -eq 1 ] && continue']);
  const counter = `n${depth}`;
  const inner = leave.replaceAll('$n', `$${counter}`);
  const counted = `${counter}=$((${counter}+1))\n${inner}\n${body(r, depth)}`;
  return r.pick([
    () => `${counter}=0\nwhile [ $${counter} -lt 3 ]; do\n${counted}\ndone`,
    () => `${counter}=0\nuntil [ $${counter} -ge 2 ]; do\n${counted}\ndone`,
    () => `${counter}=0\nfor i in ${word(r, depth)} z; do\n${counted}\ndone`,
    () => `for i do echo "p:$i"; done`,
    () =>
      `for i in 1 2; do for j in a b; do [ $j = b ] && ${r.pick(['break', 'continue'])} 2; echo $i$j; done; done`,
  ])();
}

function choice(r: Random, depth: number): string {
  const pattern = (): string =>
    r.pick([
      'a*',
      '*b',
      '?',
      '[a-c]*',
      '"*"',
      '$w',
      '"$w"',
      '*',
      '\\*',
      "'a b'",
      '[!x]*',
      "''",
      'abc|7',
    ]);
  const arms = r.list(1, 3, () => `${r.once(3) ? '(' : ''}${pattern()}) ${body(r, depth)};;`);
  return `case ${word(r, depth)} in\n${arms.join('\n')}\nesac`;
}

const grouping = (r: Random, depth: number): string =>
  r.pick([
    () => `(\n${body(r, depth)}\n)`,
    () => `{\n${body(r, depth)}\n}`,
    () => `(\nv=changed; exit ${r.below(4)}\n)\necho "$? $v"`,
    () => `{ ${fields(r, depth)}; } && echo and || echo or`,
    () => `! { ${fields(r, depth)}; }; echo $?`,
    () => `(cd / && pwd); (\nset -- new; echo "$1"\n); echo "$#"`,
  ])();

const piped = (r: Random, depth: number): string =>
  r.pick([
    () => `echo ${word(r, depth)} | cat`,
    () =>
      `printf '%s\\n' ${word(r, depth)} ${word(r, depth)} | while read -r a b; do echo "$a+$b"; done`,
    () => `cat a.txt | { read -r l; echo "first $l"; cat; }`,
    () => `{\n${body(r, depth)}\n} | sed 's/^/| /'`,
    () => `(exit 3) | true; echo "p$?"; true | (exit 4); echo "p$?"`,
    () => `v=out; echo in | read -r v; echo "\${v:+set}"`,
  ])();

const calls = (r: Random, depth: number): string => {
  const name = `f${depth}`;
  const result = r.pick(['', `return ${r.below(3)}`, 'return', '[ $# -gt 1 ] && return 7']);
  const call = `${name} ${word(r, depth)} ${word(r, depth)}`;
  const use = r.pick([call, `${call} && echo ok`, `v=$(${call}); echo "$v"`, `${call} | cat`]);
  return `${name}() {\n${body(r, depth)}\necho "$# $1"\n${result}\n}\n${use}\necho "f$?"`;
};

const trapping = (r: Random, depth: number): string => {
  const action = r.pick(["'echo bye'", `'echo "bye $?"'`, '\'echo "$v"; exit 5\'', "''", '-']);
  const how = r.pick(['', 'exit 3', 'false', 'kill -s USR1 $$', 'exec echo replaced']);
  return r.pick([
    () =>
      `(\ntrap ${action} EXIT\n${body(r, depth)}\n${how.startsWith('kill') ? '' : how}\n)\necho "t$?"`,
    () => `sh -c "trap 'echo caught' USR1; ${how.replace('$$', '\\$\\$')}; echo go on"\necho "t$?"`,
    () => `trap 'echo at the end' EXIT`,
    () => `(trap 'echo one' EXIT; trap - EXIT; echo none)`,
  ])();
};

const strict = (r: Random, depth: number): string =>
  r.pick([
    () => `(set -e\n${body(r, depth)}\nfalse\necho not reached\n)\necho "e$?"`,
    () =>
      `(set -e; if false; then :; fi; false || true; ! true; echo reached; (exit 2); echo not)\necho "e$?"`,
    () => `(set -e; f() { false; echo in f; }; f && echo f; f; echo not)\necho "e$?"`,
    () => `(set -e; v=$(false); echo not)\necho "e$?"`,
    () => `(set -u; echo "\${unset_-fine}"; echo $unset_; echo not)\n[ $? -ne 0 ] && echo unset`,
    () => `(set -f; echo *; set +f; echo *.txt)`,
    () => `(set -C; echo a > new; echo b > new; echo "n$?"; echo c >| new; cat new)`,
    () => `(set -e\n${body(r, depth)}\n) || echo failed`,
  ])();

const options = (r: Random): string => {
  const spec = r.pick(['ab:c', ':ab:', 'a', ':x:y']);
  const given = r.pick([
    '-a -b val rest',
    '-abval',
    '-c',
    '-b',
    '-z -a',
    '-a -- -b',
    '-x1 -y 2',
    '',
  ]);
  return `OPTIND=1\nset -- ${given}\nwhile getopts ${spec} o; do echo "$o:\${OPTARG-}"; done\necho "$OPTIND"; shift $((OPTIND-1)); echo "rest $*"`;
};

const jobs = (r: Random, depth: number): string =>
  r.pick([
    () => `(exit ${r.below(5)}) & wait $!; echo "w$?"`,
    () => `{ echo ${word(r, depth)}; } > bg & wait; cat bg`,
    () => `sleep 60 & kill $!; wait $!; echo "k$?"`,
    () => `wait; echo "w$?"`,
  ])();

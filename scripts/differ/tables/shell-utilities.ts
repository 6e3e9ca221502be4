// Corners of the shell language for the random scripts, what stands beside it: getopts, read, descriptors,
// jobs, printf, test, substitutions.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are parameters of the shell

import type { Random } from '../random.ts';
import { value } from './shell-expansions.ts';

export const optionWords = (r: Random): string => {
  const spec = r.pick(['ab:c', ':ab:', 'a', ':x:y', 'ab:cd:', ':', 'n:']);
  const given = r.list(0, 4, () =>
    r.pick([
      '-a',
      '-b',
      '-bval',
      '-ab',
      '-c',
      '--',
      '-',
      'word',
      '-z',
      '-x1',
      "''",
      '-n',
      '5',
      '-b -c',
      "'-b '",
    ]),
  );
  return `(OPTIND=1; set -- ${given.join(' ')}\nwhile getopts ${spec} o 2>/dev/null; do echo "$o:\${OPTARG-}"; done\necho "$o:$OPTIND"; shift $((OPTIND-1)); echo "rest $*")`;
};

export const reading = (r: Random): string => {
  const line = r.text(0, 9, ['a', 'b', ' ', ' ', ':', '\\\\', '\\ ', '\\:', 'x', '\t', '\\n', ',']);
  const ifs = r.pick(['', 'IFS=: ', 'IFS= ', "IFS=' :' ", "IFS=',:' ", 'IFS=x ', "IFS=' x' "]);
  const names = r.pick(['m', 'm n', 'm n o', 'm n o k']);
  const input = `<<'E'\n${line}x\nsecond \\\nline\nE`;
  return r.pick([
    () =>
      `unset m n o k; ${ifs}read ${names} ${input}\necho "r$?"; printf '{%s}' "$m" "\${n-}" "\${o-}" "\${k-}"; echo`,
    () =>
      `unset m n o k; ${ifs}read -r ${names} ${input}\necho "r$?"; printf '{%s}' "$m" "\${n-}" "\${o-}" "\${k-}"; echo`,
    () => `while ${ifs}read m n; do echo "$m/$n"; done ${input}`,
    () => `{ ${ifs}read m; read -r n; echo "$m|$n"; read o; echo "$? $o"; } ${input}`,
    () => `printf '%s' '${line.replaceAll("'", '')}' | { read m n; echo "$? $m|$n"; }`,
    () => `while read -r m; do case $m in second*) continue;; esac; echo "$m"; done ${input}`,
    () => `exec 5<<'E'\none\ntwo \\\nthree\nE\nread m <&5; read n <&5; exec 5<&-; echo "$m+$n"`,
    () => `echo 'a b c' | while read m n; do read o; echo "$m $n $o $?"; done; echo "\${m-}"`,
  ])();
};

export const descriptors = (r: Random): string =>
  r.pick([
    () => `{ echo a; echo b >&3; } 3>&1 >out | cat; cat out`,
    () => `(exec 3>&1 >out; echo hid; echo seen >&3; exec >&3 3>&-; echo back); cat out`,
    () =>
      `exec 6>six; echo one >&6; (echo two >&6; exec 6>&-; echo three >&6); echo four >&6; exec 6>&-; cat six`,
    () =>
      `exec 7<a.txt; while read -r l <&7; do echo "7:$l"; done; exec 7<&-; read -r l <&7; echo "$?"`,
    () =>
      `f() { echo out; echo err >&2; }; f 2>&1 >/dev/null | sed 's/^/e:/'; { f 2>&3 | cat; } 3>errs; cat errs`,
    () => `echo x 3>t3 4>t4 >&3; cat t3 t4; echo y >&${r.pick(['5', '8', '1'])}; echo "r$?"`,
    () => `if echo c; then echo d; fi >out 2>&1; for i in 1 2; do echo $i; done >>out; cat out`,
    () => `while read -r l; do echo "$l" >&4; done <a.txt 4>out; cat out`,
    () => `{ exec 3<f1; read -r a <&3; echo "$a"; } 3<a.txt; read -r b <&3; echo "b$?"; exec 3<&-`,
    () => `(: > ro; exec 3<ro; echo w >&3; echo "w$?"); (exec 3>ro; cat <&3; echo "c$?")`,
    () => `f() { echo inside; return 3; } >out; f; echo "$?"; cat out`,
    () => `(exec >nosuchdir/x; echo no); echo "e$?"; (exec 3<nosuch; echo no); echo "e$?"`,
    () => `(command exec 3<nosuch; echo "yes $?"); { echo a; } >nosuchdir/x; echo "r$?"`,
    () => `> out; >> out < a.txt; 2>e1 cat nosuch; [ -s e1 ] && echo told; <f1 cat`,
    () =>
      `echo abcdef >rw; { echo XY; } 1<>rw; cat rw; exec 3<>rw; read -r l <&3; echo more >&3; exec 3>&-; cat rw`,
    () =>
      `(set -C; : >nc; : >nc; echo "$?"; : >|nc; echo "$?"; : >>nc; echo "$?"; : >/dev/null; echo "$?")`,
    () =>
      `n=3; echo ${r.pick(['a$n>out', '"3">out', '3 >out', '\\3>out', '3>out', '$n>out'])}; cat out`,
    () => `{ v=$(echo o2; echo e2 >&2); } 2>e2; echo "$v"; cat e2`,
    () =>
      `(exec echo replaced; echo no); (exec nosuchprogram; echo no); echo "x$?"; (exec >out; exec echo to file); cat out`,
    () =>
      `sh -c 'echo sub; exec 1>&-; echo lost' 2>/dev/null; echo "c$?"; sh -c 'exec 2>&-; nosuch; echo "n$?"'`,
  ])();

export const jobs = (r: Random): string =>
  r.pick([
    () => `(exit ${r.below(9)}) & p=$!; wait $p; echo "w$?"`,
    () => `{ sleep 0.1; exit 3; } & p=$!; (exit 4) & wait $p; echo "a$?"; wait $!; echo "b$?"`,
    () => `true & false & wait; echo "w$?"; wait 99999; echo "n$?"`,
    () =>
      `sleep 30 & p=$!; kill -${r.pick(['TERM', 'KILL', 'HUP', 'USR1', '9'])} $p; wait $p; echo "k$?"`,
    () => `echo in | { cat; } > out & wait $!; cat out`,
    () => `f() { echo bg; return 6; }; f > out & wait $!; echo "f$?"; cat out`,
    () => `(sleep 0.1; echo late) > out & (wait; echo early); wait; cat out`,
    () => `v=1; v=2 & wait; echo "$v"; { v=3; } & wait; echo "$v"`,
    () => `cat & wait $!; echo "c$?"; read -r x & wait $!; echo "r$?"`,
    () => `v=$(sleep 0.1 & echo "bg"); echo "$v"; v=$( (sleep 0.1; echo x) & echo y); echo $v`,
    () =>
      `set -- a b; (echo "$*" > out; exit 2) & wait $!; echo "$?"; cat out; [ -n "$!" ] && echo pid`,
    () => `(exit 3) | (exit 4) | true & wait $!; echo "p$?"; ! false & wait $!; echo "n$?"`,
    () => `true && (exit 5) & wait $!; echo "l$?"; false || echo or > out & wait; cat out`,
    () =>
      `sh -c 'trap "echo usr" USR1; (sleep 0.1; kill -USR1 $$; sleep 0.2) & p=$!; wait $p; [ $? -gt 128 ] && echo sig; wait $p; trap - USR1'`,
    () =>
      `sleep 0 & wait $! && echo ok; kill -0 $! 2>/dev/null || echo gone; kill -0 $$ && echo here`,
  ])();

export const printing = (r: Random): string => {
  const text = r.text(0, 5, [
    'a',
    '\\n',
    '\\t',
    '\\\\',
    '\\0101',
    '\\101',
    '\\c',
    'b',
    '%',
    ' ',
    '\\0',
    '\\1',
    '\\012',
    '\\x',
  ]);
  const args = r.list(0, 3, () =>
    r.pick([
      '1',
      '-7',
      '010',
      '0x1F',
      "''",
      'abc',
      "'a b'",
      "'\\ta'",
      '"\'A"',
      "'\"B'",
      '3.7',
      '+5',
      "' 5'",
      '99',
    ]),
  );
  return r.pick([
    () => `printf '[%b]' '${text.replace('\\x', 'x')}'; echo "|$?"`,
    () =>
      `printf '${text
        .replaceAll('%', '%%')
        .replace(/\\[cx]/g, '')
        .replaceAll('\\0', '\\060')}|\\n'; echo "$?"`,
    () =>
      `printf '%${r.pick(['', '-', '0', '+', ' ', '#'])}${r.pick(['', '5', '12'])}${r.pick(['', '.3', '.0'])}${r.pick(['d', 'i', 'o', 'u', 'x', 'X'])};' ${args.join(' ')} 2>/dev/null; echo "$?"`,
    () =>
      `printf '%${r.pick(['', '-'])}${r.pick(['', '6', '*'])}${r.pick(['', '.2', '.0'])}s|%c.' ${args.join(' ')} 2>/dev/null; echo "$?"`,
    () => `printf '%s-%s\\n' ${args.join(' ')}; printf 'none\\n' ${args.join(' ')}`,
    () => `echo '${text.replace(/\\[1x]/g, '')}'; echo -n x; echo - -n; echo`,
    () =>
      `printf '%s %d%%\\n' ${args.join(' ')} 2>/dev/null; printf -- '--\\n'; printf '%5b|%-5b|%.1b\\n' 'a\\tb' x yz`,
  ])();
};

export const testing = (r: Random): string => {
  const word = (): string =>
    r.pick([
      "''",
      'a',
      'b',
      '1',
      '2',
      '-f',
      '-n',
      '-z',
      '!',
      "'('",
      "')'",
      '=',
      '!=',
      '-eq',
      '-a',
      '-o',
      'f1',
      '-d',
      '.',
      '01',
      "' 1'",
      '-e',
      '-lt',
      '"$p"',
      '"$u"',
      '-t',
      '0',
      '\\<',
      '\\>',
      '-s',
      '-x',
      '-h',
    ]);
  const shape = r.pick([
    () => r.list(0, 4, word).join(' '),
    () => `! ${word()} ${r.pick(['=', '!=', '-eq', '-a', '-o'])} ${word()}`,
    () => `'(' ${word()} ')'`,
    () => `${word()} ${r.pick(['=', '!=', '-lt', '-ge', '-eq', '-ne', '-gt', '-le'])} ${word()}`,
    () =>
      `${r.pick(['-f', '-d', '-e', '-s', '-r', '-w', '-x', '-L', '-p', '-S', '-c', '-b', '-u', '-g', '-n', '-z'])} ${r.pick(['f1', '.', 'nosuch', '/dev/null', "''", '/', '"$p"'])}`,
    () =>
      `${r.pick(['-n a', '-z ""', 'a', '""', '! -f f1'])} ${r.pick(['-a', '-o'])} ${r.pick(['-n ""', '-z b', 'x', "''", '1 -eq 1'])}`,
  ])();
  return `p=${value(r)}; unset u; test ${shape} 2>/dev/null; echo $?; [ ${shape} ] 2>/dev/null && echo true`;
};

export const substitutions = (r: Random): string =>
  r.pick([
    () =>
      `echo $((1+2)) $( (echo sub) ) $( ( (echo two) ) ) "$( (echo no); echo yes)" ; echo $(((1)+(2)))`,
    () => `echo $( (exit 3); echo $? ) $( ( : ); echo a)`,
    () => `v=$(case a in a) echo one;; (b) echo two;; esac); echo "$v"`,
    () => `v=$(echo ')' '"' # comment ) here\n); echo "$v"`,
    () => `v=$(cat <<E\nit's ) a "doc\nE\n); echo "$v"`,
    () => `echo "$(echo "$(echo "a  b")" 'c  d')" $(echo "$(echo "a  b")")`,
    () =>
      'echo `echo \\`echo nested\\`` "`echo \\"q  q\\"`" `echo \'\\$HOME\'` "`echo \'\\\\\\\\\'`"',
    () => `v=\`printf 'a\\n\\n'\`x; echo "$v"; v=$(printf '\\n\\na\\n\\n')y; echo "$v"`,
    () =>
      `echo a$(:)b"$(:)"c; set -- $(:) "$(:)"; echo $#; v=$(exit 4); echo $?; v=$(exit 4) :; echo $?; echo $(exit 5) $?`,
    () => `f() { echo "f $(f2 "$1") $?"; }; f2() { echo "<$1>"; return 3; }; f 'x  y'`,
    () =>
      `v=a; echo $(v=b; echo $v) $v; cd . ; echo $(cd /; pwd) | tr -d '\\n'; echo; x=$(set -- 1 2 3; echo $#); echo "$x $#"`,
    () =>
      `if v=$(false); then echo y; else echo "n$?"; fi; v=$(true) w=$(false); echo $?; v=$(false) w=$(true); echo $?`,
    () =>
      `eval "v=\\$(echo \\"a  b\\")"; echo "$v"; eval echo '"$(echo "x  y")"'; eval 'echo $(('3+4'))'`,
    () =>
      `$(echo echo) $(echo "a  b" "'c d'"); $(echo) echo empty; "$(echo)" 2>/dev/null || echo "r$?"; $(exit 3); echo $?; $(exit 3) true; echo $?`,
  ])();

// Corners of the shell language for the random scripts, control: `set -e` and `-u`, traps, dot scripts,
// errors of special built-ins, aliases, functions, loops.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are parameters of the shell

import type { Random } from '../random.ts';

export const errexit = (r: Random): string => {
  const fails = r.pick([
    'false',
    '(exit 3)',
    '{ false; }',
    'test -f nosuch',
    'f',
    'v=$(false)',
    '! true',
    'false | true',
    'true | false',
    '(false; echo in)',
    'eval false',
    'command false',
    'cat nosuch',
    'v=1 false',
    'false > out',
    'return 1',
    ': $(false)',
    'echo $(false; echo x)',
    'export v=$(false)',
    'false &',
    'f && true',
    'f || true',
    'false && true',
    'sh -c "exit 4"',

    'nosuchcommand',
  ]);
  const place = r.pick([
    (c: string) => c,
    (c: string) => `if ${c}; then echo then; else echo else; fi`,
    (c: string) => `while ${c}; do echo loop; break; done`,
    (c: string) => `until ${c}; do echo until; break; done`,
    (c: string) => `${c} && echo and`,
    (c: string) => `${c} || echo or`,
    (c: string) => `! { ${c}; }`,
    (c: string) => `{ ${c}; echo brace; } || echo caught`,
    (c: string) => `( ${c}; echo sub )`,
    (c: string) => `( ${c}; echo sub ) || echo caught`,
    (c: string) => `g() { ${c}; echo g; }; g`,
    (c: string) => `g() { ${c}; echo g; }; if g; then echo ok; fi`,
    (c: string) => `g() { ${c}; echo g; }; v=$(g); echo "$v"`,
    (c: string) => `for i in 1 2; do ${c}; echo $i; done`,
    (c: string) => `case x in x) ${c};; esac`,
    (c: string) => `echo a | { ${c}; echo piped; }`,
    (c: string) => `{ ${c}; echo piped; } | cat`,
    (c: string) => `echo "$( ${c}; echo subst)"`,
    (c: string) => `eval '${c}; echo evaled'`,
    (c: string) => `true && { ${c}; echo here; }`,
    (c: string) => `trap 'echo "exit $?"' EXIT; ${c}`,
    (c: string) => `set +e; ${c}; set -e; echo on`,
  ]);
  const again = r.once(4) ? `\n${r.pick(['false', 'f', '(exit 5)'])}` : '';
  return `echo 'return 2' > ret\n(set -e; f() { false; echo in f; }\n${place(fails)}\necho "after $?"${again}\necho end\n)\necho "e$?"`;
};

export const traps = (r: Random): string => {
  const action = r.pick([
    "'echo T'",
    '\'echo "T$?"\'',
    "'exit 7'",
    "'false'",
    "''",
    "'echo $v; v=2'",
    "'trap - EXIT; exit 9'",
  ]);
  const end = r.pick([
    '',
    'exit 4',
    'false',
    'exit',
    '(exit 3)',
    'set -u; echo $unset_',
    ': ${unset_?gone}',
    'exec true',
    'return 2',
    'eval "exit 6"',
    'kill -TERM $$',
    'break',
  ]);
  const signal = r.pick(['USR1', 'TERM', 'HUP', 'USR2']);
  return r.pick([
    // What ends the shell ends a subshell inside its process.
    () =>
      `(v=1; trap ${action} EXIT; echo body; ${end.startsWith('kill') ? 'exit 2' : end}\n)\necho "t$?"`,
    () => `sh -c 'v=1; trap "echo bye; echo \\$v" EXIT; ${end.replaceAll("'", '')}'\necho "t$?"`,
    () => `sh -c 'trap "echo got" ${signal}; kill -${signal} $$; echo after'; echo "t$?"`,
    () => `sh -c 'trap "echo got; exit 3" ${signal}; kill -s ${signal} $$; echo after'; echo "t$?"`,
    () =>
      `sh -c 'trap "" ${signal}; kill -${signal} $$; (kill -${signal} $$; echo sub); echo after'; echo "t$?"`,
    () =>
      `sh -c 'trap "echo P" ${signal}; (trap "echo C" ${signal}; kill -${signal} $$; echo sub); echo after'; echo "t$?"`,
    () =>
      `sh -c 'trap "echo got" EXIT; (echo sub); v=$(echo subst); echo $v; { echo brace; }; f() { echo fn; }; f'; echo "t$?"`,
    () => `(trap 'echo one' EXIT; (trap 'echo two' EXIT; echo in); echo out)`,
    () => `sh -c 'trap "echo got \\$?" ${signal}; (exit 5); kill -${signal} $$; echo "now $?"'`,
    () => `sh -c 'f() { trap "echo in f" EXIT; }; f; echo after'`,
    () =>
      `sh -c 'trap "echo x" ${signal}; trap - ${signal}; kill -${signal} $$; echo no' 2>/dev/null; echo "t$?"`,
    () => `sh -c 'trap "trap - EXIT; echo once" EXIT; exit 3'; echo "t$?"`,
    () => `v=$(trap 'echo tr' EXIT; echo body); echo "$v"`,
    () => `trap 'echo q' ${signal}; trap; trap - ${signal}; trap`,
    () =>
      `sh -c 'trap "echo E; return 5" ${signal}; f() { kill -${signal} $$; echo in; return 1; }; f; echo "f$?"'`,
    () =>
      `sh -c 'while :; do trap "break" ${signal}; kill -${signal} $$; echo once; exit 3; done; echo out'`,
  ])();
};

export const dotScripts = (r: Random): string => {
  const text = r.pick([
    'return 3',
    'echo "in $1 $#"; return',
    'v=dot; false',
    'return 0; echo no',
    'exit 6',
    'f() { return 4; }; f',
    'for i in 1 2; do return $i; done',
    'if :; then return 5; fi; echo no',
    '(return 2); echo "r$?"',
    'set -- x y z',
    'break',
    'v=$(return 7); echo "r$?"',
    'eval "return 8"; echo no',
    ':',
    '',
    'x() { . ./d2; echo "x$?"; }; x',
    'echo $((1+',
    'case a in a) return 9;; esac',
    'while :; do return 1; done; echo no',
  ]);
  return r.pick([
    () =>
      `echo 'return 2; echo no' > d2; cat > d1 <<'X'\n${text}\nX\n(. ./d1; echo "d$? $# $1 \${v-}")\necho "o$?"`,
    () =>
      `echo 'return 2' > d2; cat > d1 <<'X'\n${text}\nX\n(g() { . ./d1; echo "g$?"; return 1; }; g A; echo "d$?")\necho "o$?"`,
    () =>
      `echo 'echo two' > d2; cat > d1 <<'X'\n${text}\nX\n(set +e; for j in a b; do . ./d1; echo "$j$?"; done)\necho "o$?"`,
    () => `(. ./nosuch; echo not reached); echo "o$?"`,
    () => `(command . ./nosuch; echo "reached $?"); echo "o$?"`,
    () => `echo 'echo "$0" | grep -c . ; echo "$#"' > d1; (set -- a b; . ./d1; PATH=.:$PATH; . d1)`,
    () => `echo 'alias zz="echo aliased"' > d1; (. ./d1\nzz x)`,
  ])();
};

export const nounset = (r: Random): string => {
  const use = r.pick([
    '$u',
    '"$u"',
    '${u}',
    '${u-d}',
    '${u:-d}',
    '${u+s}',
    '${u:+s}',
    '${#u}',
    '${u#x}',
    '${u%x}',
    '$1',
    '${1-}',
    '$@',
    '"$@"',
    '$*',
    '${!+set}',
    '${u=n}$u',
    '$((u=2))',
    '$#',
    '${u:?}',
    '$e',
    '${e:?empty}',
    '${e?}',
    '"${9}"',
    '$0$u',
    '${u-$n}',
    '${p-$n}',
    '${p+$n}',
  ]);
  return r.pick([
    () =>
      `(set -u; p=1 e=; set --; echo before; echo "x" ${use}; echo after); [ $? -ne 0 ] && echo failed`,
    // What joins `$@` there is unspecified (XCU §2.5.2): in dash it is IFS.
    () => `(set -u; unset IFS; p=1 e=; v=${use}; echo "v=$v"); [ $? -ne 0 ] && echo failed`,
    () =>
      `sh -uc 'p=1 e=; for i in ${use.replaceAll("'", '')}; do echo "i=$i"; done; echo end'; [ $? -ne 0 ] && echo failed`,
    () =>
      `(set -u; p=1 e=; f() { echo ${use}; }; f || echo or; echo end); [ $? -ne 0 ] && echo failed`,
    () => `(set -u; p= e=; echo $(echo ${use}; echo in) out); echo end`,
    () => `(set -u; p= e=; command echo ${use}; echo end); [ $? -ne 0 ] && echo failed`,
  ])();
};

export const builtinErrors = (r: Random): string => {
  const bad = r.pick([
    'set -o nosuchopt',
    'shift 5',
    'export 1a=2',
    'readonly r=1; r=2',
    'unset r1; readonly r1; unset r1',
    '. ./nosuch',
    'eval "if"',
    'exec <nosuch',
    'break x',
    'trap x nosuchsignal',
    ': >nosuchdir/f',
    'cd nosuch',
    'test a b c d e',
    '[ x',
    'kill nosuch',
    'read 1a',
    'type nosuch',
    'umask zzz',
    'unalias nosuch',
    'wait nosuchjob',
    'getopts',
    'command -v nosuch',
    'printf %d abc',
    'r2=1; readonly r2; r2=3 true',
    'readonly r3; for r3 in 1; do echo b; done',
    'return',
    'continue 0',
    ': ${u?}',
    ': ${u:?why}',
    'echo $((1/0))',
    'echo ${a b}',
    'eval ")"',
    'export -z',
    'readonly r4=1; export r4=2',
    'shift -1',
    'command shift 5',
    'command : >nosuchdir/f',
    'command eval "(exit 3)"',
    'nosuch',
    './a.txt',
    '/',
    'true <nosuch',
    'exit abc',
    'unset -z',
    'set -Z',
    'bg',
    'fg %9',
    'jobs %9',
    'hash nosuch',
    'alias nosuch',
    'readonly r5=1; read r5 <f1',
    'readonly r6; getopts a r6 -a',
    'readonly r7; cd / && r7=1',
  ]);
  return r.pick([
    () => `(${bad}; echo "after $?") 2>/dev/null\nr=$?; [ $r -ne 0 ] && echo ended`,
    () =>
      `sh -c '${bad.replaceAll("'", '')}; echo "after $?"' 2>/dev/null\nr=$?; [ $r -ne 0 ] && echo ended`,
    () =>
      `(if ${bad}; then echo yes; else echo no; fi; echo after) 2>/dev/null; [ $? -ne 0 ] && echo ended`,
    () => `(${bad} || echo or; echo after) 2>/dev/null; [ $? -ne 0 ] && echo ended`,
    () => `(f() { ${bad}; echo in; }; f; echo after) 2>/dev/null; [ $? -ne 0 ] && echo ended`,
    () => `v=$(exec 2>/dev/null; ${bad}; echo in); [ $? -ne 0 ] && echo ended; echo "$v"`,
  ])();
};

export const aliases = (r: Random): string => {
  const body = r.pick([
    "'echo A'",
    "'echo A '",
    "'echo A; echo B'",
    "'al1 x'",
    "'{ echo'",
    "'f'",
    "'for i in'",
    "'echo \"q'",
    "'v=1 '",
    "''",
    "' '",
    "'>out echo'",
    "'al2'",
    "'if'",
  ]);
  const use = r.pick([
    'al1',
    'al1 x',
    'al1 al2',
    'al1 al2 al1',
    '\\al1',
    "'al1' x",
    'echo al1',
    'al1 | cat',
    'v=2 al1',
    'if al1; then :; fi',
    'al2 al1',
    'al1 x; }',
    'al1 " ok',
    'al1 1 2; do echo $i; done',
    'al1 :; then echo t; fi',
    'x=al1 && al2',
    '$(al1)',
    'echo $(al1 x)',
    'eval al1 x',
    '(al1)',
    '{ al1; }',
    '! al1',
    '2>&1 al1 y',
    'case al1 in al1) echo hit;; esac',
    'al1\nal1 z',
    '. ./nosuchalias || al1',
  ]);
  return `cat > al <<'X'\nf() { echo "f $*"; }\nalias al1=${body}\nalias al2='echo two'\n${use}\nunalias al1\nal2 end\nX\nsh al; echo "a$?"`;
};

export const functions = (r: Random): string =>
  r.pick([
    () => `f() { set -- x y; echo "$#"; }; set -- a; f 1 2 3; echo "$# $1"`,
    () =>
      `f() (v=in; exit 3); v=out; f; echo "$? $v"; f() if true; then echo if; fi; f; f() for i do echo $i; done; f 1 2`,
    () => `f() { [ $1 -le 0 ] && return 0; echo $1; f $(($1-1)); echo "back $1"; }; f 3`,
    () =>
      `f() { v=inner; }; v=a f; echo "$v"; v=b; v=c :; echo "$v"; v=d true; echo "$v"; v=e eval 'echo $v'; echo $v`,
    () => `f() { echo first; f() { echo second; }; }; f; f; unset -f f; f 2>/dev/null; echo $?`,
    () =>
      `f() { for i in 1 2; do for j in a b; do return 4; done; done; }; f; echo $?; f() { while :; do break; done; return; }; false; f; echo $?`,
    () => `f() { local v=2; echo $v; g; echo $v; }; g() { v=3; }; v=1; f; echo $v`,
    () =>
      `f() { return $1; }; f 0 && echo zero; f 1 || echo one; f 255; echo $?; ! f 0; echo $?; f 3 | f 5; echo $?`,
    () => `f() { echo "$@"; } ; f "$@" "a  b"; f() { shift; echo "$#:$*"; }; f 1 2 3; echo "$#"`,
    () =>
      `command -v f; f() { :; }; command -v f; type f >/dev/null && echo known; command -v echo if cat | sed 's,.*/,,'`,
    () => `f() { cat; }; echo piped | f; f <a.txt; f <<E\nhere $#\nE\nf < f1 > out; cat out`,
    () =>
      `f() { case $1 in "") return 1;; esac; shift; f "$@"; }; f a b c; echo $?; f() { eval "return 6"; }; f; echo $?`,
  ])();

export const controls = (r: Random): string =>
  r.pick([
    () =>
      `for i in 1 2 3; do for j in a b; do [ $i$j = 2a ] && ${r.pick(['break', 'continue', 'break 2', 'continue 2', 'break 5', 'continue 9'])}; echo $i$j; done; done; echo "s$?"`,
    () =>
      `i=0; while i=$((i+1)); [ $i -lt 4 ]; do case $i in 2) continue;; 3) break;; esac; echo $i; done; echo "s$? $i"`,
    () =>
      `for i in; do echo no; done; echo "s$?"; for i in "" a; do echo "[$i]"; done; echo "$i"; while false; do :; done; echo "s$?"`,
    () =>
      `if false; then :; elif (exit 3); then :; fi; echo "s$?"; if true; then (exit 4); fi; echo "s$?"; case x in y) false;; esac; echo "s$?"`,
    () =>
      `until i=$((i-1)); [ $i -lt -2 ]; do echo "u$i"; done; for i in 1 2; do (break; echo "in $i"); echo o; done 2>/dev/null`,
    () =>
      `true || false && echo x; false && true || echo y; ! true || echo z; ! { false; }; echo $?; { true; false; }; echo $?`,
    () =>
      `while :; do while :; do break 2; done; echo no; done; echo out; eval 'for k in 1 2; do break; done'; for k in 1 2; do eval break; echo no; done; echo $k`,
    () =>
      `for i in 1 2; do f() { ${r.pick(['return', ':', 'false'])}; }; f; echo "$i$?"; done; for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; echo $i; done | cat`,
    () =>
      `case ab in a) echo 1;; a*|b) echo 2;; *) echo 3;; esac; case a in (a) ;; esac; echo "s$?"; case x in esac; echo "s$?"`,
    () =>
      `{ echo a; echo b; } | while read -r x; do echo "$x"; [ $x = a ] && continue; echo last; done; echo "s$?"`,
  ])();

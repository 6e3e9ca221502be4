// hexdump against the host's.

import test from 'ava';
import { compare } from '../libc/testing/differential.ts';

const tree = String.raw`
seq 1 40 > n; printf 'abc\0\1\177\377\t\n\r' > b; : > e; head -c 1000 /dev/zero > z; head -c 100 /dev/zero | tr '\0' A > a; cat a b z n > mix
printf '"%%07.7_Ax\\n"\n# note\n\n"%%07.7_ax " 4/4 "%%08x " "\\n"\n' > fmt; head -c 300 n | tail -c 77 > odd
`;

const same = test.macro({
  exec(t, run: string, stdin: string) {
    compare(t, { run, tree, stdin });
  },
  title: (_, run: string, stdin: string) =>
    JSON.stringify(stdin === '' ? run : `${run} <<< ${stdin}`).slice(1, -1),
});

const cases: readonly (readonly [run: string, stdin?: string])[] = [
  ['hexdump n'],
  ['hd odd'],
  ['hexdump -C n'],
  ['hexdump -b b'],
  ['hexdump -c b n'],
  ['hexdump -d n'],
  ['hexdump -o n'],
  ['hexdump -x n'],
  ['hexdump odd'],
  ['hexdump -C odd'],
  ['hexdump -c odd'],
  ['hexdump -d odd'],
  ['hexdump -C mix'],
  ['hexdump -v -C mix'],
  ['hexdump z'],
  ['hexdump -C z'],
  ['hexdump e'],
  ['hexdump -C e'],
  ['hexdump -n 5 n'],
  ['hexdump -n 16 n'],
  ['hexdump -s 10 n'],
  ['hexdump -s 10 -n 20 -C n'],
  ['hexdump -s 0x10 n'],
  ['hexdump -s 010 n'],
  ['hexdump -s 1k n'],
  ['hexdump -s 100 a b n'],
  ['hexdump -s 105 a b n'],
  ['hexdump -s 5000 n'],
  ['hexdump -n 0 n'],
  ['hexdump -n x n'],
  ['hexdump -e \'8/1 "%02x " "\n"\' n'],
  ['hexdump -e \'16/1 "%02X" "\n"\' odd'],
  ['hexdump -e \'"%_ad  " 4/2 "%5d " "\n"\' odd'],
  ['hexdump -e \'"%08_ax: " 4/4 "%08x " "  |"\' -e \'16/1 "%_p" "|\n"\' odd'],
  ['hexdump -e \'1/1 "%_c "\' b'],
  ['hexdump -e \'1/1 "%_u "\' b'],
  ['hexdump -e \'4/1 "%3u " "\n"\' b'],
  ['hexdump -e \'2/8 "%20d " "\n"\' odd'],
  ['hexdump -e \'"%d\n"\' odd'],
  ['hexdump -e \'"%10s|"\' odd'],
  ['hexdump -e \'"%.5s|"\' odd'],
  ['hexdump -e \'/4 "%s|"\' odd'],
  ['hexdump -e \'2/4 "%e " "\n"\' n'],
  ['hexdump -e \'/8 "%g "\' n'],
  ['hexdump -e \'/1 "%c"\' n'],
  ['hexdump -e \'/1 "%-5c|"\' odd'],
  ['hexdump -e \'/3 "%d"\' n'],
  ['hexdump -e \'"%d %d\n"\' odd'],
  ['hexdump -e \'/4 "%d %d\n"\' odd'],
  ['hexdump -e \'"%z"\' odd'],
  ["hexdump -e 'abc' odd"],
  ['hexdump -e \'"text\n"\' odd'],
  ['hexdump -e \'3/2 "%x, " ";\n"\' odd'],
  ['hexdump -f fmt n'],
  ['hexdump missing'],
  ['hexdump missing n'],
  ['hexdump -C', 'hello'],
  ['hexdump -s 2 -C', 'hello'],
  ['hexdump -Cx odd'],
  ['hexdump -bc odd'],
  ['hexdump -e \'"%_Ad\n"\' -e \'"%_ax\n" 4/1 "%02x" "\n"\' b'],
  ['hexdump -e \'5/1 "%02x " "  " 3/1 "%d " "\n"\' n'],
  ['hexdump -e \'8/1 "%02x\\t" "\n"\' odd'],
  ['hexdump -e \'"%6.6_ao " 12/1 "%3_u " "\n"\' b'],
  ['hexdump -e \'"%%%x\n"\' b'],
  ['hexdump -Z n'],
  ['hexdump -e \'/1 "%_x"\' b'],
];
for (const [run, stdin = ''] of cases) test(same, run, stdin);

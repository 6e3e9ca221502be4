// The programs that start, install and name against the host's.

import test from 'ava';
import { compare } from '../libc/testing/differential.ts';

const tree = String.raw`
printf 'one\n' > a; printf 'two two\n' > b; mkdir d; ln -s a l; cp a same; chmod 755 same
touch -d '2009-01-01' a
`;

const same = test.macro({
  exec(t, run: string) {
    compare(t, { run, tree });
  },
  title: (_, run: string) => run,
});

const cases: readonly string[] = [
  'install a new',
  'install a b d',
  'install -m 600 a new',
  'install -m u=rw,g=r a new',
  'install -m zz a new',
  'install -p a new',
  'install -v a d',
  'install -D a x/y/z',
  'install -D -t p/q a b',
  'install -Dv a x/y/z',
  'install -d e/f/g h',
  'install -dv e/f',
  'install -d a',
  'install -m 700 -d e/f',
  'install -T a d',
  'install -b a b',
  'install -bv a b',
  'install -b -S .old a b',
  'install -C a same',
  'install -Cv b same',
  'install d x',
  'install a a',
  'install missing x',
  'install a b missing',
  'install a',
  'install',
  'install l new',
  'mkfifo -m 7777 f',
  'mkfifo',
  'mkfifo -q f',
  'timeout x echo',
  'timeout -s NOSUCH 1 true',
  'nohup',
  'groups nosuchuser',
  'groups root',
  'id -G root',
  'id -Gn root',
  'id -u nosuchuser',
];
for (const run of cases) test(same, run);

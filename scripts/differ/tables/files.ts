// Programs that work on trees of files: each gets a random tree, and what becomes of it is compared.

import { fileCase } from '../kinds.ts';
import type { Table } from '../maker.ts';
import type { Random } from '../random.ts';
import { find, ls } from './listing.ts';
import { names, onOddTree, onTree } from './tree.ts';

const mode = (random: Random): string =>
  random.pick(
    '644|0755|700|4711|1777|0|u+x|go-r|a=r|u=rwx,g=rx,o=|+x|-w|g=u|o+t|ug+s|a+X|+t|u=g,o=u|u+x,u-r|888|u?x|=|-x,+r|7777|00755|2755|u=s|g-s,o=t|+4|u+4|=640|a=rwX|10000|o=g,g=|,u+x'.split(
      '|',
    ),
  );

const backups = '-b|--backup=numbered|--backup=simple|-S .old|--backup=existing|--suffix=.z'.split(
  '|',
);

export const fileTable: Table = {
  cp: (r) =>
    onOddTree(r, [
      'cp',
      ...r.some(
        [
          '-r',
          '-a',
          '-p',
          '-f',
          '-n',
          '-u',
          '-v',
          '-l',
          '-s',
          '-L',
          '-P',
          '-H',
          '-d',
          '-T',
          '--parents',
          '-x',
          '--remove-destination',
          '-R',
          '--no-preserve=mode',
          '--preserve=timestamps',
          '--attributes-only',
          '--strip-trailing-slashes',
          '-t d',
          '-i',
          '-b',
          '--update',
          '--preserve=mode,links',
          '--preserve=all',
          '--no-preserve=timestamps',
          '--recursive',
          '--no-dereference',
          '--dereference',
          '--no-target-directory',
          '--target-directory=d/sub',
          '--sparse=always',
          '--reflink=auto',
          '--copy-contents',
          '-rT',
          '-al',
          '-as',
          '--archive',
          '--no-such',
          '--backup=wrong',
          ...backups,
        ],
        3,
      ),
      ...names(r, 1, 3),
    ]),
  mv: (r) =>
    onOddTree(r, [
      'mv',
      ...r.some(
        [
          '-f',
          '-n',
          '-u',
          '-v',
          '-T',
          '-t d',
          '--strip-trailing-slashes',
          '--no-clobber',
          '-i',
          '-b',
          '--update',
          '--target-directory=d',
          '--no-target-directory',
          '--force',
          '--no-such',
          '-fn',
          '-nf',
          '--backup=off',
          ...backups,
        ],
        2,
      ),
      ...names(r, 1, 3),
    ]),
  ln: (r) =>
    onTree(r, [
      'ln',
      ...r.some(
        ['-s', '-f', '-n', '-v', '-T', '-r', '-L', '-P', '-t d', '-sf', '-sr', ...backups],
        3,
      ),
      ...names(r, 1, 3),
    ]),
  install: (r) =>
    onTree(r, [
      'install',
      ...r.some(
        ['-d', '-D', '-m 600', '-m u=rwx', '-p', '-v', '-T', '-t d', '-C', '-m 4755', ...backups],
        3,
      ),
      ...names(r, 1, 3),
    ]),
  rm: (r) =>
    onTree(r, [
      'rm',
      ...r.some(
        ['-r', '-f', '-v', '-d', '-rf', '-R', '-I', '--one-file-system', '--preserve-root'],
        2,
      ),
      ...(r.once(8) ? ['--'] : []),
      ...names(r, 0, 3),
    ]),
  rmdir: (r) =>
    onTree(r, [
      'rmdir',
      ...r.some(['-p', '-v', '--ignore-fail-on-non-empty'], 2),
      ...r.list(1, 3, () => r.pick(['d/sub', 'd2/deep/er', 'd', 'a', 'missing', 'd2/deep/er/'])),
    ]),
  mkdir: (r) =>
    onTree(r, [
      'mkdir',
      ...r.some(['-p', '-v', '-m 700', '-m u=rwx,go=', '-m 1777', '-m a=rx,u+w'], 2),
      ...r.list(1, 3, () => r.pick(['n', 'n/m', 'd', 'd/n', 'a/x', 'q/r/s', 'a', 'n/', ''])),
    ]),
  touch: (r) =>
    onTree(
      r,
      [
        'touch',
        ...r.some(
          '-a|-m|-c|-h|-r a|-d @1000000000|-t 200102030405.06|-t 9912312359|-d 2020-02-02|-t 13011200|--time=atime'.split(
            '|',
          ),
          3,
        ),
        ...names(r, 0, 2),
      ],
      { tail: "; stat -c '%n %Y' a b 2>/dev/null | awk '$2 < 1600000000'" },
    ),
  chmod: (r) => {
    const options = r.some(['-R', '-v', '-c', '-f', '--reference=c.txt'], 2);
    const words = ['chmod', ...options, mode(r), ...names(r, 0, 2)];
    // What is told of a tree comes in the order of its directories.
    return onTree(r, words, options.includes('-R') ? { sorted: true } : {});
  },
  chown: (r) =>
    onTree(
      r,
      [
        'chown',
        ...r.some(['-R', '-v', '-c', '-h', '--from=0', '-f', '-H', '-L', '--from=:1'], 3),
        r.pick(
          '1001|1001:1002|:1003|root|root:root|0.0|+1005:+1006|nobody-here|1001:|:|root:|.1003|root.'.split(
            '|',
          ),
        ),
        ...names(r, 0, 2),
      ],
      // What is told of a tree comes in the order of its directories.
      { tail: "; find . -printf '%U %G %p\\n' | sort", sorted: true },
    ),
  chgrp: (r) =>
    onTree(
      r,
      [
        'chgrp',
        ...r.some(['-R', '-v', '-c', '-h', '-f', '-RH', '-RL', '--reference=b'], 2),
        r.pick(['1001', 'root', '0', 'nobody-here', '+1007', '']),
        ...names(r, 0, 2),
      ],
      // What is told of a tree comes in the order of its directories.
      { tail: "; find . -printf '%U %G %p\\n' | sort", sorted: true },
    ),
  stat: (r) =>
    onTree(
      r,
      [
        'stat',
        ...r.some(['-L'], 1),
        r.pick(['-c', '--printf', '-c']),
        r.pick([
          '%n %s %F',
          '%a %A %f',
          '%h %u %g %U %G',
          '%Y %y',
          '%N',
          '%n|%10s|%-10a|%05h',
          '%t %T',
          '%X %x'.slice(3),
          '%B',
          '%y\\n',
          '%.3Y %.Y',
          '%%',
          '%q',
          '%i'.slice(2),
        ]),
        ...names(r, 1, 3),
      ],
      { tail: " | sed 's/^\\(d[^ ]* \\)4096/\\1/'", tree: true },
    ),
  du: (r) =>
    onTree(
      r,
      [
        'du',
        ...r.some(
          '-a|-s|-c|-b|-h|-k|-m|-S|-d 1|-d 0|--apparent-size|-l|-D|-0|-t 1K|--exclude=*.txt|--inodes|-B 1|--time|-x'.split(
            '|',
          ),
          3,
        ),
        ...r.pick([[], names(r, 1, 2)]),
      ],
      { sorted: true },
    ),
  find,
  ls,
  xargs: (r) => ({
    files: {
      f: r.text(0, 8, [
        'a b c\n',
        'foo\n',
        "'q r' s\n",
        '"x y"\n',
        'a\\ b\n',
        '\n',
        '  lead',
        'last ',
        'long-word\n',
        '_ ',
        'x\0y\0',
        "unbalanced '",
      ]),
    },
    words: [
      'xargs',
      ...r.some(
        '-n1|-n2|-L1|-L2|-I{}|-0|-t|-r|-d,|-d \\n|-E_|-s 40|-x|-P1|-i|-l|--max-args=3'.split('|'),
        2,
      ),
      ...r.pick([
        [],
        ['echo'],
        ['echo', 'x{}', '{}'],
        ['echo', '-'],
        ['sh', '-c', 'exit 3'],
        ['false'],
        ['nonexistent-command'],
        ['printf', '[%s]'],
      ]),
    ],
    stdin: 'f',
  }),
  readlink: (r) =>
    onTree(r, [
      'readlink',
      ...r.some(['-f', '-e', '-m', '-n', '-z', '-v', '-q'], 2),
      ...names(r, 0, 2),
    ]),
  realpath: (r) =>
    onTree(r, [
      'realpath',
      ...r.some(
        '-e|-m|-s|-L|-P|-z|-q|--relative-to=d|--relative-base=.|--relative-to=.'.split('|'),
        2,
      ),
      ...names(r, 0, 2),
      ...r.some(['d/../a', './/d//x', 'a/..', 'd/sub/../../b'], 1),
    ]),
  pwd: (r) => onTree(r, ['pwd', ...r.some(['-P', '-L', 'x'], 1)]),
  tar: (r) =>
    onTree(
      r,
      [
        'tar',
        '-cf',
        'x.tar',
        ...r.some(
          '--format=ustar|--format=pax|-h|-v|--exclude=*.txt|-C d|--no-recursion|--sort=name|--mtime=@0'.split(
            '|',
          ),
          2,
        ),
        ...names(r, 1, 3),
      ],
      {
        tail: `; tar -t${r.pick(['', 'v'])}f x.tar 2>&1 | sed 's/  */ /g'; mkdir o; tar -xf x.tar -C o; rm -f x.tar`,
        sorted: true,
      },
    ),
  file: fileCase,
  mktemp: (r) =>
    onTree(
      r,
      [
        'mktemp',
        ...r.some(['-d', '-u', '-q', '--suffix=.z', '-p d', '-t'], 2),
        r.pick(['tXXXXXX', 'tXX', 'aXXXX.c', 'no/XXXX', 'XXXXX']),
      ],
      {
        tail: " | sed 's/[A-Za-z0-9]\\{3,\\}$/R/; s/[A-Za-z0-9]*[.]/R./' | wc -l; for d in . d no; do rm -rf $d/t?????? $d/t??????.z $d/a????.c $d/????? $d/?????.z $d/????; done",
        tree: true,
      },
    ),
};

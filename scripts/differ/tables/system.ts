// Programs of the system and of processes, as far as the host's show the same.

import type { Table } from '../maker.ts';
import { names, onTree } from './tree.ts';

export const systemTable: Table = {
  which: (r) => ({
    files: {},
    words: [
      'which',
      ...r.some(['-a'], 1),
      ...r.list(1, 2, () => r.pick(['no-such-program', '/bin/none', './none'])),
    ],
  }),
  mkfifo: (r) =>
    onTree(r, [
      'mkfifo',
      ...r.some(['-m 600', '-m a=rw'], 1),
      ...r.list(1, 2, () => r.pick(['n', 'a', 'no/x', 'd/n'])),
    ]),
  mknod: (r) =>
    onTree(r, [
      'mknod',
      ...r.some(['-m 600'], 1),
      r.pick(['n', 'a', 'no/x']),
      ...r.pick([['p'], ['b', '7', '1'], ['c', '1', '3'], ['p', '1', '2'], ['b', '7'], ['x']]),
    ]),
  id: (r) => ({
    files: {},
    words: [
      'id',
      ...r.pick([['-u'], ['-g'], ['-un'], ['-gn'], ['-ur'], ['-n'], ['-u', 'nobody-here'], ['-x']]),
    ],
  }),
  factor: (r) => ({
    files: {
      f: r.list(0, 4, () => r.pick(['12', '97', '1000003', ' 7 8', 'x', '-3', ''])).join('\n'),
    },
    words: [
      'factor',
      ...r.list(0, 3, () =>
        r.pick([
          ...['0', '1', '2', '36', '1024', '999983', '1000000007', '+6', 'x', '3.5', ' 9'],
          ...['18446744073709551615', '999999866000004473', '9007199254740993'],
          String(r.below(2 ** 31)),
        ]),
      ),
    ],
    stdin: 'f',
  }),
  printenv: (r) => ({
    files: {},
    words: [
      'printenv',
      ...r.some(['-0'], 1),
      ...r.list(1, 3, () => r.pick(['AA', 'BB', 'NONE', 'A=A'])),
    ],
    env: { AA: 'one', BB: r.pick(['', 'two\nlines', 'x y']) },
  }),
  pathchk: (r) => ({
    files: { a: 'x' },
    words: [
      'pathchk',
      ...r.some(['-p', '-P', '--portability'], 2),
      ...r.list(1, 2, () =>
        r.pick([
          'a',
          'a/b',
          'no/x',
          '',
          'sp ace',
          '-dash',
          'd/-x',
          'long'.repeat(20),
          'n'.repeat(300),
          '/',
          'x//y',
        ]),
      ),
    ],
  }),
  link: (r) =>
    onTree(r, ['link', ...r.list(1, 3, () => r.pick(['a', 'b', 'n', 'd', 'no/x', 'd/n']))]),
  unlink: (r) =>
    onTree(r, ['unlink', ...r.list(1, 2, () => r.pick(['a', 'b', 'd', 'no/x', 'none']))]),
  whoami: (r) => ({ files: {}, words: ['whoami', ...r.some(['x'], 1)] }),
  kill: (r) => ({
    files: {},
    whole: true,
    words: [
      'kill',
      ...r.pick([
        ['-l', '9'],
        ['-l', 'TERM'],
        ['-l', '15'],
        ['-0', '999999'],
        ['-0', '999999', 'nosuch', '999998'],
        ['-s', 'TERM', '999999'], // procps takes an unknown name for none
        ['-l', 'KILL'],
        [],
      ]),
    ],
  }),
  sleep: (r) => ({
    files: {},
    words: [
      'sleep',
      ...r.pick([['0'], ['0.01'], ['.01s'], ['x'], ['-1'], [], ['0m', '0h'], ['0.01', 'y']]),
    ],
  }),
  // Whoever runs the host's side may be niced: what is told is how much was added.
  nice: (r) => ({
    files: { plain: 'x' },
    words: [
      'nice',
      ...r.some(['-n 5', '-3', '--adjustment=2', '-n5', '-n x', '-n 1.5', '-n', '-n +4', '-+1'], 2),
      ...r.pick([
        ...[['nice'], ['nice'], ['sh', '-c', 'nice; exit 7'], []],
        ...[['nonexistent'], ['./plain'], ['/'], [''], ['false'], ['env', 'nice', 'nice']],
      ]),
    ],
    tail: ' > o; s=$?; read n < o && echo $((n - $(nice))); (exit $s)',
  }),
  nohup: (r) => ({
    files: {},
    words: ['nohup', ...r.pick([['echo', 'hi'], ['nonexistent'], ['false'], []])],
  }),
  timeout: (r) => ({
    files: {},
    words: [
      'timeout',
      ...r.some(['-s KILL', '-k 1', '--preserve-status', '--foreground'], 1),
      ...r.pick([
        ['9', 'echo', 'x'],
        ['0.05', 'sleep', '60'],
        ['9', 'nonexistent'],
        ['x', 'true'],
        ['9', 'sh', '-c', 'exit 5'],
        ['9'],
      ]),
    ],
  }),
  sync: (r) =>
    onTree(r, [
      'sync',
      ...r.some(['-d', '-f'], 1),
      ...names(r, 0, 1).filter((name) => !name.startsWith('-')),
    ]),
  uname: (r) => ({
    files: {},
    words: ['uname', ...r.pick([['x'], ['-z'], ['-s', 'x']])],
  }),
  tty: (r) => ({ files: {}, words: ['tty', ...r.some(['-s'], 1)] }),
  more: (r) =>
    onTree(r, ['more', ...r.list(1, 2, () => r.pick(['a', 'b', 'missing', 'd', 'c.txt']))]),
  less: (r) =>
    onTree(r, ['cat'], {
      words: ['less', r.pick(['a', 'b', 'c.txt']), ...r.some(['b'], 1)],
      tree: true,
    }),
};

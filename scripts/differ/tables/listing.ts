// Command lines of ls and find.

import type { Case } from '../case.ts';
import type { Random } from '../random.ts';
import { names, onOddTree } from './tree.ts';

export function ls(r: Random): Omit<Case, 'program'> {
  const options = r.some(LS, 4);
  if (r.once(30)) options.push(r.pick(LS_WRONG));
  // The order in which a file system keeps its names is its own.
  const isUnsorted = /^-[Uf]$/m.test(options.join('\n'));
  const isLong = r.once(3);
  const tail = isLong
    ? " | sed '/^total/d; s/^\\(d[^ ]* *[0-9]* [^ ]* *[^ ]* *\\)[0-9.K]*/\\1/'"
    : '';
  const long = isLong
    ? [
        '-l',
        ...r.some(
          LONG.filter((one) => one !== '-s'),
          2,
        ),
      ]
    : [];
  // The directory above is that of the runs, made just now: its mode and times are not told.
  const shown = options.filter(
    (word) =>
      !(isLong && /^(-a|-f|--all)$/.test(word)) &&
      !(isUnsorted && /^(-[CxmR]|--format.*|--recursive)$/.test(word)),
  );
  const made = onOddTree(r, ['ls', ...shown, ...long, ...r.pick([[], names(r, 1, 3)])], {
    tail,
    ...(isUnsorted ? { sorted: true } : {}),
  });
  // Columns are those of UTF-8; in the C locale the host's bytes above 127 take none.
  const isAscii = (text: string): boolean => !text.includes('\xe9');
  const setup = made.setup?.filter(isAscii) ?? [];
  return { ...made, setup, words: made.words.filter(isAscii) };
}

export function find(r: Random): Omit<Case, 'program'> {
  const options = [...r.some(['-L', '-P', '-H'], 1)];
  const where = r.pick([
    ['.'],
    [],
    ['.'],
    ['d'],
    ['a', 'd'],
    ['missing', 'd'],
    ['./'],
    ['d/', 'dirlink'],
    ['d//sub'],
    ['dirlink/', '.'],
    [''],
  ]);
  const global = r.some(
    ['-maxdepth 1', '-mindepth 1', '-depth', '-maxdepth 2', '-xdev', '-daystart'],
    1,
  );
  const tests = findTest(r);
  // What is empty or leads nowhere by then depends on the order in which files are deleted.
  const depends = /^-(xtype|links|empty|samefile|writable|readable|executable)$/m.test(
    tests.join('\n'),
  );
  const action =
    [findAction(r)].map((one) => (depends && one[0] === '-delete' ? [] : one))[0] ?? [];
  // Which of two ways to a file is met first is the file system's business; so is the order in a file.
  const isEarly = action[0] === '-quit' ? ['-maxdepth', '0'] : [];
  if (action.includes('-delete')) options.splice(0);
  const isInFile = action[0]?.startsWith('-fprint') && action[1] === 'out';
  const order = `; [ ! -f out ] || sort ${action[0] === '-fprint0' ? '-z' : ''} -o out out`;
  const made = onOddTree(
    r,
    ['find', ...options, ...where, ...global, ...isEarly, ...tests, ...action],
    {
      sorted: true,
      ...(action[0] === '-printf' && /%[sdn]|%t/.test(action[1] ?? '')
        ? { tail: " | sed 's/^\\([0-7]* d \\)[0-9]*/\\1/'" }
        : {}),
      ...(isInFile ? { tail: order } : {}),
    },
  );
  // The host's puts cheap tests first, and so may complain of a loop that another test would have passed over.
  const isLoop = (line: string): boolean => tests.includes('-xtype') && line.endsWith('loop loop');
  return { ...made, setup: made.setup?.filter((line) => !isLoop(line)) ?? [] };
}

const findTest = (random: Random, depth = 0): string[] =>
  random.pick<string[]>([
    ['-name', random.pick(['*', '*.txt', '[ab]', 'd*', '.*', '?'])],
    ['-iname', random.pick(['A', '*.TXT'])],
    ['-path', random.pick(['*/d/*', './a', '*sub*'])],
    ['-type', random.pick(['f', 'd', 'l', 'p', 'f,d'])],
    ['-size', random.pick(['0', '+0', '-2', '1', '4c', '+3c', '-1k'])],
    ['-perm', random.pick(['644', '-u+w', '/111', '-100', 'u=rw,go=r'])],
    ['-newer', random.pick(['a', 'b', 'd'])],
    ['-mtime', random.pick(['+100', '-100', '0'])],
    ['-newermt', random.pick(['2005-01-01', '2012-01-01'])],
    ['-empty'],
    ['-links', random.pick(['1', '+1', '2'])],
    ['-regex', random.pick(['.*/[ab]', './d.*', '.*x'])],
    ['-samefile', 'a'],
    ['-lname', 'a'],
    ['-readable'],
    ['-executable'],
    ['-user', 'root'],
    ['-xtype', random.pick(['f', 'l', 'd'])],
    ['-true'],
    ['-false'],
    ['-iwholename', random.pick(['*/D/*', './A'])],
    ['-ipath', '*SUB*'],
    [
      '-name',
      random.pick([
        "*'*",
        '*[[:space:]]*',
        '\\\\*',
        '*\\n*',
        '[!a-d]*',
        '*.*',
        '-*',
        'd/',
        '[[:upper:]]*',
        '',
      ]),
    ],
    ['-ilname', 'A*'],
    ['-iregex', '.*/[AB]'],
    [
      '-regextype',
      random.pick(['posix-extended', 'posix-basic', 'egrep', 'emacs', 'sed']),
      '-regex',
      '.*/(a|d.*)+',
    ],
    ['-size', random.pick(['+1c', '2w', '-1M', '+0k', '1M', '0G', '-1', '+0', '3'])],
    ['-perm', random.pick(['-4000', '/222', '-g=w', '/u=s,g=s', '0', '-0', '755', '-a=r', '/o+x'])],
    ['-newermm', 'b'],
    ['!', '-newermm', 'd/x'],
    ['-uid', random.pick(['0', '+0', '-1'])],
    ['-gid', '0'],
    ['-nouser'],
    ['-nogroup'],
    ['-group', 'root'],
    ['-writable'],
    ['-mmin', random.pick(['+100', '-1'])],
    ['-type', random.pick(['s', 'l,p', 'D'])],
    ['-wholename', './d*'],
    ...(depth < 2
      ? [
          ['!', ...findTest(random, depth + 1)],
          ['(', ...findTest(random, depth + 1), '-o', ...findTest(random, depth + 1), ')'],
          [
            ...findTest(random, depth + 1),
            random.pick(['-o', '-or', ',', '-and']),
            ...findTest(random, depth + 1),
          ],
          ['-not', ...findTest(random, depth + 1)],
          ['(', ...findTest(random, depth + 1), ')', ...findTest(random, depth + 1)],
          [
            ...findTest(random, depth + 1),
            ...random.some(['-a'], 1),
            ...findTest(random, depth + 1),
          ],
        ]
      : []),
  ]);

const findAction = (random: Random): string[] =>
  random.pick([
    [],
    [],
    ['-print'],
    ['-print0'],
    ['-prune', '-o', '-print'],
    [
      '-printf',
      random.pick([
        '%p|%f|%h|%P\\n',
        '%m %y %s %l\\n',
        '%d %H %M\\n',
        '%TY-%Tm-%Td %TH:%TM\\n',
        '%n %u %g %U\\n',
        '%5f|%-8p|\\t\\101\\n',
        '%t\\n',
        '%a %%\\n',
        '%Y\\n',
        '%p\\0',
        '%10p|%-10f|%.2f\\n',
        '%TS %TZ %T@\\n',
        '%T+ %Ta %TB %Tj\\n',
        '[%P] %h\\c%f',
        '\\a\\b\\f\\v\\\\|\\q|%q|\\n',
        '%#m %05m %M\\n',
        '%p %',
        '%t|%Tc|%TD|%Tr\\n',
        '\\x41\\0101\\n',
      ]),
    ],
    ['-exec', 'echo', '{}', ';'],
    ['-exec', 'basename', 'x{}y', ';'],
    ['-execdir', 'echo', '{}', ';'],
    ['-exec', 'test', '-s', '{}', ';', '-print'],
    ['-quit'],
    ['-delete'],
    ['-fprint', 'out'],
    ['-fprint0', 'out'],
    ['-fprintf', 'out', '%f %m\\n'],
    ['-exec', 'printf', '%s\\n', '{}', '+'],
    ['-exec', 'false', '{}', '+'],
    ['-exec', 'false', ';', '-o', '-print'],
    ['-exec', 'no-such-command', '{}', ';'],
    ['-execdir', 'printf', '%s\\n', '{}', '+'],
    ['-ok', 'echo', '{}', ';'],
    ['-print', '-print'],
    ['-print', '-o', '-print0'],
    ['-exec', 'sh', '-c', 'echo "$0"', '{}', ';'],
    ['-delete', '-print'],
    ['-fprint', '/dev/stdout'],
    ['-fprint', 'no/out'],
    random.pick(FIND_WRONG),
  ]);

/** Refused, most of them. */
const FIND_WRONG = [
  ...[
    ['-name'],
    ['-type', 'q'],
    ['-type', 'fd'],
    ['-size', 'x'],
    ['-size', '1q'],
    ['-perm', 'zz'],
    ['-foo'],
  ],
  ...[
    ['('],
    [')'],
    ['-o'],
    ['!'],
    ['-a', '-print'],
    ['(', ')'],
    ['-exec', 'echo'],
    ['-exec', ';'],
    ['x'],
    ['-print', 'x'],
  ],
  ...[
    ['-maxdepth', '-1'],
    ['-mindepth', 'x'],
    ['-newer', 'missing'],
    ['-user', 'nobody-here'],
    ['-links', 'x'],
    ['-mtime', 'z'],
  ],
  ...[
    ['-newermt', 'nonsense'],
    ['-regextype', 'x'],
    ['-samefile', 'missing'],
    ['-fprint'],
    ['-printf'],
    ['-regex', '\\(a'],
    ['-type', ''],
  ],
  ...[
    ['-print', '-o'],
    ['-print', ','],
    ['-exec', 'echo', '{}', 'x', '+'],
    ['-name', 'a', '-maxdepth', '1'],
    ['-type', 'f,'],
  ],
];

const LS =
  '-a|-A|-1|-C|-x|-m|-F|-p|-r|-t|-S|-X|-v|-U|-R|-d|-B|-Q|-b|-q|-N|-w 30|-w 60|-L|-H|-f|--group-directories-first|--color=always|-I *.c|--hide=a|-T 4|--quoting-style=c|--quoting-style=shell|--file-type|--indicator-style=slash|--sort=size|--sort=time|--sort=width|-u|--zero|--format=commas|--quoting-style=shell-escape|--color=never|--sort=version|--sort=extension|--time=access|--indicator-style=classify|--indicator-style=none|--format=across|--format=vertical|--format=single-column|--quoting-style=literal|--quoting-style=shell-always|--quoting-style=c-maybe|--quoting-style=locale|--quoting-style=clocale|--quoting-style=escape|--quoting-style=shell-escape-always|-w 0|-w 1|-w 200|-T 0|-I d*|--ignore=[ab]*|--hide=*|--show-control-chars|--escape|--quote-name|--literal|--classify=never|--classify|--classify=always|--almost-all|--all|--reverse|--recursive|--width=20'.split(
    '|',
  );
const LS_WRONG =
  '--sort=foo|--format=x|-w x|--time-style=bogus|--quoting-style=zz|--color=sometimes|-T x|--no-such|--time=x|-y|--indicator-style=q|--block-size=q'.split(
    '|',
  );
const LONG =
  '-l|-n|-g|-o|-G|-h|--si|--time-style=long-iso|--time-style=iso|--time-style=+%Y|--time-style=full-iso|-lk|--author|--block-size=K|-s|--full-time|--no-group|--numeric-uid-gid|--block-size=1|--human-readable|--time-style=locale|--block-size=M|--block-size=human-readable|--block-size=2'.split(
    '|',
  );

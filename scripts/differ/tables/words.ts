// Programs whose arguments are their input, and those that show or sum up bytes.

import { anyText, bytes, textOf } from '../inputs.ts';
import { onText, small, type Table } from '../maker.ts';
import type { Random } from '../random.ts';

const path = (random: Random): string =>
  random.text(1, 5, ['/', 'a', 'b.c', '.', '..', '//', 'foo', ' ', 'x.c']) || '.';

const format = (random: Random): string =>
  random
    .list(1, 4, () =>
      random.pick([
        '%s',
        '%d',
        '%5d',
        '%-5s|',
        '%05d',
        '%x',
        '%o',
        '%X',
        '%c',
        '%b',
        '%q',
        '%e',
        '%.2f',
        '%g',
        '%G',
        '%i',
        '%u',
        '%+d',
        '% d',
        '%#x',
        '%5.3s|',
        '%*d',
        '%%',
        '\\n',
        '\\t',
        '\\101',
        '\\x41',
        '\\\\',
        'text',
        ' ',
        '%z',
        '\\c',
        '%.3d',
        "%'d",
      ]),
    )
    .join('');

const argument = (random: Random): string =>
  random.pick([
    '',
    'a',
    'foo bar',
    '1',
    '-1',
    '010',
    '0x1F',
    '3.14',
    "'A",
    '"b',
    '1e3',
    'abc',
    '99999999999999999999',
    'a\\nb',
    '\\101',
    '+5',
    ' 7',
    '7x',
    '-0',
    'inf',
    'nan',
    'é',
    "it's",
    'a\tb',
    '\\c',
    '12345678',
    '-9223372036854775808',
    '9223372036854775807',
  ]);

const integer = (random: Random): string =>
  String(random.pick([0, 1, 2, 3, 5, 10, 12, 99, 100, -1, -5, 1.5, 0.1, 0.25, -2.5, 1e3, 7]));

const condition = (random: Random): string[] =>
  random.pick([
    [
      random.pick('-n|-z|-e|-f|-d|-r|-w|-x|-s|-L|-h|-p|-S|-b|-c|-u|-g|-k|-O|-G|-N|-t'.split('|')),
      random.pick([
        '',
        'f',
        'd',
        'l',
        'dangling',
        'missing',
        '0',
        'a',
        '/dev/null',
        'p',
        '-n',
        ')',
      ]),
    ],
    [
      random.pick(['a', '', '1', 'f', '-n', '!', '10']),
      random.pick(['=', '!=', '==', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-nt', '-ot', '-ef']),
      random.pick([
        'a',
        '',
        '1',
        'f',
        'd',
        '2',
        '09',
        'x',
        ' 3 ',
        '-1',
        '+1',
        '99999999999999999999',
        'hard',
        '0x1',
        '1.5',
      ]),
    ],
    [random.pick(['a', '', '!', '-n', '(', ')', '-q', '--', '-', '-a', '='])],
    [],
  ]);

const conditions = (random: Random): string[] => [
  ...random.some(['!', '! !', '('], 1),
  ...condition(random),
  ...(random.once(3) ? [random.pick(['-a', '-o']), ...condition(random)] : []),
  ...(random.once(8)
    ? [random.pick(['-a', '-o']), ...random.some(['!'], 1), ...condition(random)]
    : []),
  ...random.some([')', '-l'], random.once(4) ? 1 : 0),
];

const DATES =
  '2001-02-03 04:05:06|@0|@1234567890|@-1|2024-02-29|2000-01-01T12:34:56Z|1 Jan 1999|Jan 31 2023 +1 month|2020-12-31 23:59:59 UTC|2021-06-15 12:00 +0200|2022-03-04 +2 days|2022-03-04 -1 week|12:34 2005-05-05|2010-10-10 10:10:10.123456789|20110203|2011-02-30|nonsense|2023-05-05 yesterday|2023-05-05 3 days ago|2023-05-05 next monday|Thu, 01 Jan 1970 00:00:10 +0000|1999-12-31 11:59 PM|02/03/2004|2004/05/06|2001-W05'.split(
    '|',
  );

/** A day, a time, a zone and distances from it, in any order. */
const dateText = (random: Random): string => {
  if (random.once(3)) return random.pick(DATES);
  const day = random.pick([
    ...[
      '2023-05-05',
      '2024-02-29',
      '2021-12-31',
      '3 Feb 2001',
      'Feb 3, 2001',
      '3-Feb-2001',
      '2/3/2001',
    ],
    ...['20010203', '2001/2/3', '70-01-01', '5 September 1999', 'Sat, 03 Feb 2001', '1999-2-30'],
  ]);
  const parts = random
    .some(
      '12:30|23:59:59|4pm|12:30 AM|04:05:06.5|0405|12:00 +0130|UTC|EST|PDT|z|UTC+3|m|+1 month|-1 month|2 days ago|next year|last week|3 weeks|1 fortnight ago|90 minutes|monday|next friday|last sun|third tuesday|tomorrow|yesterday|now|1 hour ago|1.5 sec|-1 day +1 hour|ago|noon|(so)|x9|12:60|25:00'
        .split('|')
        .map((part) => part.replaceAll(' ', '_')),
      3,
    )
    .map((part) => part.replaceAll('_', ' '));
  return (random.once(4) ? [...parts, day] : [day, ...parts]).join(' ');
};

const sums = (name: string) => (r: Random) => {
  const made = onText(r, [name, ...r.some(['-b', '-t', '--tag', '-z'], 1)]);
  if (!r.once(3)) return made;
  const check = r.some(['--quiet', '--status', '-w', '--strict', '--ignore-missing'], 2);
  const damage = r.pick(['', 'echo x >> f', 'echo junk >> sums', 'rm g', "sed -i 's/^./0/' sums"]);
  return {
    files: { f: anyText(r), g: 'g\n' },
    setup: [`${name} ${r.pick(['', '--tag', '-b'])} f g > sums`, damage],
    words: [name, '-c', ...check, 'sums'],
  };
};

export const wordTable: Table = {
  basename: (r) => ({
    files: {},
    words: ['basename', ...r.some(['-a', '-s .c', '-z'], 2), ...r.list(0, 3, () => path(r))],
  }),
  dirname: (r) => ({
    files: {},
    words: ['dirname', ...r.some(['-z'], 1), ...r.list(0, 3, () => path(r))],
  }),
  echo: (r) => ({
    files: {},
    words: [
      'echo',
      ...r.some(['-n', '-e', '-E', '-ne', '-x'], 2),
      ...r.list(0, 3, () => argument(r)),
    ],
  }),
  printf: (r) => {
    const text = format(r);
    // The host's has numbers of 80 bits: those tell 2^63 - 1, and show it by %a in their own way.
    const isExact = !/%[^%a-z]*[efg]/i.test(text);
    const args = r.list(0, 4, () => argument(r)).filter((one) => isExact || one.length < 19);
    // Behind \c the host's forgets that a number was wrong, which POSIX does not allow it.
    const isNumeric = /%[^%a-z]*[diouxXeEfFgG]/.test(text);
    return { files: {}, words: ['printf', isNumeric ? text.replace('\\c', '') : text, ...args] };
  },
  seq: (r) => ({
    files: {},
    words: [
      'seq',
      ...r.some(['-w', '-s,', '-s', '-f%.2f', '-f%03g', '-f%g.', '-fx'], 2),
      ...r.list(1, 3, () => integer(r)),
    ],
    tail: ' | head -n 50',
  }),
  test: (r) => ({
    files: { f: 'x', a: '' },
    // Times are set: what the clock of the host tells apart is not what ours does.
    setup: [
      'mkdir d; ln -s f l; ln -s nowhere dangling; chmod 640 f; mkfifo p; ln f hard; : > -n',
      'touch -d 2001-01-01 a; touch -d 2010-01-01 f d; touch -ad 2009-01-01 f',
    ],
    words: ['test', ...conditions(r)],
  }),
  '[': (r) => ({ files: { f: 'x' }, words: ['[', ...condition(r), ...(r.once(9) ? [] : [']'])] }),
  true: (r) => ({ files: {}, words: ['true', ...r.some(['x', '--foo'], 1)] }),
  false: (r) => ({ files: {}, words: ['false', ...r.some(['x', '--foo'], 1)] }),
  yes: (r) => ({
    files: {},
    words: ['yes', ...r.list(0, 2, () => argument(r))].filter((word) => !word.startsWith('-')),
    tail: ' | head -n 3',
  }),
  env: (r) => ({
    files: {},
    words: [
      'env',
      '-i',
      ...r.some(['-u A', '-0', '-C d'], 2),
      ...r.list(0, 2, () => r.pick(['A=1', 'B=x y', 'C=', 'A=2'])),
      ...r.pick([
        [],
        ['printenv-missing'],
        ['/bin/echo', 'hi'],
        ['/bin/sh', '-c', 'echo "$A"; pwd | tail -c 3'],
      ]),
    ],
    setup: ['mkdir d'],
  }),
  date: (r) => ({
    files: { f: '' },
    setup: ["touch -d '2001-02-03 04:05:06.789' f"],
    words: [
      'date',
      ...r.some(
        '-u|-R|-I|-Iseconds|-Ins|--rfc-3339=seconds|--rfc-3339=date|-Iminutes'.split('|'),
        1,
      ),
      ...(r.once(6) ? ['-r', 'f'] : ['-d', dateText(r)]),
      ...r.some(
        '+%Y-%m-%d|+%s|+%a_%A_%b_%B|+%c|+%x_%X|+%D_%F_%T|+%j_%U_%W_%V_%G_%u_%w|+%H%I%k%l%M%p%P%r%R|+%N_%3N_%S|+%Z_%z_%:z_%::z|+%e%n%t%%|+%C_%y_%g_%h|+%-d_%_d_%05d_%^a_%#Z|+%10Y_%-m_%_5m|+%q_%E|+%Q'.split(
          '|',
        ),
        1,
      ),
    ],
  }),
  numfmt: (r) => {
    const options = r.some(
      '--from=si|--from=iec|--from=auto|--from=iec-i|--to=si|--to=iec|--to=iec-i|--field=2|--field=1-2|--field=-|-d:|--format=%.1f|--format=%8.3f|--format=%-8fx|--format=%08f|--padding=8|--padding=-8|--round=up|--round=down|--round=nearest|--round=towards-zero|--invalid=fail|--invalid=warn|--invalid=ignore|--suffix=B|--header|--from-unit=512|--to-unit=1000'.split(
        '|',
      ),
      4,
    );
    if (r.once(2))
      return {
        files: {},
        words: [
          'numfmt',
          ...options,
          '--',
          ...r.list(1, 4, () =>
            r.pick([
              textOf(r, 'sizes', 1).trim(),
              integer(r),
              '1Ki',
              '999999',
              '1023',
              '1B',
              '-1500',
              '123456789',
              '0.05',
            ]),
          ),
        ],
      };
    return onText(r, ['numfmt', ...options], {
      takes: 'input',
      kind: r.pick(['sizes', 'numbers', 'columns'] as const),
    });
  },
  od: (r) =>
    onText(
      r,
      [
        'od',
        ...r.some(
          '-An|-Ad|-Ax|-c|-a|-b|-d|-o|-x|-s|-i|-tx1|-tx2|-tu1|-td4|-to2|-tc|-ta|-tx1z|-tf4|-tx8|-w8|-w3|-v|-N10|-j3|-S3|--endian=big|-tx1o2|-tcx1z|-tdC|-tuS|-txI|-toL|-td8|-tu8|-tfF|-tfD|-tf8|-f|-l|-tx2z -tc|-ta -tu1|-j 0x3|-j 010|-N 0|-N 1b|-j 600|--strings=2|-S|-w|-w16|-w32|-w1|-An -v|--format=x1|--address-radix=x|--skip-bytes=2|--read-bytes=20|--width=4|--output-duplicates|-Aq|-tq|-tx3|-w0|-wx|-Nx|--endian=big -tx4'.split(
            '|',
          ),
          3,
        ),
      ],
      { text: bytes },
    ),
  hexdump: (r) =>
    onText(
      r,
      ['hexdump', ...r.some(['-C', '-c', '-b', '-d', '-o', '-x', '-v', '-n 20', '-s 3'], 2)],
      { text: bytes },
    ),
  hd: (r) => ({
    files: { f: bytes(r) },
    words: ['hexdump', '-C', ...r.some(['-v', '-n 20', '-s 3'], 2), 'f'],
  }),
  base64: (r) =>
    onText(r, ['base64', ...r.some(['-w0', '-w10', '-d', '-i', '-di'], 1)], {
      takes: 'one',
      text: (random) =>
        random.once(3)
          ? random.text(1, 6, ['YWJj', 'Zm9v', 'YQ==', '\n', '=', '*', 'YWI='])
          : bytes(random),
    }),
  base32: (r) =>
    onText(r, ['base32', ...r.some(['-w0', '-w10', '-d', '-i'], 1)], {
      takes: 'one',
      text: (random) =>
        random.once(3)
          ? random.text(1, 4, ['MFRGG===', 'MZXW6YQ=', '\n', 'a', 'MFRGGZDF'])
          : bytes(random),
    }),
  cksum: (r) =>
    onText(r, [
      'cksum',
      ...r.some(
        '-a md5|-a sha256|-a crc|-a bsd|-a sysv|-a sha1|-a blake2b|--untagged|--tag'.split('|'),
        2,
      ),
    ]),
  sum: (r) => onText(r, ['sum', ...r.some(['-r', '-s'], 1)]),
  ...Object.fromEntries(
    ['md5sum', 'sha1sum', 'sha224sum', 'sha256sum', 'sha384sum', 'sha512sum', 'b2sum'].map(
      (name) => [name, sums(name)],
    ),
  ),
  strings: (r) =>
    onText(
      r,
      [
        'strings',
        ...r.some(['-n 2', '-n 3', '-t d', '-t x', '-t o', '-f', '-w', '-a', '-o'], 2),
        'f',
      ],
      { takes: 'input', text: (random) => bytes(random) + textOf(random, 'odd') },
    ),
  gzip: (r) => ({
    files: { f: anyText(r), g: 'x\n' },
    words: [
      'gzip',
      ...r.some(['-k', '-1', '-9', '-n', '-f', '-v', '-S.z'], 2).filter((word) => word !== '-v'),
      'f',
      ...r.some(['g', 'missing'], 1),
    ],
    tail: '; for name in *z; do echo "$name"; gzip -dc -S .z < "$name"; gzip -t -S .z "$name"; rm -f "$name"; done; ls',
  }),
  gunzip: (r) => ({
    files: { f: anyText(r) },
    setup: [
      r.pick(
        'gzip f|gzip -k f|gzip -c f > g.gz; gzip f|printf junk > f.gz; rm f|gzip f; truncate -s -3 f.gz|gzip f; echo junk >> f.gz'.split(
          '|',
        ),
      ),
    ],
    words: ['gunzip', ...r.some(['-k', '-c', '-f', '-t', '-q'], 2), 'f.gz'],
    tail: '; ls; rm -f *.gz',
    tree: true,
  }),
  zcat: (r) => ({
    files: { f: anyText(r), g: 'G\n' },
    setup: ['gzip f g', r.pick(['', 'cat g.gz >> f.gz', 'echo > f.gz'])],
    words: ['zcat', ...r.some(['-f'], 1), 'f.gz', ...r.some(['g', 'g.gz', 'missing'], 1)],
  }),
  dd: (r) => ({
    files: { f: anyText(r), out: 'old contents\n' },
    words: [
      'dd',
      ...r.some(
        'bs=1|bs=4|bs=7|ibs=3|obs=5|count=2|skip=1|conv=notrunc|conv=ucase|conv=swab|conv=sync|conv=lcase,notrunc|iflag=fullblock|cbs=5 conv=block|conv=excl|status=noxfer|iflag=count_bytes'.split(
          '|',
        ),
        5,
      ),
      'status=none',
      ...r.pick([['if=f', 'of=out'], ['if=f', 'of=out', 'seek=2'], ['if=f'], ['of=new']]),
    ],
    stdin: 'f',
    tree: true,
  }),
  truncate: (r) => ({
    files: { f: anyText(r), g: '' },
    words: [
      'truncate',
      ...r.some(['-c', '-r f'], 1),
      `-s${r.pick(['', '+', '-', '<', '>', '/', '%'])}${small(r)}${r.pick(['', 'K', 'kB', 'x'])}`,
      'f',
      ...r.some(['new', 'g'], 1),
    ],
    tree: true,
  }),
};

// The workloads of a campaign. Singles and pairs follow ACE (Mohan et al., "Finding Crash-Consistency
// Bugs with Bounded Black-Box Crash Testing", OSDI 2018): every operation on four directories with
// two files each, each followed by fsync, fdatasync, sync or nothing. What a file system does only
// after more than two operations has workloads of its own, with names.

/** The tree that every workload finds: in each directory `foo`, an empty `sub`, and no `bar`. */
const DIRECTORIES = ['', 'A/', 'B/', 'A/C/'];

export const SETUP = [
  'mkdir A; mkdir B; mkdir A/C',
  ...DIRECTORIES.flatMap((dir) => [
    `create ${dir}foo; append ${dir}foo 5000; mkdir ${dir}sub; setxattr ${dir}foo user.old 20`,
  ]),
].join('; ');

/** One operation: what it does, and what a program would sync afterwards. */
interface Single {
  readonly text: string;
  readonly sync: readonly string[];
}

/** Every workload is followed by what an idle system does, and by an unmount. */
const END = '; tick; tick; unmount';

function operations(): Single[] {
  const of = (text: string, ...sync: string[]): Single => ({ text, sync });
  const parent = (dir: string): string => (dir === '' ? '/' : dir.slice(0, -1));
  return DIRECTORIES.flatMap((dir) => {
    const [foo, bar, sub] = [`${dir}foo`, `${dir}bar`, `${dir}sub`];
    return [
      of(`create ${bar}`, bar, parent(dir)),
      of(`mkdir ${bar}`, bar, parent(dir)),
      of(`create ${bar}; append ${bar} 3000`, bar),
      of(`append ${foo} 3500`, foo),
      of(`append ${foo} 20000`, foo),
      of(`write ${foo} 1024 2048`, foo),
      of(`write ${foo} 700 1500`, foo),
      of(`write ${foo} 12000 2000`, foo),
      of(`write ${foo} 4000 3000`, foo),
      of(`truncate ${foo} 1700`, foo),
      of(`truncate ${foo} 0`, foo),
      of(`truncate ${foo} 9000`, foo),
      of(`symlink ${bar} 20`, parent(dir)),
      of(`symlink ${bar} 200`, parent(dir)),
      of(`unlink ${foo}`, parent(dir)),
      of(`rmdir ${sub}`, parent(dir)),
      of(`setxattr ${foo} user.a 30`, foo),
      of(`setxattr ${foo} user.b 400`, foo),
      of(`setxattr ${foo} user.old 25`, foo),
      of(`removexattr ${foo} user.old`, foo),
      ...DIRECTORIES.flatMap((other) => [
        of(`link ${foo} ${other}bar`, foo, parent(other)),
        of(`rename ${foo} ${other}bar`, `${other}bar`, parent(other)),
        ...(other === dir ? [] : [of(`rename ${foo} ${other}foo`, `${other}foo`, parent(dir))]),
      ]),
      ...DIRECTORIES.flatMap((other) =>
        other === dir ? [] : [of(`rename ${sub} ${other}sub`, parent(other))],
      ),
    ];
  });
}

const syncs = ({ text, sync }: Single): string[] => [
  text,
  `${text}; sync`,
  ...sync.flatMap((path) => [`${text}; fsync ${path}`, `${text}; fdatasync ${path}`]),
];

export const singles = (): string[] =>
  operations()
    .flatMap(syncs)
    .map((text) => text + END);

/** A seeded sample of pairs, each operation with a sync of its own; impossible ones are left out. */
export function pairs(
  count: number,
  random: () => number,
  fits: (text: string) => boolean,
): string[] {
  const all = operations().flatMap(syncs);
  const out = new Set<string>();
  for (let tries = 0; out.size < count && tries < 100 * count; tries++) {
    const text = `${all[random() % all.length]}; ${all[random() % all.length]}${END}`;
    if (fits(text)) out.add(text);
  }
  return [...out];
}

/** A seeded sample of what comes together: two lots of small operations on different files, and a sync. */
export function together(
  count: number,
  random: () => number,
  fits: (text: string) => boolean,
): string[] {
  const out = new Set<string>();
  const pick = <T>(all: readonly T[]): T => all[random() % all.length] as T;
  const lot = (name: string): string => {
    const all = new Map<string, string>();
    for (let i = 2 + (random() % 5); i > 0; i--) {
      const [dir, size] = [pick(DIRECTORIES), 100 + (random() % 4000)];
      const [fresh, foo] = [`${dir}${name}${i}`, `${dir}foo`];
      const [path, text] = pick([
        [fresh, `create ${fresh}`],
        [fresh, `create ${fresh}`],
        [fresh, `mkdir ${fresh}`],
        [fresh, `symlink ${fresh} ${20 + (random() % 200)}`],
        [foo, `append ${foo} ${size}`],
        [foo, `write ${foo} ${random() % 4000} ${size}`],
      ] as const);
      all.set(path, text);
    }
    return [...all.values()].join(' & ');
  };
  const syncs = ['fsync /', 'fsync A', 'fdatasync foo', 'fsync A/C/foo', 'sync', 'tick'];
  for (let tries = 0; out.size < count && tries < 100 * count; tries++) {
    const text = `${lot('x')}; ${pick(syncs)}; ${lot('y')}; ${lot('z')}; ${pick(syncs)}${END}`;
    if (fits(text)) out.add(text);
  }
  return [...out];
}

const rounds = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join('; ');

const files = (count: number, text: (path: string) => string): string =>
  rounds(count, (i) => text(`A/C/sub/f${i}${LONG}`));

/** A name of `crowd`: long, so that few of them fill a block. */
const LONG = '-long'.repeat(20);

/** About sixteen blocks of the log, two of them a directory's that was freed. */
const commits = (count: number): string =>
  rounds(count, (i) => {
    const bar = `${DIRECTORIES[i % 4]}bar`;
    return `mkdir ${bar}; sync; rmdir ${bar}; append foo 30${i % 4 === 3 ? '; fsync foo' : ''}`;
  });

/** Reserving room and taking it away, where a file has extents: 4 KiB are whole blocks everywhere. */
export const ALLOCATING: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    reserve: 'reserve foo 0 30000; fsync foo; write foo 5000 9000; fsync foo; truncate foo 100',
    'reserve-unsynced': 'reserve foo 3000 50000; write foo 20000 3000; tick; rename foo B/bar',
    punch: 'append foo 40000; fsync foo; punch foo 8192 8192; fsync foo; write foo 9000 3000',
    'punch-all': 'append foo 20000; sync; punch foo 0 24576; sync; append A/foo 20000; fsync A/foo',
    'punch-reuse':
      'append foo 40000; sync; punch foo 4096 32768; create bar; append bar 30000; fsync bar',
    zero: 'append foo 40000; fsync foo; zero foo 4096 16384; fsync foo; write foo 6000 2000; fsync foo',
    'zero-unsynced': 'append foo 30000; sync; zero foo 0 12288; append foo 100; tick; unlink foo',
    'punch-many': `${rounds(12, (i) => `write foo ${i * 8192} 4096`)}; sync; punch foo 0 57344; reserve foo 4096 40960; sync`,
  }).map(([name, text]) => [name, text + END]),
);

/** What takes more than two operations to get there. */
export const SPECIAL: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    orphan:
      'open foo; append foo 9000; unlink foo; sync; create bar; append bar 9000; fsync bar; close foo',
    'orphan-two':
      'open foo; open A/foo; unlink foo; unlink A/foo; fsync B; close A/foo; sync; close foo',
    'long-truncate': `${rounds(30, (i) => `write foo ${i * 4096} 1500`)}; sync; truncate foo 100; append foo 2000; fsync foo`,
    'long-unlink': `${rounds(30, (i) => `write foo ${i * 4096} 1500`)}; sync; unlink foo; fsync /; create foo; append foo 7000; fsync foo`,
    // A new file takes the inode of the directory before it, and with it the same blocks.
    revoke: `crowd B/sub 20 x; sync; ${rounds(20, (i) => `unlink B/sub/x${i}${LONG}`)}; rmdir B/sub; sync; create B/bar; append B/bar 9000; fsync B/bar`,
    'revoke-symlink':
      'symlink bar 300; sync; unlink bar; sync; create bar; append bar 3000; fsync bar; unlink bar; sync; symlink bar 400; fsync /',
    htree: `crowd A 40 n; sync; crowd A 12 m; fsync A; rename A/n3${LONG} B/bar; fsync B`,
    idle: 'create bar; fsync bar; tick; tick; rename bar B/bar; fsync B/bar; tick; append B/bar 2000; fsync B/bar',
    wrap: `${commits(120)}; sync`,
    // A transaction that overwrites more of the log than was free before the tail moved.
    'wrap-large': `${commits(10)}; sync; crowd A/C/sub 90 f; sync; ${commits(52)}; sync; ${files(90, (path) => `setxattr ${path} user.b 400`)}; sync`,
    reuse: 'unlink foo; create bar; append bar 3000; append A/foo 9000; write A/C/foo 6000 3000',
    'save-file': 'create bar; append bar 6000; fsync bar; rename bar foo; fsync /',
    'save-no-sync':
      'create bar; append bar 6000; rename bar foo; tick; append foo 10; fdatasync foo',
    grow: 'truncate foo 100; truncate foo 4000; append foo 10; fsync foo; truncate foo 50; write foo 9000 10; fsync foo',
    swap: 'rename A/C B/C; rename B/sub A/C; fsync A; rename B/C/foo foo; fsync /',
  }).map(([name, text]) => [name, text + END]),
);

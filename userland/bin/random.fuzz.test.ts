// Random patterns, keys, sets and scripts over random text, with ours and the host's tools. The seed is
// printed; ATOLL_SEED repeats one, ATOLL_ROUNDS makes more of it.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { runOnHost } from '../libc/testing/host-sys.ts';
import { programs } from './registry.ts';

const seed = Number(process.env['ATOLL_SEED'] ?? Date.now() % 1_000_000);
const rounds = Number(process.env['ATOLL_ROUNDS'] ?? 120);
const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** xorshift32: the same numbers for the same seed. */
function generator(start: number): (below: number) => number {
  let state = (start * 2654435761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

type Random = (below: number) => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T;
const many = (random: Random, most: number, make: () => string): string =>
  Array.from({ length: random(most) + 1 }, make).join('');

const text = (random: Random): string =>
  many(random, 30, () => {
    const line = many(random, 14, () => pick(random, [...'aab bcAB012. -:\t\\x']));
    return line + (random(40) === 0 ? '' : '\n');
  });

function pattern(random: Random, extended: boolean, depth = 0): string {
  const atom = (): string => {
    const kind = random(depth > 2 ? 6 : 8);
    if (kind < 3) return pick(random, [...'abcAB01 x']);
    if (kind === 3) return '.';
    if (kind === 4)
      return pick(random, ['[ab]', '[^a]', '[a-c]', '[[:digit:]]', '[[:upper:]b]', '[]a]', '[.]']);
    // Assertions inside repeated groups are where the host's matcher and POSIX part.
    const asserts = depth === 0 ? ['\\<', '\\>', '\\b', '^', '$'] : [];
    if (kind === 5) return pick(random, ['\\.', '\\w', '\\W', ...asserts]);
    const inner = pattern(random, extended, depth + 1);
    return extended ? `(${inner})` : `\\(${inner}\\)`;
  };
  const counted = (): string => {
    const repeat = extended
      ? pick(random, ['', '', '', '*', '+', '?', '{2}', '{1,2}', '{0,1}'])
      : pick(random, ['', '', '', '*', '\\+', '\\?', '\\{2\\}', '\\{1,2\\}']);
    const one = atom();
    return /^(\^|\$|\\[<>b])$/.test(one) ? one : one + repeat;
  };
  const branch = (): string => many(random, 3, counted);
  const bar = extended ? '|' : '\\|';
  return random(4) === 0 ? `${branch()}${bar}${branch()}` : branch();
}

const key = (random: Random): string =>
  `-k${random(3) + 1}${random(2) ? `.${random(3) + 1}` : ''}${pick(random, ['', 'n', 'r', 'b', 'f', 'nr', 'd'])}${
    random(2) ? `,${random(3) + 1}${random(3) === 0 ? `.${random(3)}` : ''}` : ''
  }`;

function command(random: Random): string[] {
  const extended = random(2) === 0;
  const flag = extended ? '-E' : '-G';
  switch (random(9)) {
    case 0:
      return [
        'grep',
        flag,
        pick(random, ['-n', '-c', '-v', '-i', '-w', '-x', '-h']),
        pattern(random, extended),
        'f',
      ];
    case 1:
      return [
        'grep',
        flag,
        pick(random, ['-o', '-on', '-ob', '-oi']),
        pattern(random, extended),
        'f',
      ];
    case 2:
      return [
        'grep',
        `-A${random(3)}`,
        `-B${random(3)}`,
        '-n',
        `-m${random(4) + 1}`,
        pick(random, ['a', 'b', 'x', '0']),
        'f',
        'g',
      ];
    case 3:
      return [
        'sort',
        ...Array.from({ length: random(3) }, () => key(random)),
        ...(random(2) ? ['-t:'] : []),
        ...pick(random, [[], ['-s'], ['-u'], ['-r'], ['-n'], ['-f'], ['-b']]),
        'f',
        'g',
      ];
    case 4:
      return [
        'cut',
        pick(random, ['-d:', '-d ', '-d-']),
        `-f${random(3) + 1}${pick(random, ['', '-', ',4', '-5'])}`,
        ...(random(2) ? ['-s'] : []),
        'f',
      ];
    case 5:
      return [
        'tr',
        ...pick(random, [['-d'], ['-s'], ['-cd'], ['-cs'], []]).flatMap((o) => [o]),
        pick(random, ['a-c', '[:upper:]', '0-9 ', 'ab']),
        ...[],
      ].concat(['xyz']);
    case 6:
      return [
        'uniq',
        ...pick(random, [[], ['-c'], ['-d'], ['-u'], ['-i'], ['-f1'], ['-s2'], ['-w3']]),
        'f',
      ];
    case 7:
      return [
        'sed',
        ...(extended ? ['-E'] : []),
        `s/${pattern(random, extended)}/<&>/${pick(random, ['', 'g', '2', 'gI', '2g'])}`,
        'f',
      ];
    default:
      return [
        'sed',
        '-n',
        `${random(6)},${pick(random, ['$', '4', '/a/', '+2', '~3'])}${pick(random, ['p', '!p', 'd;p', '{N;P}', '{x;p}', 'l'])}`.replace(
          /^0,(?!\/)/,
          '1,',
        ),
        'f',
        'g',
      ];
  }
}

test('random command lines do what the host does with them', (t) => {
  t.log(`ATOLL_SEED=${seed}`);
  const random = generator(seed);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'atoll-fuzz-'));
  for (let round = 0; round < rounds; round++) {
    for (const name of ['f', 'g']) fs.writeFileSync(path.join(directory, name), text(random));
    const argv = command(random);
    const stdin = path.join(directory, 'f');
    const input = fs.openSync(stdin, 'r');
    const [name = '', ...args] = argv;
    const host = spawnSync(name, args, {
      cwd: directory,
      env,
      stdio: [input, 'pipe', 'pipe'],
      timeout: 2000,
    });
    fs.closeSync(input);
    const result = runOnHost({ programs, argv, cwd: directory, stdin, env });
    const [theirs, ours] = [host.stdout?.toString('latin1'), result.stdout.toString('latin1')];
    if (theirs === ours && host.status === result.status) continue;
    if (host.error !== undefined) continue; // the tool is not there, or took too long
    t.log(
      JSON.stringify(argv),
      fs.readFileSync(stdin, 'latin1'),
      result.stderr,
      host.stderr.toString(),
    );
    t.is(ours, theirs, `round ${round} of seed ${seed}`);
    t.is(result.status, host.status ?? -1, `status in round ${round} of seed ${seed}`);
    return;
  }
  fs.rmSync(directory, { recursive: true, force: true });
  t.pass();
});

// Regular expressions of grep, sed, awk and of the shell's matching.

import type { Random } from '../random.ts';

/** Assertions stand outside of groups alone: within them the host's matcher and POSIX part. */
export function pattern(random: Random, extended: boolean, depth = 0): string {
  const group = (inner: string): string => (extended ? `(${inner})` : `\\(${inner}\\)`);
  const atom = (): string => {
    const kind = random.below(depth > 1 ? 7 : 9);
    if (kind < 4) return random.pick(['a', 'b', 'f', 'o', 'x', 'A', '1', ' ', 'oo', 'ab']);
    if (kind === 4) return '.';
    if (kind === 5)
      return random.pick(
        '[ab]|[^a]|[a-c]|[[:digit:]]|[[:upper:]b]|[]a]|[.]|[^[:space:]]|[a-]'.split('|'),
      );
    if (kind === 6)
      return random.pick([
        '\\.',
        '\\w',
        '\\W',
        '\\s',
        '\\S',
        '\\/',
        '\\*',
        ...(depth === 0 ? ['\\<', '\\>', '\\b', '\\B', '^', '$'] : []),
      ]);
    return group(pattern(random, extended, depth + 1));
  };
  const repeated = (): string => {
    const one = atom();
    if (/^(\^|\$|\\[<>bB])$/.test(one) || !random.once(3)) return one;
    return (
      one +
      random.pick(
        extended
          ? ['*', '+', '?', '{2}', '{1,2}', '{,2}', '{0,1}', '{2,}']
          : ['*', '\\+', '\\?', '\\{2\\}', '\\{1,2\\}', '\\{2,\\}'],
      )
    );
  };
  const branch = (): string => random.list(1, 3, repeated).join('');
  return random.once(5) ? `${branch()}${extended ? '|' : '\\|'}${branch()}` : branch();
}

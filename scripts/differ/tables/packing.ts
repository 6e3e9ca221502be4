// zstd: what is packed differs from zstd's own, and comes back the same.

import { anyText } from '../inputs.ts';
import type { Table } from '../maker.ts';
import type { Random } from '../random.ts';

/** A text, now and then a long one that repeats itself. */
const material = (r: Random): string =>
  r.once(3) ? anyText(r).repeat(1 + r.below(200)) : anyText(r);

export const packingTable: Table = {
  zstd: (r) => ({
    files: { f: material(r), g: 'x\n', 'g.zst': 'taken\n' },
    words: [
      'zstd',
      ...r.some(
        ['-k', '-1', '-19', '-f', '-q', '--rm', '--no-check', '-T0', '--long', '--fast=3'],
        2,
      ),
      'f',
      ...r.some(['g', 'missing', '-o out', '-c'], 1),
    ],
    tail: ' | zstd -dc; rm -f g.zst; for name in *.zst out; do [ -e "$name" ] || continue; echo "$name"; zstd -dc < "$name"; zstd -tq "$name"; rm -f "$name"; done; ls',
    vague: true,
  }),
  unzstd: (r) => ({
    files: { f: material(r) },
    setup: [
      r.pick(
        'zstd -q f|zstd -q --rm f|zstd -qc f > g.zst; zstd -q f|printf junk > f.zst; rm f|zstd -q f; truncate -s -3 f.zst|zstd -q f; echo junk >> f.zst|zstd -q f; zstd -qc f >> f.zst; rm f'.split(
          '|',
        ),
      ),
    ],
    words: ['unzstd', ...r.some(['-k', '-c', '-f', '-t', '-q', '--rm'], 2), 'f.zst'],
    tail: '; ls; rm -f *.zst',
    tree: true,
    vague: true,
  }),
  zstdcat: (r) => ({
    files: { f: material(r), g: 'G\n' },
    setup: ['zstd -q f g', r.pick(['', 'cat g.zst >> f.zst', 'echo > f.zst'])],
    words: ['zstdcat', ...r.some(['-q'], 1), 'f.zst', ...r.some(['g', 'g.zst', 'missing'], 1)],
    vague: true,
  }),
};

// The yardsticks mtools and hfsutils, as a user has them: a command for the large file, a command for the many;
// the start of its process is a part of it, and so is the flush of the image behind what was written.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../row.ts';
import { FIVE, type Figures, type Load, mbPerSecond, perSecond } from './load.ts';

/** Shell commands; `$image` is the volume, `$round` a number, `source` and `many/` what is to be copied. */
interface Tool {
  readonly name: string;
  readonly begin?: string;
  readonly beforeWrite?: string;
  readonly write: string;
  readonly read: string;
  readonly beforeCopy: string;
  readonly copy: string;
}

const TOOLS: Readonly<Record<string, Tool>> = {
  fat32: {
    name: 'mtools',
    write: 'mcopy -o -i "$image" source ::again',
    read: 'mcopy -i "$image" ::again - > /dev/null',
    beforeCopy: 'mmd -i "$image" ::many$round',
    copy: 'mcopy -i "$image" many/* ::many$round',
  },
  hfs: {
    name: 'hfsutils',
    begin: 'hmount "$image" > /dev/null',
    beforeWrite: 'hdel :again 2> /dev/null || true',
    write: 'hcopy -r source :again',
    read: 'hcopy -r :again - > /dev/null',
    beforeCopy: 'hmkdir :many$round',
    copy: 'hcopy -r many/* :many$round',
  },
};

/** What the tool of the format does to a fresh image; undefined where there is none. */
export function toolFigures(
  format: string,
  of: { image: string; directory: string; load: Load },
): { name: string; figures: Figures } | undefined {
  const tool = TOOLS[format];
  if (tool === undefined) return undefined;
  const { image, directory, load } = of;
  mkdirSync(join(directory, 'many'), { recursive: true });
  writeFileSync(join(directory, 'source'), new Uint8Array(load.bytes).fill(7));
  for (let i = 0; i < load.files; i++) writeFileSync(join(directory, 'many', `bench.${i}`), FIVE);
  const run = (script: string, round = 0): number => commandMs({ script, image, directory, round });
  const rounds = (script: string, before = ':'): number =>
    median(
      Array.from({ length: load.rounds }, (_, round) => {
        run(before, round);
        return run(script, round);
      }),
    );
  const flushed = (script: string): string => `${script} && sync "$image"`;
  run(tool.begin ?? ':');
  const write = mbPerSecond(load.bytes, rounds(flushed(tool.write), tool.beforeWrite));
  const read = mbPerSecond(load.bytes, rounds(tool.read));
  const copied = perSecond(load.files, rounds(flushed(tool.copy), tool.beforeCopy));
  return { name: tool.name, figures: { write, read, cached: read, copied } };
}

/** Milliseconds of a script; NaN when it failed, as where the tool is missing. */
function commandMs(of: {
  script: string;
  image: string;
  directory: string;
  round: number;
}): number {
  const env = {
    ...process.env,
    ...{ HOME: of.directory, MTOOLS_SKIP_CHECK: '1', image: of.image, round: String(of.round) },
  };
  const from = performance.now();
  const { status } = spawnSync('sh', ['-ec', of.script], {
    ...{ cwd: of.directory, env, timeout: 240_000 },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  return status === 0 ? performance.now() - from : Number.NaN;
}

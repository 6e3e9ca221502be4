// `npm run bench -- --formats`: every format on every controller, side by side in one machine: reads and
// writes in order and at random places, and files made; beside what mtools, hfsutils and npm's ext2fs do to
// the same kind of image in the same run. A report of its own, without targets.

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boot } from '../../index.ts';
import { CONTROLLERS, diskName } from '../../kernel/abi/disk/controllers.ts';
import { VOLUMES } from '../storm/volumes.ts';
import { ext2fsReads } from './ext2fs.ts';
import { drop, inside, type Stage, sh } from './stage.ts';

const MIB = 1 << 20;
const PIECE = 64 << 10;
const COLUMNS = ['write MB/s', 'read MB/s', 'random 4K reads/s', 'random 4K writes/s', 'files/s'];

/** One line of the table: figures in the order of the columns; undefined = nobody can. */
type Line = readonly [string, ...(number | undefined)[]];

export async function formatRows(stage: Stage, say: (line: string) => void): Promise<Line[]> {
  const lines: Line[] = [];
  const tell = (line: Line): void => {
    lines.push(line);
    const [what, ...figures] = line;
    const cells = COLUMNS.map((_, i) => (figures[i] === undefined ? '-' : shown(figures[i])));
    say(`${what.padEnd(24)}${cells.map((cell) => cell.padStart(20)).join('')}`.trimEnd());
  };
  say(`${''.padEnd(24)}${COLUMNS.map((name) => name.padStart(20)).join('')}`);
  for (const [format, volume] of Object.entries(VOLUMES)) {
    const disks = CONTROLLERS.map((controller) => ({
      ...{ controller, name: diskName(controller, 0) },
      file: join(stage.directory, `${format}-${controller}.img`),
    }));
    const made = await Promise.all(disks.map(({ file }) => volume.make(file)));
    if (made.includes(false)) {
      say(`${format}: nothing to make its volumes with`);
      continue;
    }
    await using os = await boot({ disks, mem: 512 * MIB });
    for (const { name, controller } of disks) {
      const dir = `/mnt/${name}`;
      const mib = stage.size(24, 1);
      const pieces = (mib * MIB) / PIECE;
      const write = await inside(os, `-k -n ${pieces} -s ${PIECE} write ${dir}/big`);
      await drop(os);
      const read = await inside(os, `-n ${pieces} -s ${PIECE} read ${dir}/big`);
      await drop(os);
      const count = stage.size(2000, 50);
      const pread = await inside(os, `-n ${count} pread ${dir}/big`);
      const pwrite = await inside(os, `-n ${count} pwrite ${dir}/big`);
      await sh(os, `mkdir ${dir}/d`);
      const files = await inside(os, `-n ${stage.size(500, 20)} files ${dir}/d`);
      const rates = [pread, pwrite, files].map(({ meanUs }) => 1e6 / meanUs);
      tell([`${format} on ${controller}`, write.mbPerSecond, read.mbPerSecond, ...rates]);
    }
    await os.shutdown();
    for (const line of await yardsticks(stage, { format, file: disks[0]?.file ?? '' })) tell(line);
    for (const { file } of disks) rmSync(file, { force: true });
  }
  return lines;
}

const shown = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

interface Image {
  readonly format: string;
  /** Holds what was written in the machine: `big`. */
  readonly file: string;
}

/** What others do to the image: the same files, by programs that know the format. */
async function yardsticks(stage: Stage, { format, file }: Image): Promise<Line[]> {
  const bytes = stage.size(24, 1) * MIB;
  if (format === 'ext4') {
    const rate = await ext2fsReads(file, { path: '/big', bytes });
    return typeof rate === 'number' ? [['  ext2fs of npm', undefined, rate]] : [];
  }
  const source = join(stage.directory, 'source');
  writeFileSync(source, new Uint8Array(bytes).fill(7));
  const env = { ...process.env, HOME: stage.directory, MTOOLS_SKIP_CHECK: '1' };
  const timed = (script: string): number | undefined => {
    const from = performance.now();
    const { status } = spawnSync('sh', ['-ec', script], { cwd: stage.directory, env });
    return status === 0 ? performance.now() - from : undefined;
  };
  const rate = (ms: number | undefined): number | undefined => ms && bytes / ms / 1000;
  const count = stage.size(500, 20);
  const many = `mkdir -p many; i=0; while [ $i -lt ${count} ]; do echo abcd > many/f$i; i=$((i + 1)); done`;
  timed(many);
  const each = (ms: number | undefined): number | undefined => ms && (count * 1000) / ms;
  if (format === 'fat32') {
    const write = rate(timed(`mcopy -i '${file}' source ::again`));
    const read = rate(timed(`mcopy -n -i '${file}' ::again back`));
    const files = each(timed(`mmd -i '${file}' ::many; mcopy -i '${file}' many/* ::many`));
    return [['  mtools', write, read, undefined, undefined, files]];
  }
  if (format !== 'hfs') return [];
  const write = rate(timed(`hmount '${file}' > /dev/null; hcopy -r source :again`));
  const read = rate(timed('hcopy -r :again back'));
  const files = each(timed('hmkdir :many; hcopy -r many/* :many; humount > /dev/null'));
  return [['  hfsutils', write, read, undefined, undefined, files]];
}

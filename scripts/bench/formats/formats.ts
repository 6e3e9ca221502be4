// `npm run bench -- --formats`: every format on every controller, side by side in one machine, beside what
// mtools, hfsutils and npm's fatfs and ext2fs do to the same kind of image in the same run.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { boot } from '../../../index.ts';
import { CONTROLLERS, diskName } from '../../../kernel/abi/disk/controllers.ts';
import { type TestVolume, VOLUMES } from '../../testing/volumes.ts';
import type { Stage } from '../stage.ts';
import { atollFigures, makeSource } from './atoll.ts';
import { libraryFigures } from './libraries.ts';
import { COLUMNS, columns, type Figures, loadOf } from './load.ts';
import { toolFigures } from './tools.ts';

/** One line of the table. */
export interface FormatRow {
  readonly format: string;
  /** A controller, or what Atoll is compared with. */
  readonly who: string;
  readonly side: 'atoll' | 'yardstick';
  readonly figures: Figures;
}

const { ext4, fat32, exfat, hfs, 'hfs+': plus } = VOLUMES;
const MEASURED: Readonly<Record<string, TestVolume>> = { ext4, fat32, exfat, hfs, 'hfs+': plus };
const VOLUME_MIB = 128;

export const formatNames = Object.keys(MEASURED);

export async function formatRows(
  stage: Stage,
  { names, say }: { names: readonly string[]; say: (line: string) => void },
): Promise<FormatRow[]> {
  const rows: FormatRow[] = [];
  say(`${''.padEnd(24)}${columns.map((id) => COLUMNS[id].padStart(17)).join('')}`);
  for (const format of names) {
    const volume = MEASURED[format];
    if (volume === undefined) continue;
    const found = await rowsOf(stage, format, volume);
    if (found === undefined) say(`${format}: nothing to make its volumes with`);
    for (const row of found ?? []) say(lineOf(row));
    rows.push(...(found ?? []));
  }
  return rows;
}

async function rowsOf(
  stage: Stage,
  format: string,
  volume: TestVolume,
): Promise<FormatRow[] | undefined> {
  const load = loadOf(stage);
  const rows: FormatRow[] = [];
  const { directory } = stage;
  const disks = CONTROLLERS.map((controller) => ({
    ...{ controller, name: diskName(controller, 0) },
    file: join(directory, `${format}-${controller}.img`),
  }));
  const made = await Promise.all(disks.map(({ file }) => volume.make(file, VOLUME_MIB)));
  if (made.includes(false)) return undefined;
  const os = await boot({ disks, mem: 512 << 20 });
  try {
    await makeSource(os, load);
    for (const { name, controller } of disks) {
      const figures = await atollFigures(os, `/mnt/${name}`, load);
      rows.push({ format, who: controller, side: 'atoll', figures });
    }
  } finally {
    await os.shutdown();
    for (const { file } of disks) rmSync(file, { force: true });
  }
  const fresh = async <T>(body: (image: string) => T | Promise<T>): Promise<T> => {
    const image = join(directory, `${format}.img`);
    await volume.make(image, VOLUME_MIB);
    try {
      return await body(image);
    } finally {
      rmSync(image, { force: true });
    }
  };
  const tool = await fresh((image) => toolFigures(format, { image, directory, load }));
  const library = await fresh((image) => libraryFigures(format, { image, load }));
  for (const found of [tool, library]) {
    if (found) rows.push({ format, who: found.name, side: 'yardstick', figures: found.figures });
  }
  return rows;
}

function lineOf({ format, who, side, figures }: FormatRow): string {
  const what = side === 'atoll' ? `${format} on ${who}` : `  ${who}`;
  return `${what.padEnd(24)}${columns.map((id) => shown(figures[id]).padStart(17)).join('')}`;
}

function shown(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

/** Where somebody does the same work faster, and by how much. */
export function behind(rows: readonly FormatRow[]): string[] {
  return rows
    .filter(({ side }) => side === 'atoll')
    .flatMap(({ format, who, figures }) =>
      columns.flatMap((id) => {
        const rivals = rows.filter((row) => row.side === 'yardstick' && row.format === format);
        return rivals.flatMap((rival) => {
          const ratio = (figures[id] ?? Number.NaN) / (rival.figures[id] ?? Number.NaN);
          return ratio < 1
            ? [`${format} on ${who}, ${id}: ${ratio.toPrecision(2)} of ${rival.who}`]
            : [];
        });
      }),
    );
}

/** As docs/performance.md holds it. */
export function formatsMarkdown(rows: readonly FormatRow[]): string {
  const heads = ['', ...columns.map((id) => COLUMNS[id])];
  const lines = rows.map(({ format, who, side, figures }) => [
    side === 'atoll' ? `${format} on ${who}` : who,
    ...columns.map((id) => shown(figures[id])),
  ]);
  return [heads, heads.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}

// `npm run bench -- --formats`: every format on every controller, side by side in one machine, beside what
// mtools, hfsutils and npm's fatfs and ext2fs do to the same kind of image in the same run.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { boot } from '../../../index.ts';
import { CONTROLLERS, diskName } from '../../../kernel/abi/disk/controllers.ts';
import type { Stage } from '../stage.ts';
import { atollFigures, makeSource } from './atoll.ts';
import { libraryFigures } from './libraries.ts';
import { COLUMNS, columns, type Figures, loadOf } from './load.ts';
import { toolFigures } from './tools.ts';
import { BENCH_VOLUMES, type MakeVolume, occupy } from './volumes.ts';

/** One line of the table. */
export interface FormatRow {
  readonly format: string;
  /** A controller, or what Atoll is compared with. */
  readonly who: string;
  readonly side: 'atoll' | 'yardstick' | 'first';
  readonly figures: Figures;
}

const MEM_MIB = 1024;

export const formatNames = Object.keys(BENCH_VOLUMES);

export async function formatRows(
  stage: Stage,
  { names, say }: { names: readonly string[]; say: (line: string) => void },
): Promise<FormatRow[]> {
  const rows: FormatRow[] = [];
  say(`${''.padEnd(24)}${columns.map((id) => COLUMNS[id].padStart(17)).join('')}`);
  for (const format of names) {
    const make = BENCH_VOLUMES[format];
    if (make === undefined) continue;
    const found = await rowsOf(stage, format, make);
    if (found === undefined) say(`${format}: nothing to make its volumes with`);
    for (const row of found ?? []) say(lineOf(row));
    rows.push(...(found ?? []));
  }
  return rows;
}

async function rowsOf(
  stage: Stage,
  format: string,
  make: MakeVolume,
): Promise<FormatRow[] | undefined> {
  const load = loadOf(stage);
  const mib = stage.size(1024, 128);
  const rows: FormatRow[] = [];
  const { directory } = stage;
  const disks = CONTROLLERS.map((controller) => ({
    ...{ controller, name: diskName(controller, 0) },
    file: join(directory, `${format}-${controller}.img`),
  }));
  for (const { file } of disks) {
    if (!(await make(file, mib))) return undefined;
    occupy(file, mib);
  }
  const os = await boot({ disks, mem: MEM_MIB << 20 });
  try {
    await makeSource(os, load);
    for (const { name, controller } of disks) {
      const { figures, first } = await atollFigures(os, `/mnt/${name}`, load);
      rows.push({ format, who: controller, side: 'atoll', figures });
      rows.push({ format, who: controller, side: 'first', figures: first });
    }
  } finally {
    await os.shutdown();
    for (const { file } of disks) rmSync(file, { force: true });
  }
  const fresh = async <T>(body: (image: string) => T | Promise<T>): Promise<T> => {
    const image = join(directory, `${format}.img`);
    await make(image, mib);
    occupy(image, mib);
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
  const what = { atoll: `${format} on ${who}`, first: '  first round', yardstick: `  ${who}` }[
    side
  ];
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
    { atoll: `${format} on ${who}`, first: 'first round', yardstick: who }[side],
    ...columns.map((id) => shown(figures[id])),
  ]);
  return [heads, heads.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}

// lsblk: disks and partitions as a tree, with what lies on them and where it is mounted. Options and
// columns as util-linux lsblk(8).

import { PosixError } from '../../kernel/abi/errno.ts';
import { readMounts } from '../libc/files/mounts.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { tagsAt } from './blkid.ts';
import { type Disk, type Partition, readDisks } from './disks.ts';
import type { Tags } from './identify/tags.ts';
import { deviceName } from './medium.ts';

const usage = `[-abdfJlnPprS] [-o COLUMN[,COLUMN]...] [DEVICE]...
  -b  sizes in bytes       -d  disks without partitions    -f  file systems       -l  a list, no tree
  -n  without a heading    -P  KEY="value" pairs           -p  whole paths        -r  raw
  -J  JSON                 -S  models and serial numbers   -o  these columns: NAME KNAME PATH MAJ:MIN RM
  SIZE RO TYPE MOUNTPOINT MOUNTPOINTS FSTYPE LABEL UUID PARTUUID PARTLABEL PARTTYPE PTTYPE PTUUID PARTN
  START LOG-SEC PHY-SEC MODEL SERIAL STATE TRAN PKNAME FSSIZE FSUSED FSAVAIL FSUSE%`;

interface Row {
  readonly disk: Disk;
  readonly part: Partition | undefined;
  readonly last: boolean;
  readonly mounts: readonly string[];
  /** Looked at only when a column asks for it. */
  readonly tags: () => Tags;
}

interface Column {
  readonly align: 'left' | 'right';
  readonly value: (row: Row, tool: Tool) => string;
}

export const main = program(
  {
    usage,
    short: 'abdfJlno:PprS',
    long: {
      ...{ all: 'a', bytes: 'b', nodeps: 'd', fs: 'f', json: 'J', list: 'l', noheadings: 'n' },
      ...{ 'output=': 'o', pairs: 'P', paths: 'p', raw: 'r', scsi: 'S' },
    },
  },
  (tool, options) => {
    const columns = columnsOf(tool, options);
    const rows = rowsOf(tool, options);
    const cells = rows.map((row) => columns.map((name) => cellOf(tool, options, { name, row })));
    if (options.has('J')) tool.out.text(json(columns, rows, cells));
    else if (options.has('P'))
      for (const row of cells)
        tool.out.text(`${row.map((cell, i) => `${columns[i]}="${cell}"`).join(' ')}\n`);
    else print(tool, options, { columns, rows, cells });
  },
);

function columnsOf(tool: Tool, options: Options): string[] {
  const words = options.values('o').join(',').toUpperCase();
  let wanted = ['NAME', 'MAJ:MIN', 'RM', 'SIZE', 'RO', 'TYPE', 'MOUNTPOINTS'];
  if (options.has('f'))
    wanted = ['NAME', 'FSTYPE', 'LABEL', 'UUID', 'FSAVAIL', 'FSUSE%', 'MOUNTPOINTS'];
  if (options.has('S')) wanted = ['NAME', 'TYPE', 'MODEL', 'SERIAL', 'TRAN', 'STATE'];
  if (words !== '') wanted = words.split(',');
  for (const name of wanted) if (columns[name] === undefined) tool.die(`unknown column: ${name}`);
  return wanted;
}

function rowsOf(tool: Tool, options: Options): Row[] {
  const mounts = readMounts(tool.sys);
  const wanted = options.operands.map((path) => deviceName(tool.sys, path));
  const rows: Row[] = [];
  const add = (disk: Disk, part: Partition | undefined, last: boolean): void => {
    const { path } = part ?? disk;
    const here = mounts.filter(({ source }) => deviceName(tool.sys, source) === path);
    const tags = (): Tags => tagsAt(tool, path) ?? new Map();
    rows.push({ disk, part, last, mounts: here.map(({ target }) => target), tags });
  };
  for (const disk of readDisks(tool.sys)) {
    const all = wanted.length === 0 || wanted.includes(disk.path);
    if (all) add(disk, undefined, false);
    if (options.has('d') && all) continue;
    disk.partitions.forEach((part, i) => {
      const named = all || wanted.includes(part.path);
      if (named) add(disk, part, i === disk.partitions.length - 1);
    });
  }
  const known = rows.map(({ disk, part }) => (part ?? disk).path);
  options.operands.forEach((path, i) => {
    if (known.includes(wanted[i] ?? '')) return;
    tool.warn(`${path}: not a block device`, 32);
  });
  return rows;
}

const text = (value: Column['value']): Column => ({ align: 'left', value });
const number = (value: Column['value']): Column => ({ align: 'right', value });
const tag = (name: string): Column => text((row) => row.tags().get(name) ?? '');
const fromDisk = (value: (disk: Disk) => string): Column =>
  text((row) => (row.part === undefined ? value(row.disk) : ''));

const columns: Readonly<Record<string, Column>> = {
  NAME: text(({ disk, part }) => (part ?? disk).name),
  KNAME: text(({ disk, part }) => (part ?? disk).name),
  PATH: text(({ disk, part }) => (part ?? disk).path),
  PKNAME: text(({ disk, part }) => (part === undefined ? '' : disk.name)),
  'MAJ:MIN': text(({ disk, part }, tool) => device(tool, (part ?? disk).path)),
  RM: number(() => '0'),
  SIZE: number(({ disk, part }) => String((part ?? disk).sizeBytes)),
  RO: number(({ disk, part }, tool) => (isReadOnly(tool, (part ?? disk).path) ? '1' : '0')),
  TYPE: text(({ part }) => (part === undefined ? 'disk' : 'part')),
  MOUNTPOINT: text(({ mounts }) => mounts[0] ?? ''),
  MOUNTPOINTS: text(({ mounts }) => mounts.join('\n')),
  FSTYPE: tag('TYPE'),
  LABEL: tag('LABEL'),
  UUID: tag('UUID'),
  PARTUUID: tag('PARTUUID'),
  PARTLABEL: tag('PARTLABEL'),
  PARTTYPE: text(({ part }) => part?.type ?? ''),
  PTTYPE: text(({ disk }) => ({ none: '', mbr: 'dos' })[disk.table] ?? disk.table),
  PTUUID: fromDiskTag('PTUUID'),
  PARTN: number(({ part }) => (part === undefined ? '' : String(part.number))),
  START: number(({ part }) => (part === undefined ? '' : String(part.startSector))),
  'LOG-SEC': number(({ disk }) => String(disk.sectorSize)),
  'PHY-SEC': number(({ disk }) => String(disk.sectorSize)),
  MODEL: fromDisk(({ model }) => model),
  SERIAL: fromDisk(({ serial }) => serial),
  STATE: fromDisk(({ state }) => state),
  TRAN: fromDisk(({ controller }) => controller),
  FSSIZE: number((row, tool) => space(tool, row, ({ total }) => String(total))),
  FSUSED: number((row, tool) => space(tool, row, ({ total, free }) => String(total - free))),
  FSAVAIL: number((row, tool) => space(tool, row, ({ available }) => String(available))),
  'FSUSE%': number((row, tool) =>
    space(tool, row, ({ total, free, available }) => {
      const used = total - free;
      return `${Math.round((used * 100) / Math.max(1, used + available))}%`;
    }),
  ),
};

const SIZES = ['SIZE', 'FSSIZE', 'FSUSED', 'FSAVAIL'];

function fromDiskTag(name: string): Column {
  return text((row) => (row.part === undefined ? (row.tags().get(name) ?? '') : ''));
}

function device(tool: Tool, path: string): string {
  const { rdev } = tool.sys.stat(path);
  // Linux's dev_t: twelve bits of major, and twenty of minor, of which eight lie below.
  const minor = (rdev & 0xff) | (Math.floor(rdev / 4096) & 0xfff00);
  return `${String((rdev >>> 8) & 0xfff).padStart(3)}:${minor}`.padEnd(7);
}

function isReadOnly(tool: Tool, path: string): boolean {
  return (tool.sys.stat(path).mode & 0o222) === 0;
}

interface Space {
  readonly total: number;
  readonly free: number;
  readonly available: number;
}

function space(tool: Tool, { mounts: [target] }: Row, show: (of: Space) => string): string {
  if (target === undefined) return '';
  try {
    const { bsize, blocks, bfree, bavail } = tool.sys.statfs(target);
    return show({ total: blocks * bsize, free: bfree * bsize, available: bavail * bsize });
  } catch (error) {
    if (error instanceof PosixError) return '';
    throw error;
  }
}

function cellOf(tool: Tool, options: Options, { name, row }: { name: string; row: Row }): string {
  const value = columns[name]?.value(row, tool) ?? '';
  if (name === 'NAME' && options.has('p')) return (row.part ?? row.disk).path;
  if (name === 'MAJ:MIN' && options.has('r', 'P', 'J')) return value.trim();
  return SIZES.includes(name) && !options.has('b') && value !== '' ? human(Number(value)) : value;
}

/** One decimal, rounded, and none when it is zero: 20M, 4.9M, 8G. */
function human(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < 6) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1).replace(/\.0$/, '')}${'BKMGTPE'[unit]}`;
}

function print(
  tool: Tool,
  options: Options,
  {
    columns: names,
    rows,
    cells,
  }: { columns: readonly string[]; rows: readonly Row[]; cells: readonly string[][] },
): void {
  const raw = options.has('r');
  const tree = !raw && !options.has('l', 'S') && names.includes('NAME');
  const lines = cells.map((row, y) =>
    row.map((cell, x) => {
      const { part, last } = rows[y] ?? { part: undefined, last: false };
      if (names[x] !== 'NAME' || !tree || part === undefined) return cell;
      return `${last ? '└─' : '├─'}${cell}`;
    }),
  );
  if (!options.has('n')) lines.unshift([...names]);
  if (raw) {
    for (const line of lines)
      tool.out.text(`${line.map((cell) => cell.replace(/[\s\\]/g, hexed)).join(' ')}\n`);
    return;
  }
  const widths = names.map((_, x) => Math.max(...lines.map((line) => longest(line[x] ?? ''))));
  for (const line of lines) {
    // Of a device that is mounted twice, each place has a line.
    const height = Math.max(...line.map((cell) => cell.split('\n').length));
    for (let y = 0; y < height; y++) {
      const padded = line.map((cell, x) => {
        const part = cell.split('\n')[y] ?? '';
        const column = columns[names[x] ?? ''];
        return column?.align === 'right'
          ? part.padStart(widths[x] ?? 0)
          : part.padEnd(widths[x] ?? 0);
      });
      tool.out.text(`${padded.join(' ').trimEnd()}\n`);
    }
  }
}

const longest = (cell: string): number => Math.max(...cell.split('\n').map((part) => part.length));

const hexed = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** Partitions are the children of their disk. */
function json(
  names: readonly string[],
  rows: readonly Row[],
  cells: readonly (readonly string[])[],
): string {
  interface Node {
    [key: string]: string | null | (string | null)[] | Node[];
  }
  const devices: Node[] = [];
  const disks = new Map<string, Node>();
  rows.forEach(({ disk, part }, y) => {
    const node: Node = {};
    names.forEach((name, x) => {
      const value = cells[y]?.[x] ?? '';
      const key = name.toLowerCase();
      if (name === 'MOUNTPOINTS') node[key] = value === '' ? [null] : value.split('\n');
      else node[key] = value === '' ? null : value.trim();
    });
    const parent = part && disks.get(disk.name);
    if (parent === undefined) devices.push(node);
    else parent['children'] = [...((parent['children'] as Node[] | undefined) ?? []), node];
    if (part === undefined) disks.set(disk.name, node);
  });
  return `${JSON.stringify({ blockdevices: devices }, null, 3)}\n`;
}

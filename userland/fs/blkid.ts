// blkid: names and identities of volumes, as util-linux blkid(8) prints them: of the devices that are
// named, or of all disks and partitions.

import { PosixError } from '../../kernel/abi/errno.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { readDisks } from './disks.ts';
import { identify } from './identify/identify.ts';
import { partitionTags } from './identify/table.ts';
import type { Tags } from './identify/tags.ts';
import { openMedium } from './medium.ts';

const usage = `[-lp] [-c FILE] [-o FORMAT] [-s TAG]... [-t NAME=VALUE] [DEVICE]...
       blkid [-L LABEL | -U UUID]
  -o  full, value, export, device, list        -s  these tags alone
  -t  devices with this tag alone              -l  the first of them alone
  -L  the device with this label               -U  the device with this UUID
  -c, -p  accepted: there is no cache, the devices are always looked at
The status is 2 when nothing was found.`;

const NOTHING = 2;
const WRONG = 4;
const formats = ['full', 'value', 'export', 'device', 'list', 'udev'];

interface Found {
  readonly path: string;
  readonly tags: Tags;
}

export const main = program(
  {
    usage,
    short: 'c:gkL:ln:o:ps:t:U:u:dw:',
    long: {
      ...{ 'cache-file=': 'c', 'output=': 'o', 'match-tag=': 's', 'match-token=': 't' },
      ...{ 'list-one': 'l', 'label=': 'L', 'uuid=': 'U', probe: 'p', garbage: 'g' },
    },
    trouble: WRONG,
  },
  (tool, options) => {
    const format = options.value('o') ?? 'full';
    if (!formats.includes(format)) return tool.die(`unsupported output format ${format}`);
    for (const [option, tag] of [
      ['L', 'LABEL'],
      ['U', 'UUID'],
    ] as const) {
      const value = options.value(option);
      if (value === undefined) continue;
      const found = look(tool, []).find(({ tags }) => tags.get(tag) === value);
      if (found === undefined) return NOTHING;
      tool.out.text(`${found.path}\n`);
      return 0;
    }
    const found = chosen(tool, options);
    if (format === 'list') tool.out.text(listHead);
    found.forEach(({ path, tags }, i) => {
      const shown = new Map([...tags].filter(([name]) => isWanted(options, name)));
      if (format === 'export' && i > 0) tool.out.text('\n');
      if (shown.size > 0 || format === 'device')
        tool.out.text(printed(format, { path, tags: shown }));
    });
    return found.length === 0 ? NOTHING : 0;
  },
);

const isWanted = (options: Options, name: string): boolean =>
  !options.has('s') || options.values('s').includes(name);

function chosen(tool: Tool, options: Options): Found[] {
  const token = options.value('t');
  const match = token === undefined ? undefined : /^([A-Z_]+)=(?:"(.*)"|(.*))$/s.exec(token);
  if (match === null) return tool.die(`-t needs NAME=value pair`);
  let found = look(tool, options.operands);
  if (match !== undefined)
    found = found.filter(({ tags }) => tags.get(match[1] ?? '') === (match[2] ?? match[3]));
  return options.has('l') ? found.slice(0, 1) : found;
}

/** What there is on these devices, or on all. */
function look(tool: Tool, paths: readonly string[]): Found[] {
  if (paths.length > 0) return paths.flatMap((path) => lookAt(tool, path));
  return readDisks(tool.sys).flatMap((disk) => [
    ...lookAt(tool, disk.path),
    ...disk.partitions.flatMap(({ path }) => lookAt(tool, path)),
  ]);
}

function lookAt(tool: Tool, path: string): Found[] {
  const tags = tagsAt(tool, path);
  return tags === undefined || tags.size === 0 ? [] : [{ path, tags }];
}

/** Tags of what lies there, and of the partition that it is; undefined where there is nothing. */
export function tagsAt(tool: Tool, path: string): Tags | undefined {
  try {
    tool.sys.stat(path);
  } catch (error) {
    if (error instanceof PosixError) return undefined; // a device that is not there is told by the status
    throw error;
  }
  const medium = openMedium(tool, path, { access: 'read', status: NOTHING });
  try {
    const tags = identify(medium) ?? new Map<string, string>();
    const part = /^(\/dev\/sd\/[^/]+\/part\/)([1-9]\d*)$/.exec(path);
    if (part === null) return tags;
    const disk = openMedium(tool, `${part[1]}0`, { access: 'read', status: NOTHING });
    const partition = partitionTags(disk, Number(part[2]));
    disk.close();
    return new Map([...tags, ...partition]);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.fault(path, error, NOTHING);
    return undefined;
  } finally {
    medium.close();
  }
}

const listHead = `${'device'.padEnd(24)}${'fs_type'.padEnd(8)}${'label'.padEnd(16)}UUID
`;

function printed(format: string, { path, tags }: Found): string {
  const pairs = [...tags];
  switch (format) {
    case 'value':
      return pairs.map(([, value]) => `${value}\n`).join('');
    case 'device':
      return `${path}\n`;
    case 'export':
      return [['DEVNAME', path], ...pairs]
        .map(([key, value]) => `${key}=${escaped(value ?? '')}\n`)
        .join('');
    case 'udev':
      return pairs.map(([key, value]) => `ID_FS_${key}=${value.replace(/\s/g, '_')}\n`).join('');
    case 'list': {
      const cell = (key: string, width: number): string => (tags.get(key) ?? '').padEnd(width);
      return `${path.padEnd(24)}${cell('TYPE', 8)}${cell('LABEL', 16)}${cell('UUID', 0)}\n`;
    }
    default:
      return `${path}: ${pairs.map(([key, value]) => `${key}="${quoted(value)}"`).join(' ')}\n`;
  }
}

/** As a shell reads it back. */
const escaped = (value: string): string => value.replace(/[^\w@%+=:,./\u0080-\uffff-]/g, '\\$&');
const quoted = (value: string): string => value.replace(/["\\]/g, '\\$&');

// mkfs.fat, mkfs.vfat: an empty FAT12, FAT16 or FAT32 volume on a disk, a partition or an image file, with
// the options of mkfs.fat(8) that apply.

import { type Layout, layoutOf, type MkfsRequest } from '../../../daemons/fatd/fat/mkfs/layout.ts';
import { labelBytes, mkfs } from '../../../daemons/fatd/fat/mkfs/mkfs.ts';
import type { Medium } from '../../../daemons/lib/medium.ts';
import { O_CREAT, O_EXCL, O_RDWR } from '../../../kernel/abi/constants.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Options } from '../../libc/options.ts';
import { program, type Tool } from '../../libc/program.ts';
import { parseCount } from '../../libc/text/numbers.ts';
import { mountedAt, openMedium } from '../medium.ts';

const usage = `[-CIv] [-f FATS] [-F 12|16|32] [-i ID] [-n LABEL] [-r ENTRIES] [-R SECTORS]
         [-s SECTORS] [-S SIZE] DEVICE [KIBIBYTES]

  -C  make the file first, of so many KiB     -n  name of the volume, 11 characters
  -f  how many tables                         -r  entries of the root directory (FAT12, FAT16)
  -F  bits of a number in the table           -R  reserved sectors
  -i  volume ID, 8 hexadecimal digits         -s  sectors of a cluster
  -I  go on although it is mounted            -S  bytes of a sector
                                              -v  tell what was made`;

const SPEC = { usage, short: 'Cf:F:i:In:r:R:s:S:v' };

export const main = program(SPEC, (tool, options) => {
  const [device, size, extra] = options.operands;
  if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
  const bytes = size === undefined ? undefined : number(tool, 'blocks', size) * 1024;
  const where = mountedAt(tool.sys, device);
  if (where !== undefined && !options.has('I'))
    return tool.die(`${device} is mounted at ${where}; will not make a filesystem here!`);
  if (options.has('C')) makeFile(tool, device, bytes ?? tool.misuse('-C needs a size'));
  const medium = openMedium(tool, device, { access: 'write', status: 1 });
  try {
    const layout = layoutOf(readRequest(tool, options, { medium, bytes }));
    const label = options.value('n') ?? '';
    labelBytes(label); // throws at what can be no label, before anything is written
    mkfs(medium, layout, { label, serial: serialOf(tool, options), now: tool.sys.now() });
    if (layout.bits === 32 && layout.clusters < FAT32_LEAST)
      tool.note('fewer clusters than Windows takes for FAT32');
    if (options.has('v')) describe(tool, device, layout);
    return 0;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${device}: ${error.message}`);
  } finally {
    medium.close();
  }
});

const FAT32_LEAST = 65_525;

function makeFile(tool: Tool, path: string, bytes: number): void {
  const { sys } = tool;
  try {
    const fd = sys.open(path, O_CREAT | O_EXCL | O_RDWR, 0o666);
    sys.ftruncate(fd, bytes);
    sys.close(fd);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.die(`unable to create ${path}: ${error.message}`);
  }
}

function number(tool: Tool, what: string, text: string): number {
  const value = parseCount(text) ?? 0;
  return value > 0 ? value : tool.die(`bad number of ${what}: ${text}`);
}

function readRequest(
  tool: Tool,
  options: Options,
  { medium, bytes }: { medium: Medium; bytes: number | undefined },
): MkfsRequest {
  const optional = (name: string, what: string): number | undefined => {
    const text = options.value(name);
    return text === undefined ? undefined : number(tool, what, text);
  };
  const isPower = (value: number): boolean => (value & (value - 1)) === 0;
  const bits = optional('F', 'bits');
  if (bits !== undefined && bits !== 12 && bits !== 16 && bits !== 32)
    return tool.die(`bad FAT type: ${bits}`);
  const sectorSize = optional('S', 'bytes') ?? 512;
  if (sectorSize < 512 || sectorSize > 4096 || !isPower(sectorSize))
    tool.die(`bad logical sector size: ${sectorSize}`);
  const sectorsPerCluster = optional('s', 'sectors');
  if (sectorsPerCluster !== undefined && (sectorsPerCluster > 128 || !isPower(sectorsPerCluster)))
    tool.die(`bad number of sectors per cluster: ${sectorsPerCluster}`);
  if (bytes !== undefined && bytes > medium.sizeBytes)
    tool.die(`the device has ${Math.floor(medium.sizeBytes / 1024)} KiB only`);
  return {
    ...{ bits, sectorSize, sectorsPerCluster, sizeBytes: bytes ?? medium.sizeBytes },
    reservedSectors: optional('R', 'reserved sectors'),
    rootEntries: optional('r', 'root directory entries'),
    fats: Math.min(4, optional('f', 'tables') ?? 2),
  };
}

function serialOf(tool: Tool, options: Options): number {
  const text = options.value('i');
  if (text === undefined) {
    const bytes = new Uint8Array(4);
    tool.sys.getrandom(bytes);
    return new DataView(bytes.buffer).getUint32(0);
  }
  return /^[0-9a-f]{1,8}$/i.test(text)
    ? Number.parseInt(text, 16)
    : tool.die(`volume ID must be a hexadecimal number: ${text}`);
}

function describe(tool: Tool, device: string, layout: Layout): void {
  const { bits, clusters, sectorsPerCluster, sectorSize, fats, fatSectors } = layout;
  tool.out.text(
    `${device}: FAT${bits}, ${clusters} clusters of ${sectorsPerCluster * sectorSize} bytes, ` +
      `${fats} tables of ${fatSectors} sectors\n`,
  );
}

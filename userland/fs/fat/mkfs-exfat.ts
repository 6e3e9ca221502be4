// mkfs.exfat: an empty exFAT volume on a disk, a partition or an image file, with the options of
// mkfs.exfat(8).

import { labelEntry } from '../../../daemons/fatd/exfat/mkfs/label.ts';
import { type Layout, layoutOf } from '../../../daemons/fatd/exfat/mkfs/layout.ts';
import { mkfs } from '../../../daemons/fatd/exfat/mkfs/mkfs.ts';
import type { Medium } from '../../../daemons/lib/medium.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Options } from '../../libc/options.ts';
import { program, type Tool } from '../../libc/program.ts';
import { mountedAt, openMedium } from '../medium.ts';

const usage = `[-fv] [-L LABEL] [-c SIZE] [-b SIZE] [-s SIZE] [-i ID] DEVICE

  -L, -n  name of the volume, 11 characters    -b  multiple at which FAT and clusters begin
  -c      bytes of a cluster, 4K, 32K …        -i  volume ID, 8 hexadecimal digits
  -s      bytes of a sector                    -f  write zeroes to all of it first
                                               -v  tell what was made`;

const SPEC = {
  usage,
  short: 'L:n:c:b:s:i:fvV',
  long: {
    'volume-label=': 'L',
    'cluster-size=': 'c',
    'boundary-align=': 'b',
    'sector-size=': 's',
    'full-format': 'f',
    verbose: 'v',
    version: 'V',
  },
};

export const main = program(SPEC, (tool, options) => {
  const [device, extra] = options.operands;
  if (options.has('V')) {
    tool.out.text('mkfs.exfat (Atoll)\n');
    return 0;
  }
  if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
  const where = mountedAt(tool.sys, device);
  if (where !== undefined)
    return tool.die(`${device} is mounted at ${where}; will not make a filesystem here!`);
  const medium = openMedium(tool, device, { access: 'write', status: 1 });
  try {
    const layout = layoutOf({
      sizeBytes: medium.sizeBytes,
      sectorSize: size(tool, options, 's') ?? 512,
      clusterSize: size(tool, options, 'c'),
      alignment: size(tool, options, 'b'),
    });
    const label = options.value('L') ?? options.value('n') ?? '';
    labelEntry(label); // throws at what can be no label, before anything is written
    if (options.has('f')) clear(medium);
    mkfs(medium, layout, { label, serial: serialOf(tool, options) });
    if (options.has('v')) describe(tool, device, layout);
    return 0;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${device}: ${error.message}`);
  } finally {
    medium.close();
  }
});

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 2 ** 20 };

function size(tool: Tool, options: Options, name: string): number | undefined {
  const text = options.value(name);
  if (text === undefined) return undefined;
  const [, digits = '', unit = ''] = /^([0-9]{1,9})([km]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? 0);
  const power = bytes >= 512 && Number.isInteger(Math.log2(bytes));
  if (!power || (name === 's' && bytes > 4096)) tool.die(`bad size: ${text}`);
  return bytes;
}

const PIECE = 1 << 20;

function clear(medium: Medium): void {
  const zeroes = new Uint8Array(PIECE);
  for (let at = 0; at < medium.sizeBytes; at += PIECE)
    medium.write(at, zeroes.subarray(0, Math.min(PIECE, medium.sizeBytes - at)));
}

function serialOf(tool: Tool, options: Options): number {
  const text = options.value('i');
  if (text === undefined) {
    const bytes = new Uint8Array(4);
    tool.sys.getrandom(bytes);
    return new DataView(bytes.buffer).getUint32(0);
  }
  return /^(0x)?[0-9a-f]{1,8}$/i.test(text)
    ? Number.parseInt(text.replace(/^0x/i, ''), 16)
    : tool.die(`volume ID must be a hexadecimal number: ${text}`);
}

function describe(tool: Tool, device: string, { clusters, clusterSize, fatSectors }: Layout): void {
  tool.out.text(
    `${device}: exFAT, ${clusters} clusters of ${clusterSize} bytes, a FAT of ${fatSectors} sectors\n`,
  );
}

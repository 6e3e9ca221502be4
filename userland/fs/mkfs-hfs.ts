// mkfs.hfs, mkfs.hfsplus: an empty volume of classic HFS, HFS Plus or HFSX on a disk, a partition or an
// image file, with the options of newfs_hfs(8) that apply.

import { type Geometry, geometryOf, type MkfsRequest } from '../../daemons/hfsd/mkfs/geometry.ts';
import { mkfs } from '../../daemons/hfsd/mkfs/mkfs.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { parseSize } from '../libc/text/numbers.ts';
import { mountedAt, openMedium } from './medium.ts';

const usage = `[-Fnqs] [-b SIZE] [-J[SIZE]] [-v LABEL] DEVICE

  -b  bytes of an allocation block            -n  tell what would be made, make nothing
  -F  go on although it is mounted            -q  say nothing
  -J  with a journal, of SIZE bytes           -s  names differ in case (HFSX)
  -v  name of the volume

-J and -s are for HFS Plus.`;

export const main = program({ usage, short: 'b:FJ::nqsv:' }, (tool, options) => {
  const [device, extra] = options.operands;
  if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
  const where = mountedAt(tool.sys, device);
  if (where !== undefined && !options.has('F'))
    return tool.die(`${device} is mounted at ${where}; will not make a filesystem here!`);
  const access = options.has('n') ? 'read' : 'write';
  const medium = openMedium(tool, device, { access, status: 1 });
  try {
    const request = readRequest(tool, options, medium.sizeBytes);
    const geometry = geometryOf(request);
    if (!options.has('n')) {
      const nowSec = tool.sys.now().sec;
      mkfs(medium, request, { nowSec, random: () => randomWord(tool) });
    }
    if (!options.has('q')) describe(tool, request, geometry);
    return 0;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${device}: ${error.message}`);
  } finally {
    medium.close();
  }
});

function randomWord(tool: Tool): number {
  const bytes = new Uint8Array(4);
  tool.sys.getrandom(bytes);
  return new DataView(bytes.buffer).getUint32(0);
}

function readRequest(tool: Tool, options: Options, sizeBytes: number): MkfsRequest {
  const kind = tool.name === 'mkfs.hfs' ? 'hfs' : 'hfs+';
  const plus = ['J', 's'].find((name) => options.has(name));
  if (kind === 'hfs' && plus !== undefined) tool.misuse(`-${plus} is for HFS Plus`);
  const blockSize = options.value('b');
  return {
    ...{ kind, sizeBytes, label: options.value('v') ?? '', caseSensitive: options.has('s') },
    blockSize: blockSize === undefined ? undefined : size(tool, blockSize),
    journalBytes: journalBytes(tool, options.value('J'), sizeBytes),
  };
}

function size(tool: Tool, text: string): number {
  const value = parseSize(text) ?? 0;
  return value > 0 ? value : tool.die(`invalid size - ${text}`);
}

const JOURNAL_LEAST = 512 * 1024;
const JOURNAL_MOST = 8 << 20;

/** Without a size: a 64th of the volume, within bounds. */
function journalBytes(tool: Tool, text: string | undefined, sizeBytes: number): number {
  if (text === undefined) return 0;
  if (text !== '') {
    const bytes = size(tool, text);
    return bytes >= 65_536 && bytes % 512 === 0
      ? bytes
      : tool.die(`invalid journal size - ${text}`);
  }
  const share = Math.floor(sizeBytes / 64 / 4096) * 4096;
  return Math.min(JOURNAL_MOST, Math.max(JOURNAL_LEAST, share));
}

function describe(tool: Tool, { kind, caseSensitive }: MkfsRequest, geometry: Geometry): void {
  const { allocCount, allocSize, journal } = geometry;
  const name = kind === 'hfs' ? 'HFS' : caseSensitive ? 'HFSX' : 'HFS Plus';
  const log = journal === undefined ? '' : `, a journal of ${journal.count}`;
  tool.out.text(`${name}: ${allocCount} blocks of ${allocSize}${log}\n`);
}

// mkfs.ext4, mkfs.ext3, mkfs.ext2: an empty volume on a disk, a partition or an image file, with the
// options of mke2fs(8) and the features that daemons/ext4fs writes.

import type { FeatureSet, MkfsRequest } from '../../daemons/ext4fs/mkfs/geometry.ts';
import { mkfs } from '../../daemons/ext4fs/mkfs/mkfs.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../../daemons/ext4fs/volume/features.ts';
import type { Volume } from '../../daemons/ext4fs/volume/superblock.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { parseCount, parseSize } from '../libc/text/numbers.ts';
import { mountedAt, type OpenMedium, openMedium } from './medium.ts';
import { readExtended, usageOf } from './mke2fs/extended.ts';
import { formatUuid, newUuid, parseUuid } from './uuid.ts';

const usage = `[-FjnqvV] [-b SIZE] [-e ERRORS] [-E OPTION,...] [-g BLOCKS] [-G GROUPS] [-i RATIO] [-I SIZE]
         [-J size=MiB] [-L LABEL] [-m PERCENT] [-M DIRECTORY] [-N INODES] [-O [^]FEATURE,...]
         [-t ext2|ext3|ext4] [-T USAGE] [-U UUID] DEVICE [BLOCKS]

  -b  block size: 1024, 2048, 4096 … 65536   -m  percent of the blocks that root alone may take
  -F  go on although it is mounted            -N  how many inodes
  -E  stride=, stripe_width=, root_owner=, hash_seed=, test_fs
  -e  at an error: continue, remount-ro, panic   -g  blocks of a group   -G  groups that lie together
  -i  bytes of the volume for each inode      -n  tell what would be made, make nothing
  -I  size of an inode: 128, 256 …            -O  features: 'none', NAME, ^NAME
  -j  with a journal                          -M  directory where it was mounted last
  -J  size of the journal                     -q  say nothing
  -L  name of the volume                      -U  its UUID, 'random' or 'clear'
  -T  what it is for: small, floppy, news, big, huge, largefile, largefile4, hurd, default`;

export const main = program(
  { usage, short: 'b:e:g:G:i:I:jJ:L:m:M:N:O:t:T:U:E:FnqvV' },
  (tool, options) => {
    const [device, blocks, extra] = options.operands;
    if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
    const where = mountedAt(tool.sys, device);
    if (where !== undefined && !options.has('F'))
      return tool.die(`${device} is mounted at ${where}; will not make a filesystem here!`);
    const access = options.has('n') ? 'read' : 'write';
    const medium = openMedium(tool, device, { access, status: 1 });
    try {
      return make(tool, medium, readRequest(tool, options, { medium, blocks }), options);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return tool.die(`${device}: ${error.message}`);
    } finally {
      medium.close();
    }
  },
);

function make(tool: Tool, medium: OpenMedium, request: MkfsRequest, options: Options): number {
  const target = options.has('n') ? discarding(medium) : medium;
  const random = (): number => randomWord(tool);
  const quiet = options.has('q');
  const vol = mkfs(target, request, {
    random,
    progress(what, done, of) {
      if (!quiet && done === of) tool.out.text(`${what}: done\n`);
    },
  });
  if (!quiet) describe(tool, vol);
  return 0;
}

/** `-n`: everything is worked out, and nothing is written. */
function discarding(medium: OpenMedium): OpenMedium {
  const written = new Map<number, Uint8Array>();
  return {
    sizeBytes: medium.sizeBytes,
    readOnly: true,
    read: (offset, length) => written.get(offset)?.subarray(0, length) ?? new Uint8Array(length),
    write: (offset, bytes) => {
      if (bytes.some((byte) => byte !== 0)) written.set(offset, bytes.slice());
    },
    flush: () => {},
    close: () => medium.close(),
  };
}

function describe(tool: Tool, vol: Volume): void {
  const { blocksCount, blockSize, inodesCount, groupCount, uuid } = vol;
  tool.out.text(
    `Created a filesystem with ${blocksCount} blocks of ${blockSize}, ${inodesCount} inodes, ` +
      `${groupCount} groups\nFilesystem UUID: ${formatUuid(uuid)}\n`,
  );
}

function randomWord(tool: Tool): number {
  const bytes = new Uint8Array(4);
  tool.sys.getrandom(bytes);
  return new DataView(bytes.buffer).getUint32(0);
}

function readRequest(
  tool: Tool,
  options: Options,
  { medium, blocks }: { medium: OpenMedium; blocks: string | undefined },
): MkfsRequest {
  const forUse = usageOf(tool, options);
  const { extras, hashSeed } = readExtended(tool, options);
  const asked = power(tool, options, { name: 'b', least: 1024, most: 65_536 });
  const blockSize = asked ?? forUse.blockSize;
  const inodeSize = power(tool, options, { name: 'I', least: 128, most: blockSize ?? 1024 });
  const label = options.value('L') ?? '';
  if (new TextEncoder().encode(label).length > 16) tool.die(`label too long: ${label}`);
  const percent = Number(options.value('m') ?? '5');
  if (!(percent >= 0 && percent <= 50))
    tool.die(`invalid reserved blocks percent - ${options.value('m')}`);
  const drawn = new Uint8Array(16);
  tool.sys.getrandom(drawn);
  return {
    sizeBytes: medium.sizeBytes,
    blockSize,
    blocksCount: blocks === undefined ? undefined : count(tool, 'blocks', blocks),
    inodesCount: optional(tool, options, 'N'),
    inodeRatio: optional(tool, options, 'i') ?? forUse.inodeRatio,
    inodeSize: inodeSize ?? forUse.inodeSize ?? 256,
    features: featuresOf(tool, options),
    reservedPercent: percent,
    label,
    uuid: uuidOf(tool, options.value('U') ?? 'random'),
    hashSeed: hashSeed ?? drawn,
    journalBlocks: journalOf(tool, options, { medium, blockSize }),
    now: tool.sys.now(),
    extras,
  };
}

function power(
  tool: Tool,
  options: Options,
  { name, least, most }: { name: string; least: number; most: number },
): number | undefined {
  const text = options.value(name);
  if (text === undefined) return undefined;
  const value = parseSize(text) ?? 0;
  if (value < least || value > most || (value & (value - 1)) !== 0)
    tool.die(`invalid ${name === 'b' ? 'block' : 'inode'} size - ${text}`);
  return value;
}

function count(tool: Tool, what: string, text: string): number {
  const value = parseCount(text) ?? 0;
  return value > 0 ? value : tool.die(`invalid number of ${what} - ${text}`);
}

const optional = (tool: Tool, options: Options, name: 'N' | 'i'): number | undefined => {
  const text = options.value(name);
  return text === undefined ? undefined : count(tool, name === 'N' ? 'inodes' : 'bytes', text);
};

function uuidOf(tool: Tool, text: string): Uint8Array {
  if (text === 'random') return newUuid(tool.sys);
  if (text === 'clear') return new Uint8Array(16);
  return parseUuid(text) ?? tool.die(`could not parse UUID: ${text}`);
}

function journalOf(
  tool: Tool,
  options: Options,
  { medium, blockSize }: { medium: OpenMedium; blockSize: number | undefined },
): number | undefined {
  const text = options.value('J');
  if (text === undefined) return undefined;
  const size = /^size=(\d+)$/.exec(text)?.[1];
  if (size === undefined) return tool.misuse(`journal option not known: ${text}`);
  const bytes = blockSize ?? (medium.sizeBytes < 512 * 2 ** 20 ? 1024 : 4096);
  return Math.max(1, Math.floor((Number(size) * 2 ** 20) / bytes));
}

/** What daemons/ext4fs reads and writes; the rest of mke2fs's list is refused by name. */
const KNOWN: Readonly<Record<string, Partial<FeatureSet>>> = {
  has_journal: { compat: COMPAT.has_journal },
  ext_attr: { compat: COMPAT.ext_attr },
  dir_index: { compat: COMPAT.dir_index },
  filetype: { incompat: INCOMPAT.filetype },
  extent: { incompat: INCOMPAT.extent },
  extents: { incompat: INCOMPAT.extent },
  '64bit': { incompat: INCOMPAT['64bit'] },
  flex_bg: { incompat: INCOMPAT.flex_bg },
  metadata_csum_seed: { incompat: INCOMPAT.metadata_csum_seed },
  large_dir: { incompat: INCOMPAT.large_dir },
  inline_data: { incompat: INCOMPAT.inline_data },
  stable_inodes: { compat: COMPAT.stable_inodes },
  verity: { roCompat: RO_COMPAT.verity },
  sparse_super: { roCompat: RO_COMPAT.sparse_super },
  large_file: { roCompat: RO_COMPAT.large_file },
  huge_file: { roCompat: RO_COMPAT.huge_file },
  uninit_bg: { roCompat: RO_COMPAT.uninit_bg },
  dir_nlink: { roCompat: RO_COMPAT.dir_nlink },
  extra_isize: { roCompat: RO_COMPAT.extra_isize },
  metadata_csum: { roCompat: RO_COMPAT.metadata_csum },
};
/** One that is never made need not be left out. */
const isFeature = (name: string): boolean =>
  [COMPAT, INCOMPAT, RO_COMPAT].some((table) => Object.hasOwn(table, name));
const EXT2 = ['ext_attr', 'dir_index', 'filetype', 'sparse_super', 'large_file'];
const EXT3 = [...EXT2, 'has_journal'];
const EXT4 = [
  ...[...EXT3, 'extent', '64bit', 'flex_bg', 'huge_file', 'dir_nlink', 'extra_isize'],
  'metadata_csum',
];
const TYPES: Readonly<Record<string, readonly string[]>> = { ext2: EXT2, ext3: EXT3, ext4: EXT4 };

function featuresOf(tool: Tool, options: Options): FeatureSet {
  const type = options.value('t') ?? /ext[234]$/.exec(tool.name)?.[0] ?? 'ext2';
  const base = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (base === undefined) return tool.die(`file system type not known: ${type}`);
  const names = new Set(base);
  // Said in order: a later word overrides an earlier one.
  for (const word of options.values('O').join(',').split(',').filter(Boolean)) {
    const name = word.replace(/^\^/, '');
    if (word === 'none') names.clear();
    else if (word.startsWith('^') && isFeature(name) && !Object.hasOwn(KNOWN, name)) continue;
    else if (!Object.hasOwn(KNOWN, name)) tool.die(`feature not supported here: ${name}`);
    else if (word.startsWith('^')) names.delete(name === 'extents' ? 'extent' : name);
    else names.add(name === 'extents' ? 'extent' : name);
  }
  if (options.has('j')) names.add('has_journal');
  if (names.has('metadata_csum')) names.delete('uninit_bg'); // which it takes the place of
  if (names.has('metadata_csum_seed') && !names.has('metadata_csum'))
    tool.die('metadata_csum_seed needs metadata_csum');
  const bits = (set: keyof FeatureSet): number =>
    [...names].reduce((sum, name) => sum | (KNOWN[name]?.[set] ?? 0), 0);
  return { compat: bits('compat'), incompat: bits('incompat'), roCompat: bits('roCompat') };
}

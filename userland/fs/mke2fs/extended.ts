// The rarer options of mke2fs(8): -E KEY[=VALUE],..., -T usage, -e, -g, -G, -M. What asks for something
// that is not made here is refused by name.

import type { MkfsExtras } from '../../../daemons/ext4fs/mkfs/geometry.ts';
import type { Options } from '../../libc/options.ts';
import type { Tool } from '../../libc/program.ts';
import { parseCount } from '../../libc/text/numbers.ts';
import { parseUuid } from '../uuid.ts';

/** Inode tables are zeroed and the journal is written at once here, and blocks are not given back. */
const NOTHING_TO_DO: ReadonlySet<string> = new Set([
  ...['lazy_itable_init', 'lazy_journal_init', 'discard', 'nodiscard', 'no_discard'],
  ...['assume_storage_prezeroed'],
]);

export interface Extended {
  readonly extras: MkfsExtras;
  readonly hashSeed: Uint8Array | undefined;
}

export function readExtended(tool: Tool, options: Options): Extended {
  const words = options.values('E').flatMap((value) => value.split(','));
  const found = new Map<string, string>();
  for (const word of words.filter(Boolean)) {
    const [key = '', ...value] = word.split('=');
    if (!KEYS.has(key) && !NOTHING_TO_DO.has(key))
      return tool.misuse(`extended option not known: ${word}`);
    found.set(key, value.join('='));
  }
  const seed = found.get('hash_seed');
  return {
    extras: {
      blocksPerGroup: wholeNumber(tool, options, 'g'),
      groupsPerFlex: flexOf(tool, options),
      errors: errorsOf(tool, options),
      lastMounted: options.value('M'),
      stride: numberOf(tool, found, 'stride'),
      stripeWidth: numberOf(tool, found, 'stripe_width') ?? numberOf(tool, found, 'stripe-width'),
      rootOwner: ownerOf(tool, found),
      testVolume: found.has('test_fs'),
    },
    hashSeed:
      seed === undefined ? undefined : (parseUuid(seed) ?? tool.die(`Invalid hash seed: ${seed}`)),
  };
}

const KEYS: ReadonlySet<string> = new Set([
  ...['stride', 'stripe_width', 'stripe-width', 'root_owner', 'hash_seed', 'test_fs'],
]);

function numberOf(tool: Tool, found: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = found.get(key);
  if (text === undefined) return undefined;
  return parseCount(text) ?? tool.die(`Invalid ${key} parameter: ${text}`);
}

/** `root_owner` alone: whoever runs it. */
function ownerOf(
  tool: Tool,
  found: ReadonlyMap<string, string>,
): { uid: number; gid: number } | undefined {
  const text = found.get('root_owner');
  if (text === undefined) return undefined;
  if (text === '') return { uid: tool.sys.getuid(), gid: tool.sys.getgid() };
  const match = /^(\d+):(\d+)$/.exec(text) ?? tool.die(`Invalid root_owner: '${text}'`);
  return { uid: Number(match[1]), gid: Number(match[2]) };
}

function wholeNumber(tool: Tool, options: Options, name: string): number | undefined {
  const text = options.value(name);
  if (text === undefined) return undefined;
  return parseCount(text) ?? tool.die(`Illegal number for -${name}: ${text}`);
}

function flexOf(tool: Tool, options: Options): number | undefined {
  const value = wholeNumber(tool, options, 'G');
  if (value === undefined) return undefined;
  if (value < 1 || (value & (value - 1)) !== 0)
    return tool.die('flex_bg size must be a power of 2');
  return value;
}

const ERRORS: Readonly<Record<string, number>> = { continue: 1, 'remount-ro': 2, panic: 3 };

function errorsOf(tool: Tool, options: Options): number | undefined {
  const text = options.value('e');
  if (text === undefined) return undefined;
  const value = Object.hasOwn(ERRORS, text) ? ERRORS[text] : undefined;
  return value ?? tool.die(`bad error behavior - ${text}`);
}

export interface Usage {
  readonly inodeRatio?: number;
  readonly blockSize?: number;
  readonly inodeSize?: number;
}

/** [fs_types] of mke2fs.conf. */
const USAGES: Readonly<Record<string, Usage>> = {
  default: {},
  small: { blockSize: 1024, inodeRatio: 4096 },
  floppy: { blockSize: 1024, inodeRatio: 8192 },
  big: { inodeRatio: 32_768, blockSize: 4096 },
  huge: { inodeRatio: 65_536, blockSize: 4096 },
  news: { inodeRatio: 4096, blockSize: 4096 },
  largefile: { inodeRatio: 1_048_576, blockSize: 4096 },
  largefile4: { inodeRatio: 4_194_304, blockSize: 4096 },
  hurd: { blockSize: 4096, inodeSize: 128 },
};

/** -T: sizes that suit what the volume is for; the options that name a size go before it. */
export function usageOf(tool: Tool, options: Options): Usage {
  const names = (options.value('T') ?? '').split(',').filter(Boolean);
  const usage: Usage = {};
  for (const name of names) {
    const one = Object.hasOwn(USAGES, name) ? USAGES[name] : undefined;
    Object.assign(usage, one ?? tool.die(`usage type not known: ${name}`));
  }
  // Without a usage that says so the block size of the defaults holds, however small the volume.
  return names.length === 0 ? usage : { blockSize: 4096, inodeRatio: 16_384, ...usage };
}

// How an archive is packed: what the options ask for, and what the first bytes of one say.

import type { Codec, Sink } from '../archive/codec.ts';
import { GzipUnpacker, gzipPacker } from '../archive/gzip.ts';
import type { Options } from '../options.ts';
import type { Tool } from '../program.ts';
import { zstdPacker } from '../zstd/packer.ts';
import { isZstd, ZstdUnpacker } from '../zstd/unpacker.ts';

export interface Packing {
  readonly format: 'gzip' | 'zstd';
  readonly level: number;
}

const SUFFIXES: Readonly<Record<Packing['format'], RegExp>> = {
  gzip: /\.(gz|tgz|taz)$/,
  zstd: /\.(zst|tzst)$/,
};
const LEVELS = { gzip: 6, zstd: 3 } as const;

/** -z, --zstd, -I PROGRAM, or -a and the archive's name; undefined = it is not packed. */
export function packingOf(tool: Tool, options: Options, archive: string): Packing | undefined {
  const [program, ...words] = (options.value('I') ?? '').split(' ').filter((word) => word !== '');
  if (program !== undefined) return byProgram(tool, program, words);
  if (options.has('z')) return { format: 'gzip', level: LEVELS.gzip };
  if (options.has('zstd')) return { format: 'zstd', level: LEVELS.zstd };
  if (!options.has('a')) return undefined;
  const format = (['gzip', 'zstd'] as const).find((one) => SUFFIXES[one].test(archive));
  return format && { format, level: LEVELS[format] };
}

/** DEVIATES: no other program is run; gzip and zstd are what there is. */
function byProgram(tool: Tool, program: string, words: readonly string[]): Packing {
  const format = program.split('/').at(-1);
  if (format !== 'gzip' && format !== 'zstd') {
    return tool.die(`-I ${program}: archives are packed by gzip and zstd only`);
  }
  const level = words.map((word) => /^-(\d+)$/.exec(word)?.[1]).find((digits) => digits);
  return { format, level: level === undefined ? LEVELS[format] : Number(level) };
}

export function packer({ format, level }: Packing, sink: Sink): Codec {
  if (format === 'zstd') return zstdPacker(sink, { level, checksum: true });
  return gzipPacker(sink, { name: '', mtime: 0, level: Math.min(9, Math.max(1, level)) });
}

/** What unpacks the archive that begins so, into `to`; `to` itself when it is not packed. */
export function unpacker(beginning: Uint8Array, to: Codec): Codec {
  const into: Sink = (bytes) => to.push(bytes);
  const isGzip = beginning[0] === 0x1f && beginning[1] === 0x8b;
  const codec = isGzip
    ? new GzipUnpacker(into)
    : isZstd(beginning)
      ? new ZstdUnpacker(into)
      : undefined;
  if (codec === undefined) return to;
  return {
    push: (bytes) => codec.push(bytes),
    end: () => {
      codec.end();
      to.end();
    },
  };
}

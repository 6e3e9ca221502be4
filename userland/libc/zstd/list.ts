// `zstd -l`: what the frames of a file say of themselves, without unpacking it.

import { Input } from '../stdio.ts';
import type { Sys } from '../sys.ts';
import { humanSize } from './size.ts';
import { type FrameCounts, ZstdUnpacker } from './unpacker.ts';

export const listHeader = 'Frames  Skips  Compressed  Uncompressed  Ratio  Check  Filename\n';

export interface Listed extends Pick<FrameCounts, 'frames' | 'skipped' | 'checksums' | 'size'> {
  readonly packed: number;
  readonly line: string;
}

/** Throws FormatError when it is no zstd file. */
export function listFile(sys: Sys, file: { readonly name: string; readonly fd: number }): Listed {
  const counter = new ZstdUnpacker(() => undefined, 'count');
  const input = new Input(sys, file.fd);
  let packed = 0;
  for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
    packed += chunk.length;
    counter.push(chunk);
  }
  counter.end();
  const { frames, skipped, checksums, size } = counter.counts;
  const counts = { frames, skipped, checksums, size, packed };
  return { ...counts, line: line(counts, file.name) };
}

export function listTotal(all: readonly Listed[]): string {
  const sum = (of: (one: Listed) => number): number => all.reduce((s, one) => s + of(one), 0);
  const total = {
    frames: sum(({ frames }) => frames),
    skipped: sum(({ skipped }) => skipped),
    checksums: sum(({ checksums }) => checksums),
    packed: sum(({ packed }) => packed),
    size: all.some(({ size }) => size === undefined) ? undefined : sum(({ size }) => size ?? 0),
  };
  return `----------------------------------------------------------------- \n${line(total, `${all.length} files`)}`;
}

function line(counts: Omit<Listed, 'line'>, name: string): string {
  const { frames, skipped, checksums, packed, size } = counts;
  const front = `${String(frames).padStart(6)}  ${String(skipped).padStart(5)}  ${column(packed, 6)}`;
  const check = (checksums > 0 ? 'XXH64' : 'None').padStart(5);
  if (size === undefined) return `${front}                       ${check}  ${name}\n`;
  const ratio = (packed === 0 ? 0 : size / packed).toFixed(3);
  return `${front}  ${column(size, 8)}  ${ratio.padStart(5)}  ${check}  ${name}\n`;
}

function column(bytes: number, width: number): string {
  const { value, unit } = humanSize(bytes);
  return value.padStart(width) + unit.padStart(4);
}

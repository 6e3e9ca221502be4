// tac: lines, the last first. GNU coreutils §3.2 (-b, -s with a fixed separator). A regular file is read
// backwards, block by block; only what cannot be is held whole.

import { O_RDONLY, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { maybeQuoted, quoted } from '../libc/text/quote.ts';

const BLOCK_BYTES = 64 * 1024;

export const main = program(
  {
    usage: '[-b] [-s SEPARATOR] [FILE]...\n  -b  the separator stands before its line',
    short: 'bs:',
    long: { before: 'b', 'separator=': 's' },
  },
  (tool, options) => {
    const text = toLatin1(encodeText(options.value('s') ?? '\n')) || '\0';
    const separator = { text, leads: options.has('b') };
    for (const name of options.operands.length > 0 ? options.operands : ['-']) {
      try {
        const fd = name === '-' ? 0 : tool.sys.open(name, O_RDONLY);
        tool.attempt(`${maybeQuoted(name)}: read error`, () => reverse(tool, fd, separator));
        if (fd !== 0) tool.sys.close(fd);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        tool.warn(`failed to open ${quoted(name)} for reading: ${strerror(error.errno)}`);
      }
    }
  },
);

interface Separator {
  readonly text: string;
  /** It belongs to the line behind it. */
  readonly leads: boolean;
}

function reverse(tool: Tool, fd: number, separator: Separator): void {
  const stat = tool.sys.fstat(fd);
  if ((stat.mode & S_IFMT) !== S_IFREG || stat.size === 0) {
    let text = '';
    const input = new Input(tool.sys, fd);
    for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
      text += toLatin1(chunk);
    tool.out.latin1(writeLines(tool, text, separator));
    return;
  }
  let block = new Uint8Array(BLOCK_BYTES);
  let text = '';
  for (let end = stat.size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    const count = readAt(tool, { fd, offset: start }, block.subarray(0, end - start));
    text = writeLines(tool, toLatin1(block.subarray(0, count)) + text, separator);
    end = start;
    // A line longer than a block is not searched again and again.
    if (text.length > block.length) block = new Uint8Array(block.length * 2);
  }
  tool.out.latin1(text);
}

/** Writes the lines of `text` whose beginning is seen, the last first; returns the rest, its head. */
function writeLines(tool: Tool, text: string, { text: separator, leads }: Separator): string {
  let end = text.length;
  // The separator that ends the text begins no line, unless it leads one.
  let search = leads ? end - separator.length : end - separator.length - 1;
  for (;;) {
    const at = search < 0 ? -1 : text.lastIndexOf(separator, search);
    // One at the very beginning may be part of one that begins before, in the next block.
    if (at < 0) return text.slice(0, end);
    const start = leads ? at : at + separator.length;
    tool.out.latin1(text.slice(start, end));
    end = start;
    search = leads ? end - separator.length : end - separator.length - 1;
  }
}

function readAt(tool: Tool, from: { fd: number; offset: number }, into: Uint8Array): number {
  let used = 0;
  while (used < into.length) {
    const count = tool.sys.pread(from.fd, into.subarray(used), from.offset + used);
    if (count === 0) break;
    used += count;
  }
  return used;
}

// What the checksum programs share: `HASH  NAME` lines, and their check with -c.

import { O_RDONLY } from '../../../kernel/abi/constants.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import type { Options } from '../options.ts';
import { program, type Tool } from '../program.ts';
import { COPY_BYTES, type Input } from '../stdio.ts';
import type { Program } from '../sys.ts';
import { maybeQuoted } from '../text/quote.ts';

export interface Hash {
  update(data: Uint8Array): void;
  hex(): string;
}

export function checksumProgram(label: string, create: () => Hash, digits: number): Program {
  return program(
    {
      usage: '[-bctwz] [--quiet] [--status] [--strict] [--tag] [FILE]...',
      short: 'bctwz',
      long: {
        binary: 'b',
        check: 'c',
        text: 't',
        warn: 'w',
        zero: 'z',
        quiet: 'quiet',
        status: 'status',
        strict: 'strict',
        tag: 'tag',
        'ignore-missing': 'ignore-missing',
      },
    },
    (tool, options) => {
      const names = options.operands.length > 0 ? options.operands : ['-'];
      if (options.has('c')) {
        tool.eachInput(names, (input, name) =>
          check(tool, input, { name, label, create, digits, options }),
        );
        return;
      }
      for (const name of names) {
        const hash = tool.attempt(maybeQuoted(name), () => hashFile(tool, name, create()));
        if (hash !== undefined) print(tool, { hash, name, label }, options);
      }
    },
  );
}

function hashFile(tool: Tool, name: string, hash: Hash): string {
  const fd = name === '-' ? 0 : tool.sys.open(name, O_RDONLY);
  try {
    const buffer = new Uint8Array(COPY_BYTES);
    for (let count = tool.sys.read(fd, buffer); count > 0; count = tool.sys.read(fd, buffer))
      hash.update(buffer.subarray(0, count));
    return hash.hex();
  } finally {
    if (fd !== 0) tool.sys.close(fd);
  }
}

function print(
  tool: Tool,
  line: { hash: string; name: string; label: string },
  options: Options,
): void {
  const end = options.has('z') ? '\0' : '\n';
  const escaped = !options.has('z') && /[\\\n\r]/.test(line.name);
  const name = escaped
    ? line.name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
    : line.name;
  const mark = escaped ? '\\' : '';
  if (options.has('tag')) tool.out.text(`${mark}${line.label} (${name}) = ${line.hash}${end}`);
  else
    tool.out.text(`${mark}${line.hash} ${options.last('b', 't') === 'b' ? '*' : ' '}${name}${end}`);
}

interface Check {
  readonly name: string;
  readonly label: string;
  readonly create: () => Hash;
  readonly digits: number;
  readonly options: Options;
}

function check(tool: Tool, input: Input, { name, label, create, digits, options }: Check): void {
  const quiet = options.has('quiet', 'status');
  const tally = { lines: 0, malformed: 0, unreadable: 0, mismatched: 0 };
  for (let bytes = input.line(); bytes !== undefined; bytes = input.line()) {
    const line = parseLine(decodeText(bytes), label, digits);
    if (line === undefined) {
      tally.malformed++;
      continue;
    }
    tally.lines++;
    const before = tool.status;
    const hash = tool.attempt(maybeQuoted(line.name), () => hashFile(tool, line.name, create()));
    if (hash === undefined && options.has('ignore-missing')) tool.status = before;
    const verdict =
      hash === undefined ? 'FAILED open or read' : hash === line.hash ? 'OK' : 'FAILED';
    if (hash === undefined) tally.unreadable++;
    else if (verdict !== 'OK') tally.mismatched++;
    if (!options.has('status') && !(quiet && verdict === 'OK'))
      tool.out.text(`${maybeQuoted(line.name)}: ${verdict}\n`);
  }
  tool.out.flush();
  summarize(tool, { name, label }, { tally, options });
}

function summarize(
  tool: Tool,
  file: { name: string; label: string },
  { tally, options }: { tally: Record<string, number>; options: Options },
): void {
  const shown = file.name === '-' ? "'standard input'" : maybeQuoted(file.name);
  const { lines = 0, malformed = 0, unreadable = 0, mismatched = 0 } = tally;
  if (lines === 0) {
    tool.warn(`${shown}: no properly formatted checksum lines found`);
    return;
  }
  const say = (count: number, one: string, many: string): void => {
    if (count > 0 && !options.has('status'))
      tool.note(`WARNING: ${count} ${count === 1 ? one : many}`);
  };
  say(malformed, 'line is improperly formatted', 'lines are improperly formatted');
  say(unreadable, 'listed file could not be read', 'listed files could not be read');
  say(mismatched, 'computed checksum did NOT match', 'computed checksums did NOT match');
  if (unreadable + mismatched > 0 || (malformed > 0 && options.has('strict'))) tool.status = 1;
}

function parseLine(
  text: string,
  label: string,
  digits: number,
): { hash: string; name: string } | undefined {
  const escaped = text.startsWith('\\');
  const line = escaped ? text.slice(1) : text;
  const plain = /^\s*([0-9a-fA-F]+)(?: [ *]|[ \t])([\s\S]+)$/.exec(line);
  const tagged = /^(\w+) \(([\s\S]+)\) = ([0-9a-fA-F]+)$/.exec(line);
  const tag = tagged !== null && tagged[1] === label ? tagged : null;
  const hash = tag?.[3] ?? plain?.[1];
  const name = tag?.[2] ?? plain?.[2];
  if (hash === undefined || name === undefined || hash.length !== digits) return undefined;
  const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r' };
  const unescaped = name.replace(/\\(.)/g, (_, c: string) => letters[c] ?? c);
  return { hash: hash.toLowerCase(), name: escaped ? unescaped : name };
}

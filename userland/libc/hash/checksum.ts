// What cksum, sum and the programs of one hash share: their options, and the lines they write.

import { O_RDONLY } from '../../../kernel/abi/constants.ts';
import type { Options } from '../options.ts';
import { program, type Tool } from '../program.ts';
import { COPY_BYTES } from '../stdio.ts';
import type { Program } from '../sys.ts';
import { parseCount } from '../text/numbers.ts';
import { maybeQuoted } from '../text/quote.ts';
import { type Digest, type Hash, hexDigest, type SumName, sums } from './algorithms.ts';
import { checkLists } from './check.ts';

const long = {
  check: 'c',
  'ignore-missing': 'ignore-missing',
  quiet: 'quiet',
  status: 'status',
  strict: 'strict',
  warn: 'w',
  zero: 'z',
} as const;

/** The long options of every program that checks. */
export const checkingOptions: Readonly<Record<string, string>> = long;

/** The program of one hash: md5sum, sha256sum … */
export function digestProgram(digest: Digest): Program {
  const sized = digest.name === 'blake2b';
  return program(
    {
      usage: `[-b${sized ? 'cl' : 'c'}twz] [--tag] [FILE]...\nPrint or check ${digest.label} (${digest.bits}-bit) checksums.
  -c, --check       read checksums from the FILEs and check them
      --tag         BSD's form: NAME (FILE) = HASH
  -b, -t            mark the file as binary or text
  -z, --zero        end lines with NUL; names are not escaped
  --ignore-missing, --quiet, --status, --strict, -w (--warn): with -c alone`,
      short: `bctwz${sized ? 'l:' : ''}`,
      long: {
        ...long,
        binary: 'b',
        text: 't',
        tag: 'tag',
        ...(sized ? { 'length=': 'l' } : {}),
      },
    },
    (tool, options) => {
      const bits = sized ? digestBits(tool, options, digest) : digest.bits;
      refuseMixtures(tool, options);
      if (options.has('c')) checkLists(tool, options, { digests: [digest], bits });
      else
        printDigests(tool, options, { digest, bits, form: options.has('tag') ? 'tag' : 'plain' });
    },
  );
}

/** -l of BLAKE2b. */
export function digestBits(tool: Tool, options: Options, digest: Digest): number {
  const text = options.value('l');
  if (text === undefined) return digest.bits;
  const bits = parseCount(text) ?? tool.die(`invalid length: '${text}'`);
  if (bits % 8 !== 0) {
    tool.note(`invalid length: '${text}'`);
    tool.die('length is not a multiple of 8');
  }
  if (bits > digest.bits) {
    tool.note(`invalid length: '${text}'`);
    tool.die(`maximum digest length for '${digest.label}' is ${digest.bits} bits`);
  }
  return bits === 0 ? digest.bits : bits;
}

export function refuseMixtures(tool: Tool, options: Options): void {
  const checking = options.has('c');
  if (options.has('tag') && options.last('b', 't') === 't')
    tool.misuse('--tag does not support --text mode');
  if (checking && options.has('z'))
    tool.misuse('the --zero option is not supported when verifying checksums');
  if (checking && options.has('tag'))
    tool.misuse('the --tag option is meaningless when verifying checksums');
  if (checking && options.has('b', 't'))
    tool.misuse('the --binary and --text options are meaningless when verifying checksums');
  if (checking) return;
  for (const [name, letter] of Object.entries({ ...long, check: '', zero: '' }))
    if (letter !== '' && options.has(letter))
      tool.misuse(`the --${name} option is meaningful only when verifying checksums`);
}

export interface Printing {
  readonly digest: Digest;
  readonly bits: number;
  readonly form: 'tag' | 'plain';
}

export function printDigests(tool: Tool, options: Options, how: Printing): void {
  const { digest, bits, form } = how;
  const end = options.has('z') ? '\0' : '\n';
  const short = bits !== digest.bits ? `-${bits}` : '';
  for (const given of options.operands.length > 0 ? options.operands : ['-']) {
    const hash = digest.create(bits);
    const done = tool.attempt(maybeQuoted(given), () => readThrough(tool, given, hash));
    if (done === undefined) continue;
    const escaped = !options.has('z') && /[\\\n\r]/.test(given);
    const name = escaped ? escapeName(given) : given;
    const mark = options.last('b', 't') === 'b' ? '*' : ' ';
    const hex = hexDigest(hash);
    tool.out.text(
      `${escaped ? '\\' : ''}${form === 'tag' ? `${digest.label}${short} (${name}) = ${hex}` : `${hex} ${mark}${name}`}${end}`,
    );
  }
}

export const escapeName = (name: string): string =>
  name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');

/** cksum's and sum's own: the sum, the size, the name when one was given. */
export function printSums(tool: Tool, names: readonly string[], kind: SumName): void {
  for (const name of names.length > 0 ? names : ['-']) {
    const sum = sums[kind]();
    const done = tool.attempt(maybeQuoted(name), () => readThrough(tool, name, sum));
    if (done === undefined) continue;
    tool.out.text(names.length > 0 ? `${sum.line()} ${name}\n` : `${sum.line()}\n`);
  }
}

/** Gives the file's bytes to `hash`; true, so that `attempt` can tell it from a fault. */
export function readThrough(tool: Tool, name: string, hash: Pick<Hash, 'update'>): true {
  const fd = name === '-' ? 0 : tool.sys.open(name, O_RDONLY);
  try {
    const buffer = new Uint8Array(COPY_BYTES);
    for (let count = tool.sys.read(fd, buffer); count > 0; count = tool.sys.read(fd, buffer))
      hash.update(buffer.subarray(0, count));
    return true;
  } finally {
    if (fd !== 0) tool.sys.close(fd);
  }
}

// cksum: CRC checksums and sizes (POSIX.1-2024 cksum), or with -a any other kind, with GNU's -c, -l,
// --tag and --untagged.

import { type Digest, digests } from '../libc/hash/algorithms.ts';
import { checkLists } from '../libc/hash/check.ts';
import {
  checkingOptions,
  digestBits,
  printDigests,
  printSums,
  refuseMixtures,
} from '../libc/hash/checksum.ts';
import { program, type Tool } from '../libc/program.ts';

const names = ['bsd', 'sysv', 'crc', ...digests.map(({ name }) => name)];

export const main = program(
  {
    usage: `[-a TYPE] [-cwz] [-l BITS] [--untagged] [FILE]...
Print or check checksums; CRC and size unless -a says otherwise.
  -a, --algorithm=TYPE  one of ${names.join(', ')}
  -c, --check           read checksums from the FILEs and check them
  -l, --length=BITS     the length of a blake2b hash
      --untagged        HASH and NAME alone
  -z, --zero            end lines with NUL; names are not escaped
  --ignore-missing, --quiet, --status, --strict, -w (--warn): with -c alone`,
    short: 'a:cl:wz',
    long: {
      ...checkingOptions,
      'algorithm=': 'a',
      'length=': 'l',
      tag: 'tagged',
      untagged: 'untagged',
    },
  },
  (tool, options) => {
    const name = algorithmName(tool, options.value('a'));
    const digest = digests.find((one) => one.name === name);
    if (options.has('l') && name !== 'blake2b')
      tool.die('--length is only supported with --algorithm=blake2b');
    if (options.has('c') && options.has('a') && digest === undefined)
      tool.die('--check is not supported with --algorithm={bsd,sysv,crc}');
    refuseMixtures(tool, options);
    const bits = digest === undefined ? 0 : digestBits(tool, options, digest);
    if (options.has('c')) checkLists(tool, options, { digests: expected(digest), bits });
    else if (digest === undefined)
      printSums(tool, options.operands, name === 'bsd' || name === 'sysv' ? name : 'crc');
    else {
      const form = options.last('tagged', 'untagged') === 'untagged' ? 'plain' : 'tag';
      printDigests(tool, options, { digest, bits, form });
    }
  },
);

const expected = (digest: Digest | undefined): readonly Digest[] =>
  digest === undefined ? digests : [digest];

/** A name, or an unambiguous beginning of one. */
function algorithmName(tool: Tool, given: string | undefined): string {
  if (given === undefined) return 'crc';
  const matches = names.filter((name) => name.startsWith(given));
  const [only = ''] = matches;
  if (names.includes(given)) return given;
  if (matches.length === 1) return only;
  return tool.misuse(
    `invalid argument '${given}' for '--algorithm'\nValid arguments are:\n${names
      .map((name) => `  - '${name}'`)
      .join('\n')}`,
  );
}

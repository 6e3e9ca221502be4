// md5sum, sha1sum, sha224sum, sha256sum, sha384sum, sha512sum and b2sum: one hash each, by the name
// that the program is started under.

import { digests } from '../libc/hash/algorithms.ts';
import { digestProgram } from '../libc/hash/checksum.ts';
import { programName } from '../libc/program.ts';
import type { Program } from '../libc/sys.ts';

export const main: Program = (sys) => {
  const name = programName(sys).replace(/sum$/, '').replace(/^b2$/, 'blake2b');
  const digest = digests.find((one) => one.name === name) ?? digests[0];
  return digest === undefined ? 1 : digestProgram(digest)(sys);
};

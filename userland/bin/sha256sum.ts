// sha256sum: checksums of files, and their check (-c). GNU coreutils §6.4.

import { checksumProgram } from '../libc/hash/checksum.ts';
import { Sha256 } from '../libc/hash/sha256.ts';

export const main = checksumProgram('SHA256', () => new Sha256(), 64);

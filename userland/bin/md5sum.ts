// md5sum: MD5 checksums of files, and their check (-c).

import { checksumProgram } from '../libc/hash/checksum.ts';
import { Md5 } from '../libc/hash/md5.ts';

export const main = checksumProgram('MD5', () => new Md5(), 32);

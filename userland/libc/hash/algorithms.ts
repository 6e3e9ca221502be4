// The checksums that the programs know: hashes with a digest (the package @noble/hashes), and the sums
// of cksum and sum (sums.ts).

import { blake2b } from '@noble/hashes/blake2.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { BsdSum, Crc, type Sum, SysvSum } from './sums.ts';

export interface Hash {
  update(data: Uint8Array): void;
  digest(): Uint8Array;
}

export interface Digest {
  /** As `cksum -a` names it. */
  readonly name: string;
  /** As a line in BSD's form names it: `MD5 (file) = …`. */
  readonly label: string;
  readonly bits: number;
  readonly create: (bits: number) => Hash;
}

export const digests: readonly Digest[] = [
  { name: 'md5', label: 'MD5', bits: 128, create: () => md5.create() },
  { name: 'sha1', label: 'SHA1', bits: 160, create: () => sha1.create() },
  { name: 'sha224', label: 'SHA224', bits: 224, create: () => sha224.create() },
  { name: 'sha256', label: 'SHA256', bits: 256, create: () => sha256.create() },
  { name: 'sha384', label: 'SHA384', bits: 384, create: () => sha384.create() },
  { name: 'sha512', label: 'SHA512', bits: 512, create: () => sha512.create() },
  {
    name: 'blake2b',
    label: 'BLAKE2b',
    bits: 512,
    create: (bits) => blake2b.create({ dkLen: bits / 8 }),
  },
];

export type SumName = 'bsd' | 'sysv' | 'crc';

export const sums: Readonly<Record<SumName, () => Sum>> = {
  bsd: () => new BsdSum(),
  sysv: () => new SysvSum(),
  crc: () => new Crc(),
};

export const hexDigest = (hash: Hash): string => bytesToHex(hash.digest());

// The hashes that order a directory: legacy, half MD4 and TEA, each with signed or unsigned bytes.
// directory.rst, "Hash Tree Directories"; half MD4 is RFC 1320 §3.4 cut to 8 steps a round.

import { EOPNOTSUPP, fail } from '../../../kernel/abi/errno.ts';
import type { Volume } from '../volume/superblock.ts';

const DX_HASH_LEGACY = 0;
const DX_HASH_HALF_MD4 = 1;
export const DX_HASH_TEA = 2;
const UNSIGNED = 3; // added to the version for bytes above 127 taken as they are

export interface NameHash {
  major: number; // u32, bit 0 clear: that bit marks a run of equal hashes in the index
  minor: number; // u32
}

/** The greatest major hash is kept for the end of a directory. */
const HTREE_EOF = 0xffff_fffe;

/** The version used for names: the one on the disk, with what the superblock says of `char`. */
export const hashVersion = (vol: Volume, version: number): number =>
  version <= DX_HASH_TEA && vol.unsignedHash ? version + UNSIGNED : version;

export function hashName(vol: Volume, version: number, name: Uint8Array): NameHash {
  const signed = version < UNSIGNED;
  const hash = hashKind(vol, version, { name, signed });
  const major = (hash.major & ~1) >>> 0;
  return { major: major === HTREE_EOF ? HTREE_EOF - 2 : major, minor: hash.minor >>> 0 };
}

interface Text {
  name: Uint8Array;
  signed: boolean;
}

function hashKind(vol: Volume, version: number, text: Text): NameHash {
  switch (version % UNSIGNED) {
    case DX_HASH_LEGACY:
      return legacy(text);
    case DX_HASH_HALF_MD4:
      if (version <= UNSIGNED + DX_HASH_TEA) return halfMd4(vol, text);
      break;
    case DX_HASH_TEA:
      if (version <= UNSIGNED + DX_HASH_TEA) return tea(vol, text);
      break;
  }
  return fail(EOPNOTSUPP, `directory hash version ${version} is not known`);
}

const charAt = ({ name, signed }: Text, at: number): number => {
  const byte = name[at] ?? 0;
  return signed && byte > 127 ? byte - 256 : byte;
};

function legacy(text: Text): NameHash {
  let hash0 = 0x12a3fe2d;
  let hash1 = 0x37abe8f9;
  for (let i = 0; i < text.name.length; i++) {
    let hash = (hash1 + (hash0 ^ Math.imul(charAt(text, i), 7152373))) >>> 0;
    if ((hash & 0x8000_0000) !== 0) hash = (hash - 0x7fff_ffff) >>> 0;
    hash1 = hash0;
    hash0 = hash;
  }
  return { major: (hash0 << 1) >>> 0, minor: minorOf(text.name) };
}

/** The legacy hash has no second part; FNV-1a stands in where names must be told apart. */
function minorOf(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const state = new Int32Array(4);
const words = new Int32Array(8);

function start(vol: Volume): void {
  state.set([0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476]);
  if (vol.hashSeed.some((word) => word !== 0)) state.set(vol.hashSeed);
}

/** Packs up to count * 4 bytes into words, big end first, filled up with the length. */
function pack(text: Text, from: number, count: number): void {
  const length = text.name.length - from;
  let pad = (length | (length << 8)) >>> 0;
  pad |= pad << 16;
  let value = pad;
  let word = 0;
  const taken = Math.min(length, count * 4);
  for (let i = 0; i < taken; i++) {
    value = (charAt(text, from + i) + (value << 8)) | 0;
    if (i % 4 === 3) {
      words[word++] = value;
      value = pad;
    }
  }
  if (word < count) words[word++] = value;
  while (word < count) words[word++] = pad;
}

function halfMd4(vol: Volume, text: Text): NameHash {
  start(vol);
  for (let at = 0; at < text.name.length; at += 32) {
    pack(text, at, 8);
    halfMd4Transform();
  }
  return { major: state[1] ?? 0, minor: state[2] ?? 0 };
}

// For each step of a round: which word, and how far to rotate.
const ROUND1 = [0, 3, 1, 7, 2, 11, 3, 19, 4, 3, 5, 7, 6, 11, 7, 19];
const ROUND2 = [1, 3, 3, 5, 5, 9, 7, 13, 0, 3, 2, 5, 4, 9, 6, 13];
const ROUND3 = [3, 3, 7, 9, 2, 11, 6, 15, 1, 3, 5, 9, 0, 11, 4, 15];

function halfMd4Transform(): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  const step = (mixed: number, round: number[], i: number, constant: number): void => {
    const sum = (a + mixed + (words[round[i] ?? 0] ?? 0) + constant) | 0;
    const turn = round[i + 1] ?? 0;
    const turned = (sum << turn) | (sum >>> (32 - turn));
    a = d;
    d = c;
    c = b;
    b = turned;
  };
  for (let i = 0; i < 16; i += 2) step(d ^ (b & (c ^ d)), ROUND1, i, 0);
  for (let i = 0; i < 16; i += 2) step(((b & c) + ((b ^ c) & d)) | 0, ROUND2, i, 0x5a827999);
  for (let i = 0; i < 16; i += 2) step(b ^ c ^ d, ROUND3, i, 0x6ed9eba1);
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
}

function tea(vol: Volume, text: Text): NameHash {
  start(vol);
  for (let at = 0; at < text.name.length; at += 16) {
    pack(text, at, 4);
    teaTransform();
  }
  return { major: state[0] ?? 0, minor: state[1] ?? 0 };
}

function teaTransform(): void {
  const [a = 0, b = 0, c = 0, d = 0] = words;
  let x = state[0] ?? 0;
  let y = state[1] ?? 0;
  let sum = 0;
  for (let n = 0; n < 16; n++) {
    sum = (sum + 0x9e3779b9) | 0;
    x = (x + (((y << 4) + a) ^ (y + sum) ^ ((y >>> 5) + b))) | 0;
    y = (y + (((x << 4) + c) ^ (x + sum) ^ ((x >>> 5) + d))) | 0;
  }
  state[0] = (state[0] ?? 0) + x;
  state[1] = (state[1] ?? 0) + y;
}

// What identify.ts and its kinds share: tags, and bytes of a medium.

import type { Medium } from '../../../daemons/lib/medium.ts';

/** In the order in which blkid prints them: LABEL, UUID, BLOCK_SIZE, TYPE … */
export type Tags = ReadonlyMap<string, string>;

/** Exactly these bytes, or undefined where the medium ends before. */
export const bytesAt = (medium: Medium, offset: number, length: number): Uint8Array | undefined =>
  offset + length <= medium.sizeBytes ? medium.read(offset, length) : undefined;

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Tags without those that have no value. */
export function tagsOf(pairs: readonly (readonly [string, string | undefined])[]): Tags {
  const tags = new Map<string, string>();
  for (const [name, value] of pairs) if (value) tags.set(name, value);
  return tags;
}

/** Bytes to the first zero, blanks at the end left out. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).trimEnd();
}

export const hex = (value: number, digits: number): string =>
  value.toString(16).toUpperCase().padStart(digits, '0');

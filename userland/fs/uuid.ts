// UUIDs of volumes: made (version 4), read and written as text. RFC 9562 §4, §5.4.

import type { Sys } from '../libc/sys.ts';

export function newUuid(sys: Sys): Uint8Array {
  const uuid = new Uint8Array(16);
  sys.getrandom(uuid);
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x40;
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80;
  return uuid;
}

/** The sixteen bytes of `8-4-4-4-12` hexadecimal digits; undefined when it is not that. */
export function parseUuid(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const digits = text.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

export function formatUuid(uuid: Uint8Array): string {
  const digits = [...uuid].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

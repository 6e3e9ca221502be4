// Bytes as strings of which each character is one byte (ISO 8859-1): the form in which programs
// compare, search and cut data, as the C locale does. TextDecoder's "latin1" is windows-1252.

const PIECE = 8192;

export function toLatin1(bytes: Uint8Array): string {
  if (bytes.length <= PIECE) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let out = '';
  for (let at = 0; at < bytes.length; at += PIECE)
    out += String.fromCharCode.apply(null, bytes.subarray(at, at + PIECE) as unknown as number[]);
  return out;
}

export function fromLatin1(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

// File names and arguments as messages show them (LC_ALL=C): 'name', "it's", 'a'$'\n''b'.

import { encodeText } from '../../../kernel/abi/text.ts';
import { toLatin1 } from './latin1.ts';

const plain = /^[A-Za-z0-9_@%+=:,./-][A-Za-z0-9_@%+=:,./~#{}\]^-]*$|^[\]^{}]+$/;

/** The name as it is when a shell would read it back, quoted otherwise. */
export const maybeQuoted = (name: string): string =>
  plain.test(name) && name !== '' ? name : quoted(name);

/** The name in quotes that a shell reads back to the same bytes. */
export function quoted(name: string): string {
  const bytes = toLatin1(encodeText(name));
  if (!/[^ -~]/.test(bytes)) {
    if (!bytes.includes("'")) return `'${bytes}'`;
    if (!/["$`\\!]/.test(bytes)) return `"${bytes}"`;
    return `'${bytes.replaceAll("'", "'\\''")}'`;
  }
  let out = '';
  for (const part of bytes.match(/[ -~]+|[^ -~]+/g) ?? [])
    out += /[ -~]/.test(part) ? `'${part.replaceAll("'", "'\\''")}'` : `$'${escapes(part)}'`;
  return out.startsWith('$') ? `''${out}` : out;
}

/** An argument in a message: quotes and backslash escapes. */
export function quotedArgument(text: string): string {
  let out = '';
  for (const c of toLatin1(encodeText(text)))
    out += c === "'" || c === '\\' ? `\\${c}` : c >= ' ' && c <= '~' ? c : escapes(c);
  return `'${out}'`;
}

const letters: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

const escapes = (text: string): string =>
  text.replace(/[\s\S]/g, (c) => letters[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);

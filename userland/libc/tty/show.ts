// A terminal's settings as text, as stty writes them.

import { SANE, type Termios, type Winsize } from '../../../kernel/abi/termios.ts';
import { characters, type Flag, flags, numbers } from './settings.ts';

const SPEED = 38_400;

/** What is not as it usually is. */
export function show(termios: Termios): string {
  const lines = [`speed ${SPEED} baud; line = 0;`];
  const changed = Object.entries(characters).filter(([, i]) => termios.cc[i] !== SANE.cc[i]);
  if (changed.length > 0) lines.push(characterList(termios, changed));
  const others = Object.entries(flags).filter(
    ([, flag]) => isSet(termios, flag) !== isSet(SANE, flag),
  );
  if (others.length > 0) lines.push(flagList(termios, others));
  return `${lines.join('\n')}\n`;
}

export function showAll(termios: Termios, { rows, columns }: Winsize): string {
  const lines = [
    `speed ${SPEED} baud; rows ${rows}; columns ${columns}; line = 0;`,
    characterList(termios, Object.entries(characters)),
    Object.entries(numbers)
      .map(([name, i]) => `${name} = ${termios.cc[i] ?? 0};`)
      .join(' '),
    flagList(termios, Object.entries(flags)),
  ];
  return `${lines.join('\n')}\n`;
}

const isSet = (termios: Termios, { field, bit }: Flag): boolean => (termios[field] & bit) !== 0;

const characterList = (termios: Termios, list: readonly (readonly [string, number])[]): string =>
  list.map(([name, i]) => `${name} = ${controlText(termios.cc[i] ?? 0)};`).join(' ');

const flagList = (termios: Termios, list: readonly (readonly [string, Flag])[]): string =>
  list.map(([name, flag]) => `${isSet(termios, flag) ? '' : '-'}${name}`).join(' ');

function controlText(byte: number): string {
  if (byte === 0) return '<undef>';
  if (byte >= 128) return `M-${controlText(byte - 128)}`;
  return byte < 32 || byte === 127
    ? `^${String.fromCharCode(byte ^ 64)}`
    : String.fromCharCode(byte);
}

/** `^C`, `^?`, `c`, a number, `undef` or `^-`; undefined when it is none of these. */
export function readControl(text: string): number | undefined {
  if (text === 'undef' || text === '^-') return 0;
  if (text.length === 1) return text.charCodeAt(0) & 0xff;
  if (/^\^.$/.test(text)) return text[1] === '?' ? 127 : text.toUpperCase().charCodeAt(1) & 31;
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 256;
  return number < 256 ? number : undefined;
}

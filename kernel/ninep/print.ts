// One line for a message, as plan9's %F prints a Fcall: for traces and for people.

import { errnoName, toErrno } from '../abi/errno.ts';
import type { Timespec } from '../abi/stat.ts';
import { type Message, NOFID, NOTAG, type Qid, QTDIR, QTSYMLINK } from './types.ts';

/** `Twalk tag 3 fid 1 newfid 7 wname 'usr' 'lib'`. Payload is told by its count alone. */
export function formatMessage(tag: number, message: Message): string {
  const parts: string[] = [message.name, 'tag', tag === NOTAG ? 'NOTAG' : String(tag)];
  for (const [key, value] of Object.entries(message)) {
    if (key === 'name' || key === 'data') continue;
    parts.push(key, formatValue(key, value));
  }
  return parts.join(' ');
}

function formatValue(key: string, value: unknown): string {
  if (key === 'ecode') return errnoName(toErrno(Number(value)));
  if (key === 'mode') return `0${Number(value).toString(8)}`;
  if (key === 'flags' || key === 'valid' || key === 'requestMask') {
    return `0x${Number(value).toString(16)}`;
  }
  if (typeof value === 'number') return value === NOFID ? 'NOFID' : String(value);
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return value.map((item) => formatValue('', item)).join(' ');
  if (isQid(value)) return formatQid(value);
  if (isTime(value)) return `${value.sec}.${String(value.nsec).padStart(9, '0')}`;
  return formatRecord(value);
}

/** `(0000000000000002 5 d)`: path, version, type. */
function formatQid(qid: Qid): string {
  const letters = ((qid.type & QTDIR) !== 0 ? 'd' : '') + ((qid.type & QTSYMLINK) !== 0 ? 'l' : '');
  return `(${qid.path.toString(16).padStart(16, '0')} ${qid.version} ${letters || '-'})`;
}

function formatRecord(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).map(([key, item]) => `${key} ${formatValue(key, item)}`);
  return `{ ${parts.join(' ')} }`;
}

/** A name on one line, whatever is in it. */
function quote(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const plain = c >= 0x20 && c !== 0x27 && c !== 0x5c && c !== 0x7f;
    out += plain && (c & 0xf800) !== 0xd800 ? text[i] : `\\u${c.toString(16).padStart(4, '0')}`;
  }
  return `'${out}'`;
}

const isQid = (value: unknown): value is Qid =>
  typeof value === 'object' && value !== null && 'path' in value && 'version' in value;

const isTime = (value: unknown): value is Timespec =>
  typeof value === 'object' && value !== null && 'sec' in value && 'nsec' in value;

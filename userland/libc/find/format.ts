// The directives of find -printf.

import { ELOOP, ENOENT, ENOTDIR, PosixError } from '../../../kernel/abi/errno.ts';
import type { Timespec } from '../../../kernel/abi/stat.ts';
import { formatMode, typeLetter } from '../files/mode.ts';
import { isSymlink } from '../files/path.ts';
import type { Tool } from '../program.ts';
import { readEscape } from '../text/escapes.ts';
import { directive, directiveFlags, formatString } from '../text/format.ts';
import { strftime } from '../time/date.ts';
import type { Subject } from './evaluate.ts';

export function formatFile(tool: Tool, format: string, subject: Subject): string {
  let out = '';
  for (let i = 0; i < format.length; ) {
    if (format[i] === '\\') {
      const sequence = readEscape(format, i, 'format');
      if (sequence.stop) return out;
      out += sequence.text;
      i = sequence.end;
      continue;
    }
    const match =
      format[i] === '%'
        ? /^%([-0# +]*)(\d*)(?:\.(\d+))?(%|[ACT].|[a-zA-Z])/.exec(format.slice(i))
        : null;
    if (match === null) {
      out += format[i++];
      continue;
    }
    const [whole, flags = '', width = '', precision, letter = ''] = match;
    const value = letter === '%' ? '%' : field(tool, letter, subject);
    const d = directive({
      ...directiveFlags(flags),
      width: Number(width),
      precision: precision === undefined ? undefined : Number(precision),
    });
    const zeroed = d.zero && !d.minus ? (value ?? whole).padStart(d.width, '0') : (value ?? whole);
    out += formatString(d, zeroed);
    i += whole.length;
  }
  return out;
}

/** The directives that need no stat. */
function nameField(letter: string, at: { path: string; depth: number; root: string }): string {
  const { path, depth, root } = at;
  const slash = path.lastIndexOf('/');
  switch (letter) {
    case 'd':
      return String(depth);
    case 'f': // with the slashes at the end of a root
      return /[^/]*\/*$/.exec(path)?.[0] || path;
    case 'h':
      return slash < 0 ? '.' : path.slice(0, slash);
    case 'H':
      return root;
    case 'P':
      return depth === 0 ? '' : path.slice(root.endsWith('/') ? root.length : root.length + 1);
    default:
      return path;
  }
}

function field(tool: Tool, letter: string, { visit, root, settings }: Subject): string | undefined {
  const { path, depth } = visit;
  if (/^[fhpPHd]$/.test(letter)) return nameField(letter, { path, depth, root });
  const { stat } = visit;
  const { users } = settings;
  const times: Readonly<Record<string, Timespec>> = { A: stat.atime, C: stat.ctime, T: stat.mtime };
  const time = times[letter[0] ?? ''];
  if (time !== undefined && letter.length === 2) return timeField(letter[1] ?? '', time);
  switch (letter) {
    case 'a':
      return timeField('', stat.atime);
    case 'b':
      return String(stat.blocks);
    case 'c':
      return timeField('', stat.ctime);
    case 'D':
      return String(stat.dev);
    case 'g':
      return users.groupName(stat.gid) ?? String(stat.gid);
    case 'G':
      return String(stat.gid);
    case 'i':
      return String(stat.ino);
    case 'k':
      return String(Math.ceil(stat.blocks / 2));
    case 'l':
      return isSymlink(stat) ? tool.sys.readlink(path) : '';
    case 'm':
      return (stat.mode & 0o7777).toString(8);
    case 'M':
      return formatMode(stat.mode);
    case 'n':
      return String(stat.nlink);
    case 's':
      return String(stat.size);
    case 't':
      return timeField('', stat.mtime);
    case 'u':
      return users.userName(stat.uid) ?? String(stat.uid);
    case 'U':
      return String(stat.uid);
    case 'Y':
      return isSymlink(stat) ? targetType(tool, path) : typeLetter(stat.mode).replace('-', 'f');
    case 'y':
      return typeLetter(stat.mode).replace('-', 'f');
    default:
      return undefined;
  }
}

/** Of what a link leads to: N for nothing, L for a loop, ? for what cannot be told. */
function targetType(tool: Tool, path: string): string {
  try {
    return typeLetter(tool.sys.stat(path).mode).replace('-', 'f');
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.errno === ENOENT || error.errno === ENOTDIR) return 'N';
    return error.errno === ELOOP ? 'L' : '?';
  }
}

const fraction = (time: Timespec): string => `${String(time.nsec).padStart(9, '0')}0`;

function timeField(letter: string, time: Timespec): string {
  if (letter === '') return strftime(`%a %b %e %H:%M:%S.${fraction(time)} %Y`, time);
  if (letter === '@') return `${time.sec}.${fraction(time)}`;
  if (letter === 'S') return strftime(`%S.${fraction(time)}`, time);
  if (letter === 'T') return strftime(`%H:%M:%S.${fraction(time)}`, time);
  if (letter === '+') return strftime(`%Y-%m-%d+%H:%M:%S.${fraction(time)}`, time);
  return strftime(`%${letter}`, time);
}

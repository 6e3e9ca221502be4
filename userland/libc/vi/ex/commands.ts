// The commands of ex by their names: `least|more` is known by `least` and anything up to all of it.

import { indentOf } from '../chars.ts';
import type { Editor } from '../editor.ts';
import { join, put, remove, type Stretch, shift, yank } from '../operators.ts';
import { allOptions, setOption } from '../options.ts';
import { preserve } from '../preserve.ts';
import type { Range } from './address.ts';
import { editNext, leave, read, readCommand, startEdit, write } from './files.ts';
import { filter, runShell } from './shell.ts';
import { everywhere, substitute } from './substitute.ts';

export interface ExCall {
  readonly vi: Editor;
  readonly range: Range;
  /** The range was typed. */
  readonly given: boolean;
  readonly name: string;
  readonly bang: boolean;
  readonly args: string;
}

type ExCommand = (call: ExCall) => void;

const lines = ({ from, to }: Range): Stretch => ({
  from: { line: from, column: 0 },
  to: { line: to, column: 0 },
  lines: true,
});

/** A register and a count, as `d`, `y`, `j`, `>` take them; the range that they mean. */
function counted({ vi, range, args }: ExCall): Range | undefined {
  const [, register, count] = /^([a-zA-Z]?)\s*(\d*)$/.exec(args) ?? [];
  if (count === undefined) {
    vi.complain('Trailing characters');
    return undefined;
  }
  vi.wantedRegister = register || undefined;
  if (count === '') return range;
  const last = vi.buffer.lines.length - 1;
  return { from: range.to, to: Math.min(last, range.to + Math.max(1, Number(count)) - 1) };
}

function copyTo({ vi, range, args }: ExCall): undefined {
  const at = destination(vi, args);
  if (at === undefined) return;
  vi.buffer.splice(at, 0, vi.buffer.lines.slice(range.from, range.to + 1));
  vi.toLine(at + range.to - range.from);
}

function moveTo({ vi, range, args }: ExCall): undefined {
  const at = destination(vi, args);
  if (at === undefined) return;
  const count = range.to - range.from + 1;
  if (at > range.from && at <= range.to) return vi.complain('It cannot be moved into itself');
  const moved = vi.buffer.lines.slice(range.from, range.to + 1);
  vi.buffer.splice(range.from, count, []);
  const to = at > range.to ? at - count : at;
  const empty = vi.buffer.lines.length === 1 && count >= 1 && at <= 0;
  vi.buffer.splice(to, empty && vi.buffer.line(0) === '' ? 0 : 0, moved);
  vi.toLine(to + count - 1);
}

/** The line behind the address; 0 is before the first. */
function destination(vi: Editor, text: string): number | undefined {
  const number = /^\s*0\s*$/.test(text) ? 0 : undefined;
  if (number !== undefined) return 0;
  const [, base = '', sign, by = ''] =
    /^\s*(\d+|\.|\$|'[a-z])?\s*([-+])?(\d*)\s*$/.exec(text) ?? [];
  const mark = base.startsWith("'") ? vi.buffer.marks.get(base.charAt(1))?.line : undefined;
  const start =
    base === '' || base === '.'
      ? vi.cursor.line
      : base === '$'
        ? vi.buffer.lines.length - 1
        : (mark ?? Number(base) - 1);
  const line = start + (sign === undefined ? 0 : (sign === '-' ? -1 : 1) * Number(by || 1));
  if (text.trim() === '' || !(line >= -1) || line >= vi.buffer.lines.length) {
    vi.complain('No such line');
    return undefined;
  }
  return line + 1;
}

function set({ vi, args }: ExCall): undefined {
  const words = args.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0 || words[0] === 'all') return vi.tell(allOptions(vi.options));
  const told = words.map((word) => setOption(vi.options, word)).filter((text) => text !== '');
  if (told.length > 0) vi.tell(told.join(' '));
}

function describe({ vi, args }: ExCall): undefined {
  if (args !== '') vi.name = args;
  const { lines: all, modified } = vi.buffer;
  const percent = Math.floor(((vi.cursor.line + 1) * 100) / all.length);
  const name = vi.name === undefined ? '[No file]' : `"${vi.name}"`;
  vi.tell(
    `${name}${modified ? ' [Modified]' : ''} line ${vi.cursor.line + 1} of ${all.length} --${percent}%--`,
  );
}

function shifted(call: ExCall): undefined {
  const range = counted(call);
  const way = call.name.startsWith('<') ? '<' : '>';
  if (range !== undefined) for (const _ of call.name) shift(call.vi, lines(range), way);
}

export const exCommands: Readonly<Record<string, ExCommand>> = {
  's|ubstitute': substitute,
  '&|': substitute,
  'g|lobal': everywhere,
  'v|global': everywhere,
  'w|rite': (call) => void write(call),
  wq: (call) => {
    if (write(call)) leave({ ...call, args: '' });
  },
  'x|it': (call) => {
    if (!call.vi.buffer.modified || write(call)) leave(call);
  },
  'q|uit': leave,
  'qa|ll': leave,
  'e|dit': startEdit,
  'r|ead': (call) => (call.args.startsWith('!') ? readCommand(call) : read(call)),
  'n|ext': (call) => editNext(call, 1),
  'prev|ious': (call) => editNext(call, -1),
  'rew|ind': (call) => editNext(call, -call.vi.fileAt),
  'ar|gs': ({ vi }) =>
    vi.tell(vi.files.map((name, i) => (i === vi.fileAt ? `[${name}]` : name)).join(' ')),
  'f|ile': describe,
  'd|elete': (call) => {
    const range = counted(call);
    if (range !== undefined) remove(call.vi, lines(range));
  },
  'y|ank': (call) => {
    const range = counted(call);
    if (range !== undefined) yank(call.vi, lines(range));
  },
  'pu|t': ({ vi, range, args }) => {
    vi.wantedRegister = args || undefined;
    vi.toLine(range.to);
    put(vi, 'behind', 1);
  },
  'j|oin': (call) => {
    const { vi, range, given } = call;
    const to = given && range.to > range.from ? range.to : range.from + 1;
    join(vi, range.from, to - range.from + 1);
  },
  '>|': shifted,
  '<|': shifted,
  't|': copyTo,
  'co|py': copyTo,
  'm|ove': moveTo,
  'k|': ({ vi, range, args }) => void vi.buffer.marks.set(args, { line: range.to, column: 0 }),
  'ma|rk': ({ vi, range, args }) => void vi.buffer.marks.set(args, { line: range.to, column: 0 }),
  'se|t': set,
  'u|ndo': ({ vi }) => {
    const to = vi.buffer.undo();
    if (to !== undefined) vi.moveTo(to);
  },
  'red|o': ({ vi }) => {
    const to = vi.buffer.redo();
    if (to !== undefined) vi.moveTo(to);
  },
  'p|rint': ({ vi, range }) => {
    vi.toLine(range.to);
    vi.tell(vi.buffer.line(range.to));
  },
  'nu|mber': ({ vi, range }) => {
    vi.toLine(range.to);
    vi.tell(
      `${range.to + 1}  ${indentOf(vi.buffer.line(range.to))}${vi.buffer.line(range.to).trimStart()}`,
    );
  },
  '=|': ({ vi, range, given }) => vi.tell(String(given ? range.to + 1 : vi.buffer.lines.length)),
  '!|': (call) => (call.given ? filter(call) : runShell(call.vi, call.args)),
  'sh|ell': ({ vi }) => runShell(vi, ''),
  'pre|serve': ({ vi }) => {
    const kept = preserve(vi.tool.sys, vi.name ?? '', vi.buffer);
    vi.tell(kept ? 'Preserved' : 'It could not be preserved');
  },
};

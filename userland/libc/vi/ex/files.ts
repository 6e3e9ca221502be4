// The commands of ex that read and write files.

import { O_APPEND, W_OK } from '../../../../kernel/abi/constants.ts';
import { ENOENT, PosixError, strerror } from '../../../../kernel/abi/errno.ts';
import type { Stat } from '../../../../kernel/abi/stat.ts';
import { statIfThere } from '../../files/path.ts';
import type { Editor } from '../editor.ts';
import { linesOf, put, readText, type Text, writeText } from '../file.ts';
import { forget } from '../preserve.ts';
import type { ExCall } from './commands.ts';
import { outputOf, pipeTo } from './shell.ts';

const stamp = (stat: Stat): string =>
  `${stat.mtime.sec}.${stat.mtime.nsec} ${stat.size} ${stat.ino}`;

const sizes = ({ lines, bytes, unterminated }: Text): string =>
  `${lines.length}L, ${bytes}B${unterminated ? ' [noeol]' : ''}`;

/** Puts a file into the editor, or an empty text for one that is not there yet; false when neither can be. */
export function load(vi: Editor, name: string): boolean {
  const { sys } = vi.tool;
  vi.options.readonly = false;
  try {
    const text = readText(sys, name);
    vi.buffer.load(text.lines);
    vi.buffer.unterminated = text.unterminated;
    vi.fileTime = stamp(text.stat);
    vi.options.readonly = !isWritable(vi, name);
    vi.tell(`"${name}" ${vi.options.readonly ? '[readonly] ' : ''}${sizes(text)}`);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    if (error.errno !== ENOENT) {
      vi.complain(`"${name}": ${strerror(error.errno)}`);
      return false;
    }
    vi.buffer.load(['']);
    vi.buffer.unterminated = false;
    vi.fileTime = '';
    vi.tell(`"${name}" [New]`);
  }
  vi.name = name;
  vi.view.top = 0;
  vi.moveTo({ line: 0, column: 0 });
  return true;
}

function isWritable({ tool }: Editor, name: string): boolean {
  try {
    tool.sys.access(name, W_OK);
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

/** `w`, `w name`, `w >>name`, `w !command`; says whether all of it was written. */
export function write(call: ExCall): boolean {
  const { vi, range, given, args } = call;
  const lines = given ? vi.buffer.lines.slice(range.from, range.to + 1) : vi.buffer.lines;
  if (args.startsWith('!')) {
    pipeTo(vi, args.slice(1), lines);
    return false;
  }
  const append = args.startsWith('>>');
  const name = (append ? args.slice(2).trim() : args) || vi.name;
  if (name === undefined) {
    vi.complain('No file name');
    return false;
  }
  const refused = call.bang ? undefined : refusal(call, name, append);
  if (refused !== undefined) {
    vi.complain(refused);
    return false;
  }
  const whole = lines.length === vi.buffer.lines.length;
  const empty = whole && lines.length === 1 && lines[0] === '';
  const what = {
    ...{ path: name, lines: empty ? [] : lines },
    unterminated: vi.buffer.unterminated && (!given || range.to === vi.buffer.lines.length - 1),
  };
  try {
    const { sys } = vi.tool;
    const isNew = statIfThere(sys, name) === undefined;
    const bytes = append ? put(sys, name, what, O_APPEND) : writeText(sys, what);
    vi.name ??= name;
    if (name === vi.name && whole && !append) {
      vi.buffer.saved();
      vi.fileTime = stamp(sys.stat(name));
      forget(sys, name);
    }
    vi.tell(
      `"${name}"${isNew ? ' [New]' : ''} ${what.lines.length}L, ${bytes}B ${append ? 'appended' : 'written'}`,
    );
    return true;
  } catch (error) {
    vi.fault(`"${name}" not written`, error);
    return false;
  }
}

function refusal({ vi, given }: ExCall, name: string, append: boolean): string | undefined {
  const stat = statIfThere(vi.tool.sys, name);
  if (name === vi.name) {
    if (vi.options.readonly) return 'The file is read-only (add ! to override)';
    if (stat !== undefined && vi.fileTime !== '' && stamp(stat) !== vi.fileTime)
      return 'The file has changed since it was read (add ! to override)';
    if (given && stat !== undefined)
      return 'This would write a part of the file (add ! to override)';
    if (stat !== undefined && vi.fileTime === '') return 'File exists (add ! to override)';
    return undefined;
  }
  return stat !== undefined && !append ? 'File exists (add ! to override)' : undefined;
}

const UNSAVED = 'No write since last change (add ! to override)';

export function leave({ vi, bang }: ExCall): undefined {
  if (vi.buffer.modified && !bang) return vi.complain(UNSAVED);
  vi.quit = true;
}

/** `e name`; without a name the same file again. */
export function startEdit({ vi, bang, args }: ExCall): undefined {
  if (vi.buffer.modified && !bang) return vi.complain(UNSAVED);
  const name = args || vi.name;
  if (name === undefined) return vi.complain('No file name');
  load(vi, name);
}

export function editNext({ vi, bang }: ExCall, by: number): undefined {
  const name = vi.files[vi.fileAt + by];
  if (name === undefined) return vi.complain('No more files to edit');
  if (vi.buffer.modified && !bang) return vi.complain(UNSAVED);
  if (load(vi, name)) vi.fileAt += by;
}

/** `r name`: the lines of a file behind the addressed one. */
export function read({ vi, range, args, given }: ExCall): undefined {
  const name = args || vi.name;
  if (name === undefined) return vi.complain('No file name');
  try {
    const text = readText(vi.tool.sys, name);
    insertBehind(vi, given ? range.to : vi.cursor.line, text.lines);
    vi.tell(`"${name}" ${sizes(text)}`);
  } catch (error) {
    vi.fault(`"${name}"`, error);
  }
}

export function readCommand({ vi, range, args }: ExCall): undefined {
  const output = outputOf(vi, args.slice(1), []);
  if (output !== undefined) insertBehind(vi, range.to, linesOf(output).lines);
}

function insertBehind(vi: Editor, line: number, lines: readonly string[]): undefined {
  vi.buffer.splice(line + 1, 0, lines);
  vi.toLine(line + 1);
}

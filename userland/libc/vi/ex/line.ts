// The lines behind `:`: an address or two, a command, its arguments (POSIX.1-2024 XCU ex).

import type { Editor } from '../editor.ts';
import { addressRange } from './address.ts';
import { type ExCall, exCommands } from './commands.ts';

/** Asks for a line and runs it; `range` is typed already. */
export function exLine(vi: Editor, range: string): undefined {
  const line = vi.ask(':');
  if (line !== undefined) runEx(vi, range + line);
}

/** Runs a line; all that it changes is undone together. */
export function runEx(vi: Editor, line: string): undefined {
  const before = vi.cursor;
  runLine(vi, line);
  if (!vi.quit) vi.moveTo(vi.cursor);
  vi.buffer.commit(before);
}

export function runLine(vi: Editor, line: string): undefined {
  const text = line.replace(/^[\s:]+/, '');
  if (text === '' || text.startsWith('"')) return;
  const { range, rest } = addressRange(vi, text);
  if (range === 'wrong') return;
  const [, name = '', bang = '', args = ''] =
    /^(&|[<>]+|!|=|~|[kst](?![a-z])|[a-zA-Z]*)(!?)\s*(.*)$/s.exec(rest) ?? [];
  if (name === '' && rest.trim() === '') {
    if (range !== undefined) {
      vi.noteJump();
      vi.toLine(range.to);
    }
    return;
  }
  const found = lookup(name);
  if (found === undefined) return vi.complain(`Not an editor command: ${rest}`);
  const here = { from: vi.cursor.line, to: vi.cursor.line };
  const call: ExCall = {
    ...{ vi, range: range ?? here, given: range !== undefined },
    ...{ bang: bang === '!', args: name === '!' ? bang + args : args.trimStart(), name },
  };
  found(call);
}

/** By its name, or by as much of it as POSIX asks for. */
function lookup(name: string): ((call: ExCall) => void) | undefined {
  for (const [spec, command] of Object.entries(exCommands)) {
    const [least = '', more = ''] = spec.split('|');
    if (name.startsWith(least) && (least + more).startsWith(name)) return command;
  }
  return /^[<>]+$/.test(name) ? exCommands[name.charAt(0)] : undefined;
}

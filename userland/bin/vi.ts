// vi: a small one of POSIX.1-2024 XCU vi, with undo of many steps (u, Ctrl-R) and visual mode as people
// have come to expect. docs/terminal-programs.md says what there is.

import { O_RDWR } from '../../kernel/abi/constants.ts';
import { ENOENT, PosixError } from '../../kernel/abi/errno.ts';
import { program, programName, type Tool } from '../libc/program.ts';
import { Editor } from '../libc/vi/editor.ts';
import { load } from '../libc/vi/ex/files.ts';
import { preservedNames, recovered } from '../libc/vi/preserve.ts';

const usage = `[-R] [-r] [-c COMMAND] [+COMMAND] [FILE]...
Edits FILEs on the terminal.
  -R  does not write by mistake       -r  what was kept when the terminal went away; without FILE, lists it
  -c  an ex command to begin with, as +COMMAND; + alone begins at the last line`;

export const main = program(
  {
    ...{ usage, short: 'c:eRrw:' },
    long: { 'command=': 'c', readonly: 'R' },
    rewrite: (args) => args.map((arg) => (arg.startsWith('+') ? `-c${arg.slice(1) || '$'}` : arg)),
  },
  (tool, options) => {
    const { sys } = tool;
    if (options.has('r') && options.operands.length === 0) {
      for (const name of preservedNames(sys)) tool.out.text(`${name}\n`);
      return;
    }
    if (!sys.isatty(1)) return tool.die('standard output is no terminal');
    const editor = new Editor(tool, openTerminal(tool));
    editor.files = options.operands;
    const [first] = editor.files;
    editor.screen.enter();
    try {
      if (first !== undefined) load(editor, first);
      if (options.has('r') && first !== undefined) recover(editor, first);
      if (options.has('R') || programName(sys) === 'view') editor.options.readonly = true;
      for (const command of options.values('c')) editor.run(command);
      editor.loop();
    } finally {
      editor.screen.leave();
    }
  },
);

function openTerminal({ sys }: Tool): number {
  try {
    return sys.open('/dev/tty', O_RDWR);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return 0;
  }
}

/** The preserved text is a change of the file's. */
function recover(editor: Editor, name: string): void {
  try {
    const text = recovered(editor.tool.sys, name);
    editor.buffer.splice(0, editor.buffer.lines.length, text.lines);
    editor.buffer.unterminated = text.unterminated;
    editor.buffer.commit(editor.cursor);
    editor.tell('This is the text that was preserved; :w keeps it');
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    editor.complain(error.errno === ENOENT ? 'Nothing was preserved' : error.message);
  }
}

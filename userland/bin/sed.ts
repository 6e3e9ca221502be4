// sed: edits lines by a script. POSIX.1-2024 sed -n -e -f -E, with GNU's -i -s -r -z -u.

import {
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_WRONLY,
  S_IFMT,
  S_IFREG,
} from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { dirname, join } from '../libc/files/path.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Editor, type Lines } from '../libc/sed/execute.ts';
import { WrittenFiles } from '../libc/sed/files.ts';
import { type Command, parseScript, ScriptError } from '../libc/sed/parse.ts';
import { Input, Output } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';

export const main = program(
  {
    usage: '[-nEsz] [-i[SUFFIX]] {SCRIPT | -e SCRIPT | -f FILE}... [FILE]...',
    short: 'ne:f:Eri::l:szu',
    long: {
      quiet: 'n',
      silent: 'n',
      'expression=': 'e',
      'file=': 'f',
      'regexp-extended': 'E',
      'in-place=?': 'i',
      separate: 's',
      'null-data': 'z',
      unbuffered: 'u',
      'line-length=': 'l',
      posix: 'posix',
      sandbox: 'sandbox',
    },
  },
  (tool, options) => {
    const files = [...options.operands];
    const script = scriptOf(tool, options, files);
    try {
      const written = new WrittenFiles(tool);
      const dialect = options.has('E', 'r') ? 'extended' : 'basic';
      const commands = parseScript(script, {
        dialect,
        files: options.has('sandbox') ? undefined : written,
      });
      const quiet = script.startsWith('#n');
      const status = edit(tool, commands, { options, files, quiet, written });
      written.flush();
      return status;
    } catch (error) {
      if (error instanceof ScriptError) return tool.die(error.message, error.status);
      throw error;
    }
  },
);

function scriptOf(tool: Tool, options: Options, files: string[]): string {
  const parts: string[] = [];
  for (const { name, value } of options.list) {
    if (name === 'e') parts.push(toLatin1(encodeText(value)));
    if (name === 'f') parts.push(readScript(tool, value));
  }
  if (options.has('e', 'f')) return parts.join('\n');
  const first = files.shift();
  if (first === undefined) {
    tool.error(
      `Usage: ${tool.name} [OPTION]... {script-only-if-no-other-script} [input-file]...\n`,
    );
    return tool.die('');
  }
  return toLatin1(encodeText(first));
}

function readScript(tool: Tool, path: string): string {
  try {
    const input = new Input(tool.sys, path === '-' ? 0 : tool.sys.open(path, O_RDONLY));
    let text = '';
    for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
      text += toLatin1(chunk);
    return text.replace(/(?<!\\)\n$/, '');
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`couldn't open file ${path}: ${strerror(error.errno)}`);
  }
}

const lineLength = (tool: Tool, text: string): number =>
  parseCount(text) ?? tool.die(`invalid line length: ${text}`);

interface Edit {
  readonly options: Options;
  readonly files: readonly string[];
  readonly quiet: boolean;
  readonly written: WrittenFiles;
}

function edit(tool: Tool, commands: readonly Command[], what: Edit): number {
  const { options, files, quiet } = what;
  const delimiter = options.has('z') ? 0 : 10;
  const editor = new Editor(tool, commands, {
    quiet: quiet || options.has('n'),
    end: String.fromCharCode(delimiter),
    width: lineLength(tool, options.value('l') ?? '70'),
    files: what.written,
  });
  const suffix = options.value('i');
  if (suffix !== undefined && files.length === 0) tool.die('no input files', 4);
  const names = files.length > 0 ? files : ['-'];
  if (suffix !== undefined) {
    for (const name of names) editInPlace(tool, editor, { name, suffix, delimiter });
  } else if (options.has('s')) {
    for (const name of names) {
      if (editor.done) break;
      const lines = new FileLines(tool, [name], delimiter);
      editor.run({ lines, out: tool.out, lineNumber: 0 });
    }
  } else editor.run({ lines: new FileLines(tool, names, delimiter), out: tool.out, lineNumber: 0 });
  // That a file could not be read is told rather than what q says.
  return tool.status || editor.status;
}

/** Into a new file beside the old one, which it then replaces. */
function editInPlace(
  tool: Tool,
  editor: Editor,
  file: { name: string; suffix: string; delimiter: number },
): void {
  const { sys } = tool;
  const { name, suffix } = file;
  if (editor.done) return;
  try {
    const stat = sys.stat(name);
    if ((stat.mode & S_IFMT) !== S_IFREG) {
      tool.warn(`couldn't edit ${name}: not a regular file`, 4);
      return;
    }
    const random = new Uint8Array(6);
    sys.getrandom(random);
    const mark = [...random].map((byte) => (byte % 36).toString(36)).join('');
    const path = join(dirname(name), `sed${mark}`);
    const fd = sys.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    let left = true;
    try {
      const out = new Output(sys, fd, { trouble: 4, what: `couldn't write ${path}` });
      editor.run({ lines: new FileLines(tool, [name], file.delimiter), out, lineNumber: 0 });
      out.flush();
      sys.close(fd);
      sys.chmod(path, stat.mode & 0o7777);
      if (suffix !== '') {
        const backup = suffix.includes('*') ? suffix.replaceAll('*', name) : name + suffix;
        sys.rename(name, backup);
      }
      sys.rename(path, name);
      left = false;
    } finally {
      if (left) sys.unlink(path);
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.warn(`can't read ${name}: ${strerror(error.errno)}`, 2);
  }
}

interface NextLine {
  readonly text: string;
  readonly terminated: boolean;
  readonly name: string;
}

/** The lines of all files; one is read ahead, to know which is the last. */
class FileLines implements Lines {
  readonly #tool: Tool;
  readonly #names: string[];
  readonly #delimiter: number;
  #input: Input | undefined;
  #fd = -1;
  #name = '-';
  #ahead: NextLine | 'unread' | undefined = 'unread';
  #last: NextLine | undefined;

  constructor(tool: Tool, names: readonly string[], delimiter: number) {
    this.#tool = tool;
    this.#names = [...names];
    this.#delimiter = delimiter;
  }

  next(): string | undefined {
    this.#last = this.#peek();
    if (this.#last !== undefined) this.#ahead = 'unread';
    return this.#last?.text;
  }

  isLast(): boolean {
    return this.#peek() === undefined;
  }

  terminated(): boolean {
    return this.#last?.terminated ?? true;
  }

  name(): string {
    return this.#last?.name ?? '-';
  }

  #peek(): NextLine | undefined {
    if (this.#ahead === 'unread') this.#ahead = this.#read();
    return this.#ahead;
  }

  #read(): NextLine | undefined {
    for (;;) {
      if (this.#input === undefined && !this.#open()) return undefined;
      try {
        const line = this.#input?.line(this.#delimiter);
        if (line !== undefined)
          return {
            text: toLatin1(line),
            terminated: this.#input?.terminated ?? true,
            name: this.#name,
          };
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        this.#tool.warn(`read error on ${this.#name}: ${strerror(error.errno)}`, 4);
      }
      if (this.#fd > 0) this.#tool.sys.close(this.#fd);
      this.#input = undefined;
    }
  }

  #open(): boolean {
    for (let name = this.#names.shift(); name !== undefined; name = this.#names.shift()) {
      try {
        this.#fd = name === '-' ? 0 : this.#tool.sys.open(name, O_RDONLY);
        this.#input = new Input(this.#tool.sys, this.#fd);
        this.#name = name;
        return true;
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        this.#tool.warn(`can't read ${name}: ${strerror(error.errno)}`, 2);
      }
    }
    return false;
  }
}

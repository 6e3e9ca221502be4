// ed: the line editor. POSIX.1-2024 ed, with GNU's -E, -l, -q, -r and -v.

import { S_IFMT, S_IFREG, SIGHUP, SIGINT, SIGQUIT } from '../../kernel/abi/constants.ts';
import { EINTR, PosixError } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { Editor } from '../libc/ed/editor.ts';
import { save } from '../libc/ed/files.ts';
import { EdError } from '../libc/ed/scanner.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';
import { toLatin1 } from '../libc/text/latin1.ts';

export const main = program(
  {
    usage: `[-Elqrsv] [-p STRING] [FILE]
Edit FILE by commands from standard input; !COMMAND in place of FILE edits what it writes.
  -E, --extended-regexp    extended regular expressions
  -l, --loose-exit-status  exit with 0 even if a command fails
  -p, --prompt=STRING      the prompt for commands
  -q, --quiet              no diagnostics on standard error
  -r, --restricted         no shell, no files of other directories
  -s, --script             no byte counts and no ! prompt
  -v, --verbose            say why a command was refused, as the H command does`,
    short: 'EGlp:qrsv',
    long: {
      'extended-regexp': 'E',
      traditional: 'G',
      'loose-exit-status': 'l',
      'prompt=': 'p',
      quiet: 'q',
      silent: 'q',
      restricted: 'r',
      script: 's',
      verbose: 'v',
    },
  },
  (tool, options) => new Session(tool, options).run(),
);

class Session {
  readonly #tool: Tool;
  readonly #options: Options;
  readonly #editor: Editor;
  readonly #input: Input;
  readonly #isFile: boolean;
  readonly #prompt: string;
  #line = 0;
  #hungUp = false;

  constructor(tool: Tool, options: Options) {
    this.#tool = tool;
    this.#options = options;
    this.#input = new Input(tool.sys, 0);
    this.#editor = new Editor(tool, {
      script: options.has('s'),
      extended: options.has('E'),
      restricted: options.has('r'),
      quiet: options.has('q'),
    });
    this.#editor.explains = options.has('v');
    this.#editor.prompts = options.has('p');
    this.#prompt = toLatin1(encodeText(options.value('p') ?? '*'));
    this.#isFile = (tool.sys.fstat(0).mode & S_IFMT) === S_IFREG;
  }

  run(): number {
    const { sys } = this.#tool;
    sys.sigaction(SIGQUIT, 'ignore');
    sys.sigaction(SIGINT, () => undefined); // interrupts what waits
    sys.sigaction(SIGHUP, () => {
      this.#hungUp = true;
    });
    let status = this.#openFirst();
    if (status > 0 && this.#isFile) return status;
    for (;;) {
      try {
        const line = this.#next(this.#editor.prompts ? this.#prompt : '');
        if (line === undefined) {
          if (this.#editor.mayLeave()) return status === 0 ? 0 : 1;
          this.#complain();
          return 2;
        }
        if (this.#editor.run(line, () => this.#next('')) === 'quit') return status === 0 ? 0 : 1;
      } catch (error) {
        if (error instanceof PosixError && error.errno === EINTR) {
          if (this.#hungUp) return this.#rescue();
          this.#editor.explanation = 'Interrupt';
        } else if (error instanceof EdError) this.#editor.explanation = error.message;
        else throw error;
        this.#complain();
        if (!this.#options.has('l')) status = 1;
        if (this.#isFile) return status;
      }
    }
  }

  /** A file that is not there is no fault, but a script that counts on it goes no further. */
  #openFirst(): number {
    const [name] = this.#options.operands;
    if (name === undefined) return 0;
    try {
      this.#editor.open(toLatin1(encodeText(name)));
      return 0;
    } catch (error) {
      if (!(error instanceof EdError)) throw error;
      this.#editor.explanation = error.message;
      if (this.#isFile) return 2;
      if (error.message === 'Cannot open input file') return 0;
      this.#complain();
      return this.#options.has('l') ? 0 : 1;
    }
  }

  /** A line without its newline; one that the end of the input cuts off is none. */
  #next(prompt: string): string | undefined {
    this.#tool.out.latin1(prompt);
    this.#tool.out.flush();
    const line = this.#input.line();
    if (line === undefined || !this.#input.terminated) return undefined;
    this.#line++;
    return toLatin1(line);
  }

  #complain(): void {
    const { out } = this.#tool;
    out.text('?\n');
    if (this.#editor.explains) {
      const where = this.#isFile ? `script, line ${this.#line}: ` : '';
      out.text(`${where}${this.#editor.explanation}\n`);
    }
    out.flush();
  }

  /** The terminal is gone: what was not written goes to ed.hup, here or at home. */
  #rescue(): number {
    const { buffer } = this.#editor;
    const home = this.#tool.sys.env.get('HOME') ?? '/';
    for (const name of buffer.modified ? ['ed.hup', `${home}/ed.hup`] : []) {
      try {
        const target = {
          name: toLatin1(encodeText(name)),
          mode: 'replace',
          diagnostics: 'loud',
        } as const;
        save(this.#tool, target, buffer.slice(1, buffer.last));
        return 0;
      } catch (error) {
        if (!(error instanceof EdError)) throw error;
      }
    }
    return buffer.modified ? 1 : 0;
  }
}

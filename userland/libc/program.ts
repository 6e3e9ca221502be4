// The frame of a native program: streams, options, messages in the usual words, exit status.
// A program's file is `export const main = program({ usage, short, long }, (tool, options) => …)`.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { type OptionSpec, type Options, parseOptions } from './options.ts';
import { Exit, Input, Output } from './stdio.ts';
import type { Program, Sys } from './sys.ts';
import { maybeQuoted } from './text/quote.ts';

export interface ProgramSpec extends OptionSpec {
  /** What follows `Usage: NAME `; more lines explain the options. */
  readonly usage: string;
  /** The status of a wrong command line and of a failed write; 1 unless given. */
  readonly trouble?: number;
  /** Rewrites the arguments before they are parsed: `head -5` → `head -n5`. */
  readonly rewrite?: (args: readonly string[]) => string[];
}

/** How a program speaks of a file that it cannot open or read. */
export interface FaultWords {
  readonly open: (name: string) => string;
  readonly read: (name: string) => string;
}

const plainWords: FaultWords = { open: maybeQuoted, read: maybeQuoted };

/** What a program works with. */
export class Tool {
  readonly sys: Sys;
  readonly name: string;
  readonly out: Output;
  readonly trouble: number;
  /** What the program returns at its end unless its body says otherwise. */
  status = 0;

  constructor(sys: Sys, name: string, trouble: number) {
    this.sys = sys;
    this.name = name;
    this.trouble = trouble;
    this.out = new Output(sys, 1, { trouble });
  }

  /** `cat: message` on standard error; the program goes on and will fail. */
  warn(message: string, status = 1): void {
    this.note(message);
    this.status = Math.max(this.status, status);
  }

  /** `cat: message` on standard error and nothing else. */
  note(message: string): void {
    this.error(`${this.name}: ${message}\n`);
  }

  error(text: string): void {
    writeError(this.sys, text);
  }

  /** A fault met on the way: `cat: what: No such file or directory`. Anything else is thrown on. */
  fault(what: string, error: unknown, status = 1): void {
    if (!(error instanceof PosixError)) throw error;
    this.warn(`${what}: ${strerror(error.errno)}`, status);
  }

  /** Runs `action`; a fault becomes a message about `what`, and the answer undefined. */
  attempt<T>(what: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.fault(what, error);
      return undefined;
    }
  }

  die(message: string, status = this.trouble): never {
    throw new Exit(status, message);
  }

  /** A wrong command line: the message, and where to find help. */
  misuse(message: string, status = this.trouble): never {
    throw new Exit(status, `${message}\nTry '${this.name} --help' for more information.`);
  }

  /** Runs `action` on each named file, `-` and none being standard input; reports what fails. */
  eachInput(
    names: readonly string[],
    action: (input: Input, name: string) => void,
    words: FaultWords = plainWords,
  ): void {
    for (const name of names.length === 0 ? ['-'] : names) {
      const fd =
        name === '-' ? 0 : this.attempt(words.open(name), () => this.sys.open(name, O_RDONLY));
      if (fd === undefined) continue;
      this.attempt(words.read(name), () => action(new Input(this.sys, fd), name));
      if (fd !== 0) this.sys.close(fd);
    }
  }

  missingOperand(): never {
    this.misuse('missing operand');
  }
}

export function program(
  spec: ProgramSpec,
  // biome-ignore lint/suspicious/noConfusingVoidType: most bodies end with what the tool noted.
  body: (tool: Tool, options: Options) => number | undefined | void,
): Program {
  return (sys) => {
    const name = programName(sys);
    const tool = new Tool(sys, name, spec.trouble ?? 1);
    try {
      const args = sys.argv.slice(1);
      const options = readOptions(tool, spec, spec.rewrite ? spec.rewrite(args) : args);
      if (options.has('help')) tool.out.text(`Usage: ${name} ${spec.usage.trimEnd()}\n`);
      else if (options.has('version')) tool.out.text(`${name} (Atoll)\n`);
      else tool.status = body(tool, options) ?? tool.status;
      tool.out.flush();
      return tool.status;
    } catch (error) {
      return ending(tool, error);
    }
  };
}

/**
 * For programs whose every argument may mean something: `--help` alone is help. False when it is not that.
 */
export function helped(sys: Sys, usage: string): boolean {
  if (sys.argv.length !== 2 || sys.argv[1] !== '--help') return false;
  const out = new Output(sys, 1);
  out.text(`Usage: ${programName(sys)} ${usage}\n`);
  out.flush();
  return true;
}

export const programName = (sys: Sys): string => sys.argv[0]?.split('/').at(-1) ?? '?';

function readOptions(tool: Tool, spec: ProgramSpec, args: readonly string[]): Options {
  try {
    return parseOptions(spec, args);
  } catch (error) {
    if (error instanceof Exit && error.status === -1)
      return tool.misuse(spec.reminder ? `${error.message}\n${spec.reminder}` : error.message);
    throw error;
  }
}

/** The status for what ended the program early; its message and its output so far are written. */
function ending(tool: Tool, error: unknown): number {
  const message = error instanceof PosixError ? strerror(error.errno) : undefined;
  if (message === undefined && !(error instanceof Exit)) throw error;
  const exit = error instanceof Exit ? error : new Exit(tool.trouble, message);
  try {
    tool.out.flush();
  } catch (second) {
    if (!(second instanceof Exit)) throw second;
  }
  if (exit.message !== '') tool.note(exit.message);
  return exit.status;
}

/** Standard error is not buffered; when even that cannot be written there is nobody to tell. */
export function writeError(sys: Sys, text: string): void {
  try {
    sys.write(2, encodeText(text));
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
  }
}

// xargs: command lines from standard input. POSIX.1-2024 xargs -E -I -L -n -p-less -r -s -t -x, with
// GNU's -0 -a -d -P.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { ENOENT } from '../../kernel/abi/errno.ts';
import { decodeText, textSize } from '../../kernel/abi/text.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { startProgram, waitFor } from '../libc/spawn.ts';
import { Input } from '../libc/stdio.ts';
import { expandEscapes } from '../libc/text/escapes.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

const LINE_BYTES = 128 * 1024;

export const main = program(
  {
    usage:
      '[-0rtx] [-a FILE] [-d DELIM] [-E EOF] [-I STRING] [-L LINES] [-n ARGS] [-P PROCS] [-s SIZE] [COMMAND [ARG]...]',
    short: '0a:d:E:e::I:i::L:l::n:oprP:s:tx',
    long: {
      null: '0',
      'arg-file=': 'a',
      'delimiter=': 'd',
      'eof=?': 'e',
      'replace=?': 'i',
      'max-lines=?': 'l',
      'max-args=': 'n',
      'max-procs=': 'P',
      'no-run-if-empty': 'r',
      'max-chars=': 's',
      verbose: 't',
      exit: 'x',
    },
    stopAtOperand: true,
  },
  (tool, options) => {
    const plan = planOf(tool, options);
    const file = options.value('a');
    const fd = file === undefined ? 0 : tool.sys.open(file, O_RDONLY);
    const items = readItems(tool, new Input(tool.sys, fd), plan);
    const runner = new Runner(tool, plan);
    if (plan.replace === undefined) batches(runner, items, plan);
    else
      for (const item of items) {
        if (item.broken !== undefined) runner.fail(item.broken);
        runner.run(substituted(plan, item.text));
      }
    return runner.finish();
  },
);

interface Plan {
  readonly command: readonly string[];
  readonly delimiter: number | undefined;
  readonly eof: string | undefined;
  readonly replace: string | undefined;
  readonly maxArgs: number;
  readonly maxLines: number;
  readonly maxBytes: number;
  readonly procs: number;
  readonly skipEmpty: boolean;
  readonly trace: boolean;
  readonly exitIfLong: boolean;
}

function planOf(tool: Tool, options: Options): Plan {
  const count = (name: string, least: number, usual: number): number => {
    const text = options.value(name);
    if (text === undefined) return usual;
    const value = parseCount(text) ?? tool.misuse(`invalid number "${text}" for -${name} option`);
    if (value < least) tool.misuse(`value ${text} for -${name} option should be >= ${least}`);
    return value;
  };
  const { replace, maxArgs, maxLines } = shapeOf(tool, options, count);
  const d = options.value('d');
  if (options.has('0', 'd') && options.has('E', 'e'))
    tool.note('warning: the -E option has no effect if -0 or -d is used.\n');
  return {
    command: options.operands.length > 0 ? options.operands : ['echo'],
    delimiter:
      options.last('0', 'd') === '0' ? 0 : d === undefined ? undefined : delimiterOf(tool, d),
    eof: options.value('E') ?? (options.value('e') || undefined),
    replace,
    maxArgs: maxArgs ?? Number.POSITIVE_INFINITY,
    maxLines: maxLines ?? Number.POSITIVE_INFINITY,
    maxBytes: count('s', 1, LINE_BYTES),
    procs: count('P', 0, 1) || 64,
    skipEmpty: options.has('r'),
    trace: options.has('t'),
    exitIfLong: options.has('x') || replace !== undefined || maxLines !== undefined,
  };
}

interface Shape {
  replace?: string | undefined;
  maxArgs?: number | undefined;
  maxLines?: number | undefined;
}

const shapeNames = { replace: '--replace', maxArgs: '--max-args', maxLines: '--max-lines' };

/** -I, -L and -n say how the items are handed on: the last of them, but that -n 1 goes with -I. */
function shapeOf(
  tool: Tool,
  options: Options,
  count: (name: string, least: number, usual: number) => number,
): Shape {
  const shape: Shape = {};
  const instead = (title: string, ...others: (keyof Shape)[]): void => {
    for (const other of others) {
      if (shape[other] === undefined) continue;
      const name = shapeNames[other];
      tool.note(
        `warning: options ${name} and ${title} are mutually exclusive, ignoring previous ${name} value`,
      );
      shape[other] = undefined;
    }
  };
  for (const { name, value } of options.list) {
    if (name === 'n') {
      const most = count('n', 1, 0);
      if (shape.replace !== undefined && most === 1) continue;
      instead('--max-args/-n', 'maxLines', 'replace');
      shape.maxArgs = most;
    } else if (name === 'L' || name === 'l') {
      instead(name === 'L' ? '-L' : '--max-lines/-l', 'maxArgs', 'replace');
      shape.maxLines = name === 'L' ? count('L', 1, 0) : Number(value || 1);
    } else if (name === 'I' || name === 'i') {
      instead('--replace/-I/-i', 'maxArgs', 'maxLines');
      shape.replace = name === 'I' ? value : value || '{}';
    }
  }
  return shape;
}

function delimiterOf(tool: Tool, text: string): number {
  const bytes = expandEscapes(text, 'format').text;
  if (bytes.length !== 1)
    return tool.die(
      `Invalid input delimiter specification ${text}: the delimiter must be either a single character or an escape sequence starting with \\.`,
    );
  return bytes.charCodeAt(0);
}

interface Item {
  readonly text: string;
  /** Ends a line of the input, for -L. */
  readonly endsLine: boolean;
  /** No item: what is wrong with the input from here on. */
  readonly broken?: string;
}

function* readItems(tool: Tool, input: Input, plan: Plan): Generator<Item> {
  if (plan.delimiter !== undefined) {
    for (
      let line = input.line(plan.delimiter);
      line !== undefined;
      line = input.line(plan.delimiter)
    )
      yield { text: decodeText(line), endsLine: true };
    return;
  }
  let warned = false;
  for (let line = input.line(); line !== undefined; line = input.line()) {
    let text = decodeText(line);
    if (text.includes('\0') && !warned) {
      tool.note(
        'WARNING: a NUL character occurred in the input.  It cannot be passed through in the argument list.  Did you mean to use the --null option?',
      );
      warned = true;
    }
    // A blank at the end of a line continues it, for -L; so does a backslash before the newline.
    while (plan.replace === undefined && /(?:^|[^\\])(?:\\\\)*\\$/.test(text)) {
      const more = input.line();
      if (more === undefined) break;
      text += `\n${decodeText(more)}`;
    }
    const ending = input.terminated ? 'newline' : 'end';
    const { items, broken } =
      plan.replace === undefined
        ? unquoted(text, 'words', ending)
        : unquoted(text.replace(/^[ \t]+/, ''), 'line', ending);
    const continues = plan.replace === undefined && /[ \t]$/.test(text);
    for (const [i, item] of items.entries()) {
      if (item === plan.eof) return;
      yield { text: item, endsLine: i === items.length - 1 && !continues && !broken };
    }
    if (broken === undefined) continue;
    yield { text: '', endsLine: true, broken };
    return;
  }
}

/** Quotes and backslashes taken off; blanks between words, unless the line is one item. */
function unquoted(
  text: string,
  style: 'words' | 'line',
  ending: 'newline' | 'end',
): { items: string[]; broken?: string } {
  const items: string[] = [];
  let item: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if ((c === ' ' || c === '\t' || c === '\n') && style === 'words') {
      if (item !== undefined) items.push(item);
      item = undefined;
    } else if (c === '"' || c === "'") {
      const end = text.indexOf(c, i + 1);
      if (end < 0 || text.slice(i, end).includes('\n')) {
        // A quote that begins a word and is the very end of the input is passed over.
        if (ending === 'end' && item === undefined && i === text.length - 1) return { items };
        const kind = c === '"' ? 'double' : 'single';
        const broken = `unmatched ${kind} quote; by default quotes are special to xargs unless you use the -0 option`;
        return { items, broken };
      }
      item = (item ?? '') + text.slice(i + 1, end);
      i = end;
    } else if (c === '\\') item = (item ?? '') + (text[++i] ?? '');
    else item = (item ?? '') + c;
  }
  if (item !== undefined) items.push(item);
  return { items };
}

const substituted = (plan: Plan, item: string): string[] =>
  plan.command.map((word) => word.replaceAll(plan.replace ?? '', () => item));

function batches(runner: Runner, items: Iterable<Item>, plan: Plan): void {
  const fixed = plan.command.reduce((sum, word) => sum + textSize(word) + 1, 0);
  let args: string[] = [];
  let bytes = fixed;
  let lines = 0;
  let ran = false;
  const flush = (): void => {
    runner.run([...plan.command, ...args]);
    ran = true;
    args = [];
    bytes = fixed;
    lines = 0;
  };
  for (const { text, endsLine, broken } of items) {
    if (broken !== undefined) {
      if (args.length > 0 && !plan.exitIfLong) flush();
      runner.fail(broken);
    }
    const size = textSize(text) + 1;
    if (fixed + size > plan.maxBytes) runner.tooLong();
    if (bytes + size > plan.maxBytes) {
      if (plan.exitIfLong) runner.tooLong();
      flush();
    }
    args.push(text);
    bytes += size;
    if (endsLine) lines++;
    if (args.length >= plan.maxArgs || lines >= plan.maxLines) flush();
  }
  if (args.length > 0 || (!ran && !plan.skipEmpty)) flush();
}

/** Starts the commands, so many at a time, and remembers how they ended. */
class Runner {
  readonly #tool: Tool;
  readonly #plan: Plan;
  #running = 0;
  #status = 0;

  constructor(tool: Tool, plan: Plan) {
    this.#tool = tool;
    this.#plan = plan;
  }

  run(words: readonly string[]): void {
    // A word ends at its first NUL, as it does for every program.
    const argv = words.map((word) => word.split('\0', 1)[0] ?? '');
    if (this.#plan.trace) this.#tool.error(`${argv.map(maybeQuoted).join(' ')}\n`);
    const started = startProgram(this.#tool, argv, (name) => name);
    if (typeof started !== 'number') this.#stop(started.errno === ENOENT ? 127 : 126);
    this.#running++;
    while (this.#running >= this.#plan.procs) this.#reap();
  }

  finish(): number {
    while (this.#running > 0) this.#reap();
    return this.#status;
  }

  tooLong(): never {
    this.finish();
    return this.#tool.die('argument line too long', 1);
  }

  /** What a command said before counts more than what is wrong with the input. */
  fail(message: string): never {
    this.#tool.note(message);
    return this.#tool.die('', this.finish() || 1);
  }

  #reap(): void {
    const { status } = waitFor(this.#tool, -1);
    this.#running--;
    if (status === 0) return;
    const name = this.#plan.command[0] ?? '';
    if (status === 255) {
      this.#tool.note(`${name}: exited with status 255; aborting`);
      this.#stop(124);
    }
    if (status > 128) {
      this.#tool.note(`${name}: terminated by signal ${status - 128}`);
      this.#stop(125);
    }
    this.#status = 123;
  }

  #stop(status: number): never {
    while (this.#running > 0) {
      waitFor(this.#tool, -1);
      this.#running--;
    }
    return this.#tool.die('', status);
  }
}

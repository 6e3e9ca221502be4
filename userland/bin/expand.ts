// expand and unexpand: tabs into blanks and back. POSIX.1-2024 expand -t, unexpand -a -t, with GNU's -i
// and --first-only.

import type { Options } from '../libc/options.ts';
import { program, programName, type Tool } from '../libc/program.ts';
import type { Program } from '../libc/sys.ts';
import { toLatin1 } from '../libc/text/latin1.ts';

const expand = program(
  {
    usage: '[-i] [-t LIST] [FILE]...',
    short: 'it:0123456789,',
    long: { initial: 'i', 'tabs=': 't' },
    rewrite: (args) => args.map((arg) => (/^-\d[\d,]*$/.test(arg) ? `-t${arg.slice(1)}` : arg)),
  },
  (tool, options) => {
    const stops = stopsOf(tool, options);
    const initial = options.has('i');
    eachLine(tool, options, (line) => expanded(line, stops, initial));
  },
);

const unexpand = program(
  {
    usage: '[-a] [--first-only] [-t LIST] [FILE]...',
    short: 'at:0123456789,',
    long: { all: 'a', 'first-only': 'first', 'tabs=': 't' },
    rewrite: (args) =>
      args.flatMap((arg) =>
        /^-\d[\d,]*$/.test(arg) ? ['--first-only', `-t${arg.slice(1)}`] : [arg],
      ),
  },
  (tool, options) => {
    const stops = stopsOf(tool, options);
    const all = options.has('a', 't') && !options.has('first');
    eachLine(tool, options, (line) => unexpanded(line, stops, all));
  },
);

export const main: Program = (sys) => (programName(sys) === 'unexpand' ? unexpand : expand)(sys);

function eachLine(tool: Tool, options: Options, change: (line: string) => string): void {
  tool.eachInput(options.operands, (input) => {
    for (let line = input.line(); line !== undefined; line = input.line()) {
      tool.out.latin1(change(toLatin1(line)));
      if (input.terminated) tool.out.byte(10);
    }
  });
}

/** The column of the next stop behind one; undefined when the list ends before. */
type Stops = (column: number) => number | undefined;

function stopsOf(tool: Tool, options: Options): Stops {
  const text = options.values('t').join(',');
  if (text === '') return (column) => column + 8 - (column % 8);
  const list: number[] = [];
  let every: { size: number; from: number } | undefined;
  for (const word of text.split(/[ ,]+/)) {
    const found = /^([/+]?)(\d+)$/.exec(word);
    if (found === null) {
      const bad = word.replace(/^[/+]?\d*/, '');
      return tool.die(`tab size contains invalid character(s): '${bad}'`);
    }
    const size = Number(found[2]);
    if (size === 0) return tool.die('tab size cannot be 0');
    if (found[1] !== '') every = { size, from: found[1] === '+' ? (list.at(-1) ?? 0) : 0 };
    else {
      if (size <= (list.at(-1) ?? 0)) return tool.die('tab sizes must be ascending');
      list.push(size);
    }
  }
  const [only] = list;
  if (list.length === 1 && only !== undefined && every === undefined)
    return (column) => column + only - (column % only);
  return (column) => {
    const listed = list.find((stop) => stop > column);
    if (listed !== undefined || every === undefined) return listed;
    const { size, from } = every;
    return column + size - ((column - from) % size);
  };
}

function expanded(line: string, stops: Stops, initial: boolean): string {
  if (!line.includes('\t')) return line;
  let out = '';
  let column = 0;
  let blank = true;
  for (const c of line) {
    if (c === '\t' && (blank || !initial)) {
      const next = stops(column) ?? column + 1;
      out += ' '.repeat(next - column);
      column = next;
      continue;
    }
    if (c === '\b') column = Math.max(0, column - 1);
    else column = c === '\t' ? (stops(column) ?? column + 1) : column + 1;
    if (c !== ' ' && c !== '\t') blank = false;
    out += c;
  }
  return out;
}

function unexpanded(line: string, stops: Stops, all: boolean): string {
  let out = '';
  let column = 0;
  let at = 0;
  while (at < line.length) {
    const blanks = /^[ \t]+/.exec(line.slice(at))?.[0];
    if (blanks !== undefined) {
      const run = packed(blanks, column, stops);
      out += run.text;
      column = run.column;
      at += blanks.length;
    } else {
      if (!all) return out + line.slice(at);
      column = line[at] === '\b' ? Math.max(0, column - 1) : column + 1;
      out += line[at++];
    }
  }
  return out;
}

/** Blanks that reach a stop become a tab; a single one before it stays, unless more follows. */
function packed(blanks: string, from: number, stops: Stops): { text: string; column: number } {
  let text = '';
  let pending = '';
  let column = from;
  for (const [i, c] of [...blanks].entries()) {
    const stop = stops(column);
    if (stop === undefined) return { text: text + pending + blanks.slice(i), column: column + 1 };
    column = c === '\t' ? stop : column + 1;
    pending += c;
    if (column !== stop) continue;
    const more = blanks[i + 1] !== undefined;
    text += pending === ' ' && !more ? ' ' : '\t';
    pending = '';
  }
  return { text: text + pending, column };
}

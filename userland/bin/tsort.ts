// tsort: a total order in agreement with the pairs of names read. POSIX.1-2024 tsort.

import { decodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import type { Input } from '../libc/stdio.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: `[FILE]\nWrite the names of FILE, or standard input, so that each pair's first comes before its second.`,
    short: '',
  },
  (tool, options) => {
    const [name = '-', extra] = options.operands;
    if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
    tool.eachInput([name], (input) => sort(tool, readPairs(tool, input, name), name));
  },
);

interface Item {
  readonly name: string;
  readonly after: Item[];
  /** How many not yet written come before it. */
  before: number;
  written: boolean;
}

function readPairs(tool: Tool, input: Input, name: string): Item[] {
  const items = new Map<string, Item>();
  const itemOf = (word: string): Item => {
    const item = items.get(word) ?? { name: word, after: [], before: 0, written: false };
    items.set(word, item);
    return item;
  };
  let first: Item | undefined;
  for (let line = input.line(); line !== undefined; line = input.line())
    for (const word of decodeText(line).split(/[ \t]+/)) {
      if (word === '') continue;
      const item = itemOf(word);
      if (first !== undefined && first !== item) {
        first.after.push(item);
        item.before++;
      }
      first = first === undefined ? item : undefined;
    }
  if (first !== undefined) tool.die(`${maybeQuoted(name)}: input contains an odd number of tokens`);
  return [...items.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sort(tool: Tool, items: readonly Item[], name: string): void {
  let left = items.length;
  const queue = items.filter((item) => item.before === 0);
  while (left > 0) {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      tool.out.text(`${item.name}\n`);
      item.written = true;
      left--;
      // The last that was read is the first to follow.
      for (const next of item.after.toReversed()) if (--next.before === 0) queue.push(next);
    }
    if (left > 0) queue.push(...breakLoop(tool, items, name));
  }
}

/** Tells of a loop and takes one of its pairs away; the items that are free now. */
function breakLoop(tool: Tool, items: readonly Item[], name: string): Item[] {
  tool.out.flush();
  tool.warn(`${maybeQuoted(name)}: input contains a loop:`);
  const loop = findLoop(items);
  for (const item of loop) tool.note(item.name);
  const [from, to] = [loop.at(-1), loop[0]];
  if (from === undefined || to === undefined) return [];
  from.after.splice(from.after.indexOf(to), 1);
  return --to.before === 0 ? [to] : [];
}

/** Items of which each comes before the next, and the last before the first. */
function findLoop(items: readonly Item[]): Item[] {
  const waiting = items.filter((item) => !item.written && item.before > 0);
  const path: Item[] = [];
  let at: Item | undefined;
  // Whoever waits has somebody waiting before it, so the way back ends in a loop. The search goes round.
  for (let i = 0; i <= waiting.length * (waiting.length + 2); i++) {
    const item = waiting[i % waiting.length];
    if (item === undefined || (at !== undefined && !item.after.includes(at))) continue;
    if (path.includes(item)) return path.slice(path.indexOf(item)).reverse();
    if (at !== undefined) path.push(item);
    at = item;
  }
  return [];
}

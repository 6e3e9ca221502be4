// The keys of less: digits make a number, the rest is looked up in a table.

import { decodeText } from '../../../kernel/abi/text.ts';
import { PatternError } from '../regex/syntax.ts';
import { startProgram, waitFor } from '../spawn.ts';
import { HELP } from './help.ts';
import { toggle } from './options.ts';
import type { Pager } from './pager.ts';
import { Finder } from './search.ts';
import { textSource } from './source.ts';

/** What a command is given: the number in front of it, 0 when there is none. */
type Command = (pager: Pager, count: number) => 'quit' | undefined;

/** Reads keys until one of them leaves; `first` are commands of the command line. */
export function runCommands(pager: Pager): void {
  let count = '';
  for (;;) {
    pager.typed = count === '' ? '' : `:${count}`;
    pager.paint();
    const key = pager.key();
    pager.message = '';
    pager.typed = '';
    if (/^[0-9]$/.test(key)) {
      count = (count + key).slice(0, 12);
      continue;
    }
    if (key === 'signal') continue;
    if (runKey(pager, key, Number(count)) === 'quit') return;
    count = '';
  }
}

export function runKey(pager: Pager, key: string, count: number): 'quit' | undefined {
  let answer: 'quit' | undefined;
  const command = Object.hasOwn(commands, key) ? commands[key] : undefined;
  if (command === undefined) {
    pager.screen.bell();
    return undefined;
  }
  pager.known = true;
  pager.patiently(() => {
    answer = command(pager, count);
  });
  return answer;
}

const quit: Command = () => 'quit';

/** The same for several keys. */
const keysOf = (keys: string, command: Command): Record<string, Command> =>
  Object.fromEntries(keys.split(' ').map((key) => [key, command]));

const page = (pager: Pager): number => pager.settings.window || pager.height;
const half = new WeakMap<Pager, number>();

/** Half a screen, or what was said last. */
function halfPage(pager: Pager, count: number): number {
  if (count > 0) half.set(pager, count);
  return half.get(pager) ?? Math.max(1, Math.floor(pager.height / 2));
}

function down(pager: Pager, count: number): 'quit' | undefined {
  const { quitAtEnd } = pager.settings;
  const moved = pager.view.down(count) === 'moved';
  if (!moved && quitAtEnd === 'second') return nextOrQuit(pager);
  if (!moved) pager.screen.bell();
  return quitAtEnd === 'first' && pager.view.atEnd ? nextOrQuit(pager) : undefined;
}

const nextOrQuit = (pager: Pager): 'quit' | undefined =>
  pager.open(pager.at + 1) ? undefined : 'quit';

function up(pager: Pager, count: number): undefined {
  if (pager.view.up(count) === 'end') pager.screen.bell();
}

function jump(pager: Pager, action: () => void): undefined {
  pager.marks.set("'", { file: pager.source.name, top: pager.view.top });
  action();
}

const commands: Readonly<Record<string, Command>> = {
  ...keysOf('q Q end', quit),
  ...keysOf('j e ^E ^N ^M ^J down', (pager, count) => down(pager, count || 1)),
  ...keysOf('k y ^Y ^K ^P up', (pager, count) => up(pager, count || 1)),
  ...{ J: (pager, count) => down(pager, count || 1), K: (pager, count) => up(pager, count || 1) },
  ...keysOf('f ^F ^V page-down', (pager, count) => down(pager, count || page(pager))),
  ' ': (pager, count) => down(pager, count || page(pager)),
  ...keysOf('b ^B M-v page-up', (pager, count) => up(pager, count || page(pager))),
  z: (pager, count) => {
    if (count > 0) pager.settings.window = count;
    return down(pager, page(pager));
  },
  w: (pager, count) => {
    if (count > 0) pager.settings.window = count;
    return up(pager, page(pager));
  },
  ...keysOf('d ^D', (pager, count) => down(pager, halfPage(pager, count))),
  ...keysOf('u ^U', (pager, count) => up(pager, halfPage(pager, count))),
  ...keysOf('right M-)', (pager, count) => shift(pager, count || halfWidth(pager))),
  ...keysOf('left M-(', (pager, count) => shift(pager, -(count || halfWidth(pager)))),
  ...keysOf('r R ^R ^L', (pager) => {
    pager.source.pull();
    pager.screen.measure();
  }),
  ...keysOf('g < M-< home', (pager, count) => jump(pager, () => toLine(pager, count || 1))),
  ...keysOf('G > M-> end-key', (pager, count) =>
    jump(pager, () => (count > 0 ? toLine(pager, count) : toEnd(pager))),
  ),
  ...keysOf('p %', (pager, count) => jump(pager, () => toPercent(pager, count))),
  F: (pager) => follow(pager),
  '/': (pager, count) => askPattern(pager, 'forward', count || 1),
  '?': (pager, count) => askPattern(pager, 'backward', count || 1),
  n: (pager, count) => again(pager, 'same', count || 1),
  N: (pager, count) => again(pager, 'other', count || 1),
  'M-u': (pager) => {
    pager.settings.highlight = !pager.settings.highlight;
    pager.refreshOptions();
  },
  '&': (pager) => askFilter(pager),
  m: (pager) => {
    pager.typed = 'set mark: ';
    pager.paint();
    const letter = pager.key();
    if (/^[a-zA-Z]$/.test(letter)) {
      pager.marks.set(letter, { file: pager.source.name, top: pager.view.top });
    } else pager.screen.bell();
  },
  "'": (pager) => goToMark(pager),
  ...keysOf('= ^G', (pager) => {
    pager.message = pager.describe();
  }),
  ':': (pager, count) => colon(pager, count),
  '-': (pager) => turnOption(pager),
  '!': (pager) => shell(pager),
  ...keysOf('h H', (pager) => {
    pager.instead(textSource('HELP -- Press q when done', HELP), () => runCommands(pager));
  }),
  v: (pager) => {
    pager.message = 'v needs a terminal of its own: leave with q and use vi';
  },
  '^Z': (pager) => {
    pager.screen.suspend();
  },
  '^C': (pager) => {
    pager.message = '';
  },
  Z: (pager) => (pager.key() === 'Z' ? 'quit' : undefined),
};

const halfWidth = (pager: Pager): number => Math.max(1, Math.floor(pager.screen.size.columns / 2));

function shift(pager: Pager, by: number): undefined {
  pager.shift = Math.max(0, pager.shift + by);
  if (pager.shift > 0) pager.settings.chop = true;
  pager.refreshOptions();
}

/** Reads as much of a pipe as somebody wants, whatever is typed meanwhile. */
function wholly(pager: Pager, action: () => void): void {
  pager.patient = true;
  if (!pager.source.complete) {
    pager.message = 'Reading... (interrupt to abort)';
    pager.paint();
    pager.message = '';
  }
  try {
    action();
  } finally {
    pager.patient = false;
  }
}

function toEnd(pager: Pager): void {
  pager.source.pull();
  wholly(pager, () => pager.view.toEnd());
}

export function toLine(pager: Pager, number: number): undefined {
  const { view, source } = pager;
  wholly(pager, () => {
    let place = view.lines.place(number);
    while (place === undefined && !source.complete) {
      source.pull();
      place = view.lines.place(number);
    }
    if (place !== undefined) view.toLine(place);
    else pager.message = `Cannot seek to line number ${number}`;
  });
}

function toPercent(pager: Pager, percent: number): void {
  const { view, source } = pager;
  wholly(pager, () => {
    while (!source.complete) source.pull();
  });
  view.toLine(view.lines.start(Math.floor((source.size * Math.min(100, percent)) / 100)));
}

/** Waits for more at the end until Ctrl-C. */
function follow(pager: Pager): undefined {
  toEnd(pager);
  for (;;) {
    pager.message = 'Waiting for data... (interrupt to abort)';
    pager.paint();
    const { pipe, complete } = pager.source;
    const came = pager.keys.wait(complete ? -1 : pipe, 250);
    if (pager.interrupted || pager.keys.ended) break;
    if (came === 'key' && pager.keys.next() !== 'signal') break;
    if (came === 'other' || pipe < 0) pager.source.pull();
    pager.view.top = pager.source.size;
    pager.view.up(pager.height);
  }
  pager.message = '';
}

function askPattern(pager: Pager, way: 'forward' | 'backward', count: number): undefined {
  const typed = pager.ask(way === 'forward' ? '/' : '?', pager.history.pattern);
  if (typed === undefined) return;
  if (typed !== '' && !setPattern(pager, typed, way)) return;
  if (pager.search === undefined) pager.message = 'No previous regular expression';
  else {
    pager.search.way = way;
    again(pager, 'same', count);
  }
}

/** Takes a pattern for the next searches; false when it is none. */
export function setPattern(pager: Pager, typed: string, way: 'forward' | 'backward'): boolean {
  const inverted = typed.startsWith('!');
  const finder = finderOf(pager, inverted ? typed.slice(1) : typed);
  if (finder === undefined) return false;
  pager.search = { finder, wants: inverted ? 'none' : 'match', way };
  pager.refreshOptions();
  return true;
}

function finderOf(pager: Pager, pattern: string): Finder | undefined {
  const { ignoreCase } = pager.settings;
  const ignores = ignoreCase === 'always' || (ignoreCase === 'smart' && !/[A-Z]/.test(pattern));
  try {
    return new Finder(pattern, ignores ? 'ignore' : 'exact');
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    pager.message = `Invalid pattern: ${error.message}`;
    return undefined;
  }
}

function again(pager: Pager, which: 'same' | 'other', count: number): undefined {
  const { search, view } = pager;
  if (search === undefined) {
    pager.message = 'No previous regular expression';
    return;
  }
  const forward = (search.way === 'forward') === (which === 'same');
  let at: number | undefined = view.top;
  for (let i = 0; i < count && at !== undefined; i++) {
    at = forward ? searchForward(pager, view.lines.after(at)) : searchBackward(pager, at);
  }
  if (at === undefined) pager.message = 'Pattern not found';
  else {
    const place = at;
    jump(pager, () => view.show(place));
  }
}

/** The next line that is shown and has a match; a pipe is read until there is one. */
export function searchForward(pager: Pager, from: number): number | undefined {
  const { search, view, source } = pager;
  if (search === undefined) return undefined;
  for (let start = from; ; ) {
    const found = search.finder.forward(view.lines, start, search.wants);
    if (found !== undefined) {
      const shown = view.rows.shown(found);
      if (shown === found) return found;
      start = view.lines.after(found);
    } else if (source.complete) return undefined;
    else {
      start = Math.max(from, view.lines.start(source.size));
      wholly(pager, () => source.pull());
    }
  }
}

function searchBackward(pager: Pager, before: number): number | undefined {
  const { search, view } = pager;
  let end = view.lines.start(before);
  while (search !== undefined) {
    const found = search.finder.backward(view.lines, end, search.wants);
    if (found === undefined || view.rows.shown(found) === found) return found;
    end = found;
  }
  return undefined;
}

function askFilter(pager: Pager): undefined {
  const typed = pager.ask('&/', pager.history.pattern);
  if (typed === undefined) return;
  const inverted = typed.startsWith('!');
  const pattern = inverted ? typed.slice(1) : typed;
  const finder = pattern === '' ? undefined : finderOf(pager, pattern);
  if (pattern !== '' && finder === undefined) return;
  pager.filter = finder && { finder, wants: inverted ? 'none' : 'match' };
  pager.refreshOptions();
  pager.view.toLine(pager.view.top);
}

function goToMark(pager: Pager): undefined {
  pager.typed = 'goto mark: ';
  pager.paint();
  const letter = pager.key();
  const mark = letter === '^' ? { file: pager.source.name, top: 0 } : pager.marks.get(letter);
  if (letter === '$') return jump(pager, () => toEnd(pager));
  if (mark === undefined || !(letter === '^' || /^[a-zA-Z']$/.test(letter))) {
    pager.message = 'Mark not set';
    return;
  }
  const { file, top } = mark;
  jump(pager, () => {
    const at = pager.files.indexOf(file);
    if (file !== pager.source.name && !pager.open(at)) return;
    pager.view.show(top);
  });
}

function colon(pager: Pager, count: number): 'quit' | undefined {
  pager.typed = ':';
  pager.paint();
  const letter = pager.key();
  switch (letter) {
    case 'q':
    case 'Q':
      return 'quit';
    case 'n':
      return openFile(pager, pager.at + (count || 1), 'No next file');
    case 'p':
      return openFile(pager, pager.at - (count || 1), 'No previous file');
    case 'x':
      return openFile(pager, (count || 1) - 1, 'No such file');
    case 'f':
      pager.message = pager.describe();
      return undefined;
    case 'd':
      return dropFile(pager);
    case 'e':
      return examine(pager);
    default:
      pager.screen.bell();
      return undefined;
  }
}

function openFile(pager: Pager, at: number, none: string): undefined {
  if (pager.files[at] === undefined) pager.message = none;
  else pager.open(at);
}

function dropFile(pager: Pager): undefined {
  if (pager.files.length === 1) {
    pager.message = 'No other file';
    return;
  }
  const { at } = pager;
  const next = at + 1 < pager.files.length ? at + 1 : at - 1;
  if (!pager.open(next)) return;
  pager.files.splice(at, 1);
  pager.at = Math.min(next, at);
}

function examine(pager: Pager): undefined {
  const name = pager.ask('Examine: ', pager.history.file)?.trim();
  if (name === undefined || name === '') return;
  pager.files.splice(pager.at + 1, 0, name);
  if (!pager.open(pager.at + 1)) pager.files.splice(pager.at + 1, 1);
}

function turnOption(pager: Pager): undefined {
  pager.typed = '-';
  pager.paint();
  const letter = pager.key();
  const told = toggle(pager.settings, letter);
  if (told === undefined) pager.message = `There is no -${letter} option to turn over`;
  else {
    pager.message = told;
    pager.refreshOptions();
  }
}

function shell(pager: Pager): undefined {
  const command = pager.ask('!', pager.history.command);
  if (command === undefined) return;
  pager.screen.leave();
  const argv = ['sh', '-c', command];
  const pid = startProgram(pager.tool, argv, (name) => decodeText(new TextEncoder().encode(name)));
  if (typeof pid === 'number') waitFor(pager.tool, pid);
  pager.tool.error('!done  (press RETURN)');
  pager.keys.next();
  pager.screen.enter();
}

// The keys of more: digits make a number, the rest is looked up in a table.

import { Interrupt } from '../less/lines.ts';
import { Finder } from '../less/search.ts';
import { PatternError } from '../regex/syntax.ts';
import { startProgram, waitFor } from '../spawn.ts';
import type { More } from './more.ts';

/** What a command is given: the number in front of it, 0 when there is none. */
type Command = (more: More, count: number) => 'quit' | undefined;

const HELP = `
  SPACE ^F     the next screenful, or so many rows
  z            the same; the number holds from then on
  RETURN j     the next row, or so many
  d ^D         11 rows, or so many from then on        u ^U  back
  s f          skip lines, screenfuls                  b ^B  back a screenful, k a row
  g G          to the first, the last line, or to that of the number
  /PATTERN n N search, the next, the one before        '     back to where the search began
  =            the number of the line                  :f    the name, too
  :n :p        the next file, the file before          v     vi here
  !COMMAND     a shell runs it                         ^L    the screen again
  .            the last command again                  q     leave
`;

/** Reads keys until one of them leaves, or the last file has ended. */
export function runCommands(more: More): void {
  let last: { command: Command; count: number } | undefined;
  for (;;) {
    if (
      more.message === '' &&
      more.text.atEnd(more.next) &&
      more.at + 1 >= more.options.files.length
    )
      return;
    let count = '';
    let key = more.key();
    for (; /^[0-9]$/.test(key); key = more.key()) {
      count = (count + key).slice(0, 9);
      more.message = count;
    }
    more.message = '';
    const again = key === '.' ? last : undefined;
    const command = again?.command ?? (Object.hasOwn(commands, key) ? commands[key] : undefined);
    if (command === undefined) {
      wrong(more);
      continue;
    }
    last = { command, count: count === '' ? (again?.count ?? 0) : Number(count) };
    if (run(more, last) === 'quit') return;
  }
}

/** Ctrl-C ends what takes long, and the program. */
function run(
  more: More,
  { command, count }: { command: Command; count: number },
): 'quit' | undefined {
  try {
    return command(more, count);
  } catch (error) {
    if (error instanceof Interrupt) return 'quit';
    throw error;
  }
}

function wrong(more: More): undefined {
  if (more.options.helps) more.message = "[Press 'h' for instructions.]";
  else more.say('\x07');
}

/** Shows more rows, of the next file when this one has ended. */
function forward(more: More, rows: number): 'quit' | undefined {
  if (!more.text.atEnd(more.next)) {
    more.show(rows);
    return undefined;
  }
  return goTo(more, more.at + 1);
}

function goTo(more: More, at: number): 'quit' | undefined {
  if (!more.open(at)) return 'quit';
  more.show(more.screenful);
  return undefined;
}

function backward(more: More, rows: number): undefined {
  more.from(more.text.back(more.top, rows));
}

const quit: Command = () => 'quit';

/** The same for several keys. */
const keysOf = (keys: string, command: Command): Record<string, Command> =>
  Object.fromEntries(keys.split(' ').map((key) => [key, command]));

const commands: Readonly<Record<string, Command>> = {
  ...keysOf('q Q end ^C', quit),
  ' ': (more, count) => forward(more, count || more.screenful),
  ...keysOf('^F page-down', (more, count) => forward(more, count || more.screenful)),
  z: (more, count) => {
    if (count > 0) more.screenful = count;
    return forward(more, more.screenful);
  },
  ...keysOf('^M ^J j down', (more, count) => forward(more, count || 1)),
  ...keysOf('d ^D', (more, count) => {
    if (count > 0) more.scroll = count;
    return forward(more, more.scroll);
  }),
  ...keysOf('u ^U', (more, count) => {
    if (count > 0) more.scroll = count;
    return backward(more, more.scroll);
  }),
  ...keysOf('k up', (more, count) => backward(more, count || 1)),
  ...keysOf('b ^B page-up', (more, count) => backward(more, more.screenful * (count || 1))),
  s: (more, count) => skip(more, { lines: count || 1, what: 'line' }),
  f: (more, count) => skip(more, { lines: more.screenful * (count || 1), what: 'line' }),
  g: (more, count) => {
    more.from(more.text.line(count || 1));
    return undefined;
  },
  G: (more, count) => {
    more.from(count > 0 ? more.text.line(count) : more.text.last(more.screenful));
    return undefined;
  },
  '/': (more, count) => {
    const typed = more.ask('/');
    if (typed === undefined) return undefined;
    if (typed !== '' && !setPattern(more, typed)) return undefined;
    return search(more, count || 1);
  },
  n: (more, count) => search(more, count || 1),
  N: (more, count) => searchBack(more, count || 1),
  "'": (more) => {
    more.say('\n***Back***\n\n');
    more.from(more.before);
    return undefined;
  },
  '=': (more) => {
    more.message = String(lineNumber(more));
    return undefined;
  },
  ...keysOf('h ?', (more) => {
    more.say(HELP);
    return undefined;
  }),
  ...keysOf('^L ^R r', (more) => {
    more.from(more.top);
    return undefined;
  }),
  v: (more) => {
    const name = more.options.files[more.at] ?? '-';
    if (name === '-') return wrong(more);
    return outside(more, ['vi', '-c', String(lineNumber(more)), name]);
  },
  '!': (more) => shell(more),
  ':': (more, count) => colon(more, count),
};

const lineNumber = (more: More): number =>
  more.text.lines.number(more.text.lines.start(Math.max(0, more.next - 1)));

function skip(more: More, { lines, what }: { lines: number; what: string }): 'quit' | undefined {
  more.say(`\n...skipping ${lines} ${what}${lines === 1 ? '' : 's'}\n\n`);
  more.next = more.text.after(more.next, lines);
  return forward(more, more.screenful);
}

/** Takes a pattern for the next searches; false when it is none. */
export function setPattern(more: More, pattern: string): boolean {
  try {
    more.finder = new Finder(pattern, 'exact');
    return true;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    more.message = `Invalid pattern: ${error.message}`;
    return false;
  }
}

/** Shows what is found with the two lines before it. */
function search(more: More, count: number): undefined {
  if (more.finder === undefined) {
    more.message = 'No previous regular expression';
    return;
  }
  const found = more.text.find(more.finder, more.next, count);
  if (found === undefined) {
    more.message = 'Pattern not found';
    return;
  }
  more.before = more.top;
  more.say('\n...skipping\n');
  more.from(more.text.back(found, 2));
}

function searchBack(more: More, count: number): undefined {
  const found = more.finder && more.text.findBack(more.finder, more.top, count);
  if (found === undefined) more.message = 'Pattern not found';
  else {
    more.before = more.top;
    more.from(found);
  }
}

function colon(more: More, count: number): 'quit' | undefined {
  more.message = ':';
  switch (more.key()) {
    case 'q':
    case 'Q':
      return 'quit';
    case 'f':
      more.message = `"${more.options.files[more.at]}" line ${lineNumber(more)}`;
      return undefined;
    case 'n':
      return goTo(more, more.at + (count || 1));
    case 'p':
      return goTo(more, Math.max(0, more.at - (count || 1)));
    case '!':
      return shell(more);
    default:
      return wrong(more);
  }
}

function shell(more: More): undefined {
  const command = more.ask('!');
  if (command !== undefined) outside(more, ['sh', '-c', command]);
}

function outside(more: More, argv: readonly string[]): undefined {
  more.leave();
  const pid = startProgram(more.tool, argv);
  if (typeof pid === 'number') waitFor(more.tool, pid);
  more.enter();
  more.say('------------------------\n');
}

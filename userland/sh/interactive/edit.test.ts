// The line editor's parts: keys from bytes, the operations on a line, and the screen against a small
// terminal of the test's own.

import test from 'ava';
import { encodeText } from '../../../kernel/abi/text.ts';
import { type Key, readKey } from '../../libc/tty/keys.ts';
import { charWidth, clusters, clusterWidth } from '../../libc/tty/width.ts';
import { Line } from './line.ts';
import { Screen } from './screen.ts';
import { searchHistory } from './search.ts';

function keysOf(text: string): Key[] {
  const bytes = [...encodeText(text)];
  const keys: Key[] = [];
  for (;;) {
    const key = readKey(() => bytes.shift());
    if (key.type === 'end') return keys;
    keys.push(key);
  }
}

const decodes = test.macro({
  exec(t, bytes: string, names: readonly string[]) {
    const got = keysOf(bytes).map((key) =>
      key.type === 'key' ? key.name : `"${'text' in key ? key.text : ''}"`,
    );
    t.deepEqual(got, names);
  },
  title: (_, bytes: string, _names: readonly string[]) =>
    `bytes ${JSON.stringify(bytes)} are the keys they should be`,
});
test(decodes, 'aé日😀', ['"a"', '"é"', '"日"', '"😀"']);
test(decodes, '\x01\x7f\r\t', ['^A', '^?', '^M', '^I']);
test(decodes, '\x1b[A\x1bOB\x1b[3~\x1b[1;5C\x1b[H', ['up', 'down', 'delete', 'M-f', 'home']);
test(decodes, '\x1bb\x1b\x7f', ['M-b', 'M-^?']);
test(decodes, '\x1b[200~a\rb\x1b[201~c', ['"a\nb"', '"c"']);
test(decodes, '\x1b[999;999Zx', ['unknown', '"x"']);

const edits = test.macro({
  exec(t, start: string, steps: (line: Line) => void, wanted: string) {
    const line = new Line();
    line.set(start);
    steps(line);
    t.is(
      `${line.chars.slice(0, line.cursor).join('')}|${line.chars.slice(line.cursor).join('')}`,
      wanted,
    );
  },
  title: (claim) => claim ?? '',
});
test(
  'text goes in at the cursor',
  edits,
  'ac',
  (l) => {
    l.move(1);
    l.insert('b');
  },
  'ab|c',
);
test(
  'words are gone to',
  edits,
  'one  two',
  (l) => {
    l.move(l.wordLeft());
    l.move(l.wordLeft());
    l.move(l.wordRight());
  },
  'one|  two',
);
test(
  'what is killed comes back',
  edits,
  'one two',
  (l) => {
    l.kill(l.blankLeft());
    l.move(0);
    l.yank();
  },
  'two|one ',
);
test(
  'kills in a row come back as one',
  edits,
  'a b c',
  (l) => {
    l.kill(l.blankLeft());
    l.kill(l.blankLeft());
    l.yank();
    l.yank();
  },
  'a b cb c|',
);
test(
  'a kill after a move is one of its own',
  edits,
  'a b',
  (l) => {
    l.kill(l.blankLeft());
    l.move(0);
    l.kill(1);
    l.yank();
  },
  'a| ',
);
test(
  'older pieces come back one after the other',
  edits,
  'a b c',
  (l) => {
    for (let i = 0; i < 3; i++) {
      l.kill(l.blankLeft());
      l.move(l.cursor);
    }
    l.insert('x');
    l.yank();
    l.yankOlder();
  },
  'xb |',
);
test(
  'an older piece takes only the place of one that was just brought back',
  edits,
  'a b',
  (l) => {
    l.kill(l.blankLeft());
    l.yank();
    l.move(0);
    l.yankOlder();
  },
  '|a b',
);
test(
  'changes are undone one by one, what was typed in one go at once',
  edits,
  'one two',
  (l) => {
    l.kill(l.blankLeft());
    for (const char of 'abc') l.insert(char);
    l.transpose();
    l.changeWord('upper');
    l.undo();
    l.undo();
    l.undo();
  },
  'one |',
);
test(
  'all undone, the line is what it was',
  edits,
  'one two',
  (l) => {
    l.replace(3, 'xyz');
    l.remove(0);
    l.insert('日本');
    for (let i = 0; i < 9; i++) l.undo();
  },
  'one two|',
);
for (const [start, at, wanted] of [
  ['one  two', 8, 'two  one|'],
  ['one two three', 5, 'two one| three'],
  ['one two three', 4, 'two one| three'],
  ['one', 3, 'one|'],
] as const)
  test(
    `words swap in ${start} at ${at}`,
    edits,
    start,
    (l) => {
      l.move(at);
      l.transposeWords();
    },
    wanted,
  );
test('characters swap', edits, 'abc', (l) => l.transpose(), 'acb|');
test(
  'characters swap in the middle',
  edits,
  'abc',
  (l) => {
    l.move(1);
    l.transpose();
  },
  'ba|c',
);
test(
  'a mark belongs to its letter',
  edits,
  'e',
  (l) => {
    l.insert('\u0301');
    l.remove(0);
  },
  '|',
);
test(
  'a word changes its case',
  edits,
  'foo BAR',
  (l) => {
    l.move(0);
    l.changeWord('capital');
    l.changeWord('lower');
  },
  'Foo bar|',
);

test('characters have the width that terminals give them', (t) => {
  t.deepEqual([...'a日é\u0301😀ｱＡ\u200d'].map(charWidth), [1, 2, 1, 0, 2, 1, 2, 0]);
  t.deepEqual(clusters('e\u0301👩\u200d💻\x01'), ['e\u0301', '👩\u200d💻', '\x01']);
  t.deepEqual(['\x01', '\udcff', '日', 'a\u0301'].map(clusterWidth), [2, 4, 2, 1]);
});

/** A terminal of some columns: what is on it, and where the cursor stands. */
class Terminal {
  rows: string[][] = [[]];
  row = 0;
  column = 0;
  private pending = false; // the last column is written: the next character wraps
  private readonly columns: number;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): void {
    for (const part of text.match(/\p{Cc}\[\d*[A-Z]|[\s\S]/gu) ?? []) {
      const [, count, letter] = /^.\[(\d*)([A-Z])$/.exec(part) ?? [];
      if (letter === 'A') this.row -= Number(count);
      else if (letter === 'C') this.column += Number(count);
      else if (letter === 'J') this.clear();
      else if (part === '\r') this.column = 0;
      else if (part === '\n') this.down();
      else this.put(part);
      if (part.length > 1 || part < ' ') this.pending = false;
    }
  }

  private clear(): void {
    this.rows.length = this.row + 1;
    this.rows[this.row]?.splice(this.column);
  }

  private down(): void {
    this.row++;
    while (this.rows.length <= this.row) this.rows.push([]);
  }

  private put(char: string): void {
    if (this.pending) {
      this.down();
      this.column = 0;
    }
    const width = charWidth(char);
    const row = this.rows[this.row] ?? [];
    row[this.column] = char;
    if (width === 2) row[this.column + 1] = '';
    this.column += width;
    this.pending = this.column >= this.columns;
    if (this.pending) this.column = this.columns - 1;
  }

  get text(): string[] {
    return this.rows.map((row) => Array.from(row, (c) => c ?? ' ').join(''));
  }
}

test('after any change the screen shows prompt and line, wrapped, and the cursor in its place', (t) => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  t.log(`SEED=${seed}`);
  let state = seed;
  const below = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % n;
  };
  for (let round = 0; round < 30; round++) {
    const columns = 6 + below(12);
    const terminal = new Terminal(columns);
    const screen = new Screen();
    const line = new Line();
    for (let step = 0; step < 40; step++) {
      const change = below(5);
      if (change === 0) line.move(below(line.chars.length + 1));
      else if (change === 1) line.remove(line.cursor - 1);
      else line.insert(['a', '日', 'xyz', '\x01', 'q'][below(5)] ?? '');
      const view = { prompt: '$ ', chars: line.chars, cursor: line.cursor, columns };
      terminal.write(screen.refresh(view));
      const other = new Terminal(columns);
      other.write(new Screen().refresh(view));
      t.deepEqual(terminal.text, other.text);
      const joined = terminal.text.join('').replaceAll(' ', '');
      t.is(joined, `$${line.text}`.replaceAll('\x01', '^A').replaceAll(' ', ''));
      const start = { row: terminal.row, column: terminal.column };
      t.deepEqual(start, { row: other.row, column: other.column });
      t.true(start.column < columns);
    }
  }
});

test('a line that fills its row is left for the next one, with no empty row between', (t) => {
  const chars = [...'echo 456789'];
  const rows = [10, 11, 13, 14].map((columns) => {
    const terminal = new Terminal(columns);
    const view = { prompt: '$ ', chars, cursor: 3, columns };
    const screen = new Screen();
    terminal.write(screen.refresh(view) + screen.leave(view));
    t.is(terminal.column, 0);
    return terminal.row;
  });
  t.deepEqual(rows, [2, 2, 1, 1]);
});

test('a search goes back through the history and gives its key back', (t) => {
  const entries = ['echo one', 'ls', 'echo two', 'cat'];
  const search = (keys: string) => {
    const list = keysOf(keys);
    const shown: string[] = [];
    const found = searchHistory({
      entries,
      from: entries.length,
      readKey: () => list.shift() ?? { type: 'end' },
      show: (prompt, text) => shown.push(prompt + text),
    });
    return { found, last: shown.at(-1) };
  };
  t.like(search('echo\r'), { found: { place: 2 }, last: "(reverse-i-search)`echo': echo two" });
  t.like(search('echo\x12\r'), { found: { place: 0 } });
  t.like(search('echo\x12\x12\r'), {
    found: { place: 0 },
    last: "(failed reverse-i-search)`echo': echo one",
  });
  t.like(search('lsx\x7f\r'), { found: { place: 1 } });
  t.deepEqual(search('ls\x07').found, {});
});

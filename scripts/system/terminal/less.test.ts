// less in a terminal, with the keys that a person would press.

import test from 'ava';
import { type Atoll, boot } from '../../../host/atoll.ts';
import { makeExt4, tempDir } from '../../testing/machine.ts';
import { Person } from '../../testing/person.ts';

let machine: Atoll;
test.before(async () => {
  machine = await boot({ disks: [] });
  const lines = (count: number): string =>
    Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join('');
  await machine.fs.writeFile('/root/hundred', lines(100));
  await machine.fs.writeFile('/root/few', 'one\ntwo\nthree\n');
  await machine.fs.writeFile('/root/long', `${'abcdefghij'.repeat(12)}\nshort\n`);
});
test.after.always(() => machine.shutdown());

const start = async (command: string, first: RegExp | string): Promise<Person> => {
  const person = await Person.at(machine, { cols: 40, rows: 11 });
  await person.type(`clear; ${command}\r`);
  await person.sees(first);
  return person;
};

/** Leaves, and sees the shell again. */
async function leave(person: Person, keys = 'q'): Promise<void> {
  await person.types(keys);
  await person.type('exit\r');
  await person.terminal.exit;
}

const top = (person: Person): string => person.rows[0] ?? '';
const bottom = (person: Person): string => person.rows[10] ?? '';

test('space, b, d, u, j, k, g and G move as they should', async (t) => {
  const person = await start('less hundred', /^line 1$[\s\S]*hundred/m);
  t.is(person.rows[9], 'line 10');
  await person.type(' ');
  await person.waits('line 11', () => top(person) === 'line 11');
  t.is(bottom(person), ':');
  await person.type('j');
  await person.waits('line 12', () => top(person) === 'line 12');
  await person.type('k');
  await person.waits('line 11', () => top(person) === 'line 11');
  await person.type('d');
  await person.waits('line 16', () => top(person) === 'line 16');
  await person.type('u');
  await person.waits('line 11', () => top(person) === 'line 11');
  await person.type('b');
  await person.waits('line 1', () => top(person) === 'line 1');
  await person.type('G');
  await person.waits('line 91', () => top(person) === 'line 91');
  t.is(person.rows[9], 'line 100');
  t.is(bottom(person), '(END)');
  await person.type('42g');
  await person.waits('line 42', () => top(person) === 'line 42');
  await person.type('50p');
  await person.waits('line 5x', () => /^line (49|50|51)$/.test(top(person)));
  await person.type('g5\x1b[B');
  await person.waits('line 6', () => top(person) === 'line 6');
  await leave(person);
  t.pass();
});

test('/ and ? find, n and N go on, what was found is in reverse video', async (t) => {
  const person = await start('less hundred', 'line 10');
  await person.type('/ne.3\r');
  await person.waits('line 3', () => top(person) === 'line 3');
  t.regex(person.reversed, /^ne 3/);
  await person.type('n');
  await person.waits('line 30', () => top(person) === 'line 30');
  await person.type('2n');
  await person.waits('line 32', () => top(person) === 'line 32');
  await person.type('N');
  await person.waits('line 31', () => top(person) === 'line 31');
  await person.type('?9$\r');
  await person.waits('line 29', () => top(person) === 'line 29');
  await person.type('n');
  await person.waits('line 19', () => top(person) === 'line 19');
  await person.type('/nowhere\r');
  await person.sees('Pattern not found');
  await person.type('/(\r');
  await person.sees('Invalid pattern');
  await leave(person);
});

test('& shows the lines that match, and all of them again', async (t) => {
  const person = await start('less hundred', 'line 10');
  await person.type('&7$\r');
  await person.waits('line 97', () => person.rows[9] === 'line 97');
  t.is(top(person), 'line 7');
  t.is(bottom(person), '(END)');
  await person.type('&\r');
  await person.waits('line 16', () => person.rows[9] === 'line 16');
  await leave(person);
});

test('long lines wrap, or are cut off by -S and moved by the arrows', async (t) => {
  const person = await start('less long', 'short');
  t.deepEqual(person.rows.slice(0, 4), [...Array(3).fill('abcdefghij'.repeat(4)), 'short']);
  await person.type('-S');
  await person.waits('short', () => person.rows[1] === 'short');
  await person.type('5\x1b[C');
  await person.waits('fghij', () => top(person) === `fghij${'abcdefghij'.repeat(3)}abcde`);
  await person.type('\x1b[D-S-N');
  await person.waits('a number', () => top(person).startsWith('      1 abcd'));
  t.is(person.rows[1]?.slice(0, 10), '        cd');
  await leave(person);
});

test('standard input is a pipe, and keys come from the terminal', async (t) => {
  const person = await start('seq 1 100000 | less', /^1$/m);
  await person.type('G');
  await person.waits('100000', () => person.rows[9] === '100000');
  await person.type('=');
  await person.sees('lines 99991-100000');
  await leave(person);
  t.pass();
});

test('what a pipe has brought is shown before its end, and what it brings later, too', async (t) => {
  const person = await start('mkfifo f; (echo early; cat f) | less', 'early');
  await machine.fs.writeFile('/root/f', 'late\n');
  await person.waits('late', () => person.rows[1] === 'late');
  await leave(person);
  t.pass();
});

test('a pipe without an end: Ctrl-C ends the way to it, q leaves', async (t) => {
  const person = await start('yes | less', /^y$/m);
  await person.type('G');
  await person.sees('Reading...');
  await person.type('\x03');
  await person.sees('Interrupted');
  await leave(person);
  t.pass();
});

test(':n and :p go through the files, the prompt names them', async (t) => {
  const person = await start('less few hundred', 'few (file 1 of 2) (END) - Next: hundred');
  await person.type(':n');
  await person.sees('hundred (file 2 of 2)');
  await person.type(':n');
  await person.sees('No next file');
  await person.type(':p');
  await person.sees(/^three$/m);
  await person.type(':e nothere\r');
  await person.sees('nothere: No such file');
  await leave(person, ':q');
  t.pass();
});

test('a terminal of another size shows the same line at its top', async (t) => {
  const person = await start('less +20 hundred', 'line 29');
  await person.resize(40, 6);
  await person.waits('five rows', () => person.rows[4] === 'line 24');
  t.is(top(person), 'line 20');
  await person.resize(20, 15);
  await person.waits('more rows', () => person.rows[13] === 'line 33');
  await leave(person);
});

test('control characters and bytes that are no text are shown and do nothing', async (t) => {
  await machine.fs.writeFile('/root/odd', 'a\x1b[31mred\x07\r\nb\xa0\n');
  await machine.fs.writeFile(
    '/root/binary',
    Uint8Array.from({ length: 64 }, (_, i) => i ^ 0x80),
  );
  const person = await start('printf "\\\\303\\\\050" >> odd; less odd', 'aESC[31mred^G^M');
  t.is(person.rows[2], '<C3>(');
  await leave(person);
  const asked = await start('less binary', 'may be a binary file');
  await asked.type('y');
  await asked.sees('<80><81>');
  await leave(asked);
  const coloured = await start('less -R odd', 'ared^G^M');
  await leave(coloured);
});

test('-F prints what one screen holds, -p and LESS are heard', async (t) => {
  const person = await Person.at(machine, { cols: 40, rows: 11 });
  await person.type("clear; less -F few; echo do''ne\r");
  await person.sees(/^done$/m);
  t.deepEqual(person.rows.slice(0, 3), ['one', 'two', 'three']);
  await person.type('LESS=-N less -p 55 hundred\r');
  await person.waits('line 55', () => top(person) === '     55 line 55');
  await leave(person);
});

test('marks, help, ! and Ctrl-Z lead back to where one was', async (t) => {
  const person = await start('less hundred', 'line 10');
  await person.type('30gmaG');
  await person.waits('line 91', () => top(person) === 'line 91');
  await person.type("'a");
  await person.waits('line 30', () => top(person) === 'line 30');
  await person.type('h');
  await person.sees('SUMMARY');
  await person.type('q');
  await person.waits('line 30', () => top(person) === 'line 30');
  await person.type('!echo $((6*7)) here\r');
  await person.sees('42 here');
  await person.type('\r');
  await person.waits('line 30', () => top(person) === 'line 30');
  await person.types('\x1a');
  await person.type('fg\r');
  await person.waits('line 30', () => top(person) === 'line 30');
  await leave(person);
  t.pass();
});

test('F shows what is added to a file until Ctrl-C', async (t) => {
  await machine.fs.writeFile('/root/grows', 'first\n');
  const person = await start('less grows', 'first');
  await person.type('F');
  await person.sees('Waiting for data');
  await machine.fs.appendFile('/root/grows', 'second\n');
  await person.sees('second');
  await person.type('\x03');
  await person.waits('the end', () => bottom(person) === '(END)');
  await leave(person);
  t.pass();
});

test('a file of a gigabyte opens at once, G is at its end', async (t) => {
  await using dir = await tempDir();
  const file = `${dir.path}/disk`;
  if (!(await makeExt4(file, 16))) return t.pass('no mke2fs on this host');
  await using big = await boot({ disks: [{ file }] });
  await big.exec("cd /mnt/sdC0; truncate -s 1G big; printf '\\nlast\\n' >> big");
  const person = await Person.at(big, { cols: 40, rows: 11, cwd: '/mnt/sdC0' });
  await person.type('less -f big\r');
  await person.sees('^@^@');
  await person.type('G');
  await person.waits('last', () => person.rows[9] === 'last');
  await person.type('g');
  await person.waits('the top', () => top(person).startsWith('^@'));
  await leave(person);
  t.pass();
});

test('without a terminal less is cat, and wrong options are refused', async (t) => {
  // What is named twice is there once, as in every list of files of less.
  t.is((await machine.exec('cd; less few few')).stdout, 'one\ntwo\nthree\n');
  t.is((await machine.exec('cd; cat few | less few -')).stdout, 'one\ntwo\nthree\n'.repeat(2));
  const wrong = await machine.exec('less -Z x');
  t.is(wrong.status, 1);
  t.regex(wrong.stderr, /invalid option -- 'Z'/);
  t.regex((await machine.exec('less --help')).stdout, /^Usage: less /);
  t.is((await machine.exec('less nothere')).status, 1);
});

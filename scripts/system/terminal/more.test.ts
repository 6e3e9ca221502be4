// more in a terminal, with the keys that a person would press.

import test from 'ava';
import { type Atoll, boot } from '../../../host/atoll.ts';
import { Person } from '../../testing/person.ts';

let machine: Atoll;
test.before(async () => {
  machine = await boot({ disks: [] });
  const lines = (count: number): string =>
    Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join('');
  await machine.fs.writeFile('/root/hundred', lines(100));
  await machine.fs.writeFile('/root/few', 'one\ntwo\nthree\n');
});
test.after.always(() => machine.shutdown());

const start = async (command: string, first: RegExp | string): Promise<Person> => {
  const person = await Person.at(machine, { cols: 40, rows: 11 });
  await person.type(`clear; ${command}\r`);
  await person.sees(first);
  return person;
};

/** The row above the prompt. */
const last = (person: Person): string => person.rows[9] ?? '';

test('space, return, counts, b, d, u, g and G show the rows that they should', async (t) => {
  const person = await start('more hundred', /^line 10\n--More--\(8%\)/m);
  t.is(person.reversed, '--More--(8%)');
  const steps: readonly [string, string][] = [
    [' ', 'line 20'],
    ['\r', 'line 21'],
    ['4j', 'line 25'],
    ['5d', 'line 30'],
    ['d', 'line 35'],
    ['b', 'line 25'],
    ['5u', 'line 20'],
    ['50g', 'line 59'],
    ['s', 'line 70'],
  ];
  for (const [keys, row] of steps) {
    await person.type(keys);
    await person.waits(`${row} behind ${keys}`, () => last(person) === row);
  }
  await person.type('=');
  await person.sees(/^70$/m);
  await person.type('/line 8.\r');
  await person.waits('line 87', () => last(person) === 'line 87');
  await person.type('x');
  await person.types('q');
  t.pass();
});

test('at the end of the last file it leaves; files follow each other, pipes are read as far as shown', async (t) => {
  const person = await start('more few hundred', 'Next file: hundred');
  await person.type(' ');
  await person.sees(/^hundred\n:+\nline 1$/m);
  await person.type(':f');
  await person.sees(/^"hundred" line 7$/m);
  await person.types('G');
  t.is(person.rows.at(-2), 'line 100');
  await person.type('clear; yes | more +/y\r');
  await person.sees('--More--');
  await person.types('q');
  await person.type('clear; more few; echo ended\r');
  await person.sees(/^one\ntwo\nthree\nended$/m);
  t.pass();
});

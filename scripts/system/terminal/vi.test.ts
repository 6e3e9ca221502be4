// vi in a terminal, with the keys that a person would press.

import test, { type ExecutionContext } from 'ava';
import { type Atoll, boot } from '../../../host/atoll.ts';
import { makeExt4, tempDir } from '../../testing/machine.ts';
import { Person } from '../../testing/person.ts';

let machine: Atoll;
let typist: Person;
test.before(async () => {
  machine = await boot({ disks: [] });
  typist = await Person.at(machine, { cols: 40, rows: 10 });
});
test.after.always(() => machine.shutdown());

let made = 0;

interface Session {
  readonly person: Person;
  readonly file: string;
}

/** vi with this text on its screen. */
async function edit(text: string | Uint8Array, options = ''): Promise<Session> {
  const file = `/root/file${made++}`;
  await machine.fs.writeFile(file, text);
  const person = await Person.at(machine, { cols: 40, rows: 10 });
  await person.type(`clear; vi ${options} ${file}\r`);
  await person.sees(`"${file}"`);
  return { person, file };
}

const read = async (file: string): Promise<string> =>
  new TextDecoder().decode(await machine.fs.readFile(file));

/** Leaves vi, and then the shell. */
async function leave(person: Person, keys: string): Promise<void> {
  await person.types(keys, /^\$> /);
  await person.type('exit\r');
  await person.terminal.exit;
}

const turns = test.macro({
  exec: async (t: ExecutionContext, from: string, keys: string, to: string) => {
    const file = `/root/file${made++}`;
    await machine.fs.writeFile(file, from);
    await typist.type(`vi ${file}\r`);
    await typist.sees(`"${file}"`);
    await typist.types(`${keys}:wq\r`);
    t.is(await read(file), to);
  },
  title: (_, from: string, keys: string, to: string) =>
    `${JSON.stringify(from)} and ${JSON.stringify(keys)} are ${JSON.stringify(to)}`,
});

// One person types these, one after the other, at one terminal: hence serial.
const E = '\x1b';
// Insertion.
test.serial(turns, 'one\n', `ihello ${E}`, 'hello one\n');
test.serial(turns, 'one\ntwo\n', `Aend${E}jI>${E}onew${E}Oabove${E}`, 'oneend\n>two\nabove\nnew\n');
test.serial(turns, 'x\n', `3iab${E}`, 'abababx\n');
test.serial(turns, 'abcdef\n', `Rxy\x7f\x7f\x7fz${E}`, 'zbcdef\n');
test.serial(turns, 'abc def\n', `A ghi jkl\x17${E}`, 'abc def ghi \n');
test.serial(turns, '', `ifirst\rsecond${E}`, 'first\nsecond\n');
// Operators and motions.
test.serial(turns, 'one two three four\n', `wdwx.`, 'one ree four\n');
test.serial(turns, 'one two three four\n', `2wcwTHREE${E}b2db`, 'THREE four\n');
test.serial(turns, 'a b c d\n', `2dwAx${E}`, 'c dx\n');
test.serial(turns, 'one\ntwo\nthree\n', `ddp`, 'two\none\nthree\n');
test.serial(turns, 'one\ntwo\nthree\n', `2yyjp`, 'one\ntwo\none\ntwo\nthree\n');
test.serial(turns, 'one two\nthree\n', `wdwJ`, 'one three\n');
test.serial(turns, 'f(a, (b), c) rest\n', `f(d%`, 'f rest\n');
test.serial(turns, 'a,b;c\n', `f,r-;t;x`, 'a-;c\n');
test.serial(turns, 'x = "text";\n', `f"ct"new${E}0~`, 'X = new";\n'); // ct" takes the first quote, too
test.serial(turns, 'one\n\ntwo\nthree\n\nfour\n', `d}}dd`, '\ntwo\nthree\nfour\n');
test.serial(turns, 'one\ntwo\n', `>>j<<`, '\tone\ntwo\n');
test.serial(turns, 'abc\n', `xuxxuu$D`, 'ab\n');
test.serial(turns, 'abc\n', `xx2u\x12`, 'bc\n');
test.serial(turns, 'abc def\n', `xwxU`, 'abc def\n');
test.serial(turns, 'one two\n', `"ayw"Ayww"aP`, 'one one one two\n');
test.serial(turns, 'aXb\n', `fXs--${E}S!${E}`, '!\n');
test.serial(turns, 'a\nb\nc\nd\n', `jmajd'a`, 'a\nd\n');
test.serial(turns, 'one\ntwo\nthree\n', `Gd/zzz\rkdk`, 'three\n');
test.serial(
  turns,
  'foo bar\nbar foo\n',
  `*cwX${E}nrY`,
  'foo bar\nbar X\n'.replace('foo bar', 'Yoo bar'),
);
test.serial(turns, 'word word word\n', `cwnew${E}w.w.`, 'new new new\n');
test.serial(turns, 'one two\nthree four\n', `wvjd`, 'one  four\n');
test.serial(turns, 'one\ntwo\nthree\n', `Vjd`, 'three\n');
// Characters that are wide, or none.
test.serial(turns, 'aé漢e\u0301x\n', `lxxr_`, 'a_x\n');
test.serial(turns, 'été\n', `:s/./<&>/g\r`, '<é><t><é>\n');
// Lines of ex.
test.serial(turns, 'a b a\na\n', `:%s/a/x&/g\r:1\rA!${E}`, 'xa b xa!\nxa\n');
test.serial(turns, 'one\ntwo\nthree\nfour\n', `:2,3d\r:$\rp`, 'one\nfour\ntwo\nthree\n');
test.serial(turns, 'b\na\nc\n', `:1,2!sort\r`, 'a\nb\nc\n');
test.serial(turns, 'one\n', `:r !echo read\r:1m$\r:1t.\r`, 'read\none\nread\n');
test.serial(turns, 'aXbXc\n', `:s/X\\(.\\)X/-\\u\\1-/\r`, 'a-B-c\n');
test.serial(turns, 'keep\ndrop 1\nkeep\ndrop 2\n', `:g/drop/d\r`, 'keep\nkeep\n');
test.serial(turns, 'keep\ndrop 1\nkeep\n', `:g/drop/d\ru`, 'keep\ndrop 1\nkeep\n');

test('the last line without a newline, and bytes that are no text, stay as they are', async (t) => {
  const bytes = Uint8Array.of(0x61, 0xff, 0x62, 0x0a, 0xc3, 0x28, 0x0d, 0x0a, 0x00, 0x65);
  const { person, file } = await edit(bytes);
  await person.sees('a\\xffb');
  await person.sees('\\xc3(^M');
  await leave(person, 'x:wq\r');
  t.deepEqual([...(await machine.fs.readFile(file))], [...bytes.subarray(1)]);
});

test('a file larger than the screen scrolls, and its lines wrap', async (t) => {
  const text = Array.from({ length: 50 }, (_, i) => `line ${i + 1}`).join('\n');
  const { person } = await edit(`${text}\n${'long '.repeat(20)}\n`);
  await person.type('\x06');
  await person.waits('line 8', () => person.rows[0] === 'line 8');
  await person.type('G');
  await person.waits('three rows', () => person.rows[6]?.startsWith('long long') === true);
  t.is(person.rows[3], 'line 50');
  await person.type('10G:set nu\r');
  await person.waits('a number', () =>
    person.rows.some((row) => row.startsWith('    10  line 10')),
  );
  await person.type('\x04');
  await person.type('HMLzt');
  await person.resize(60, 6);
  await person.waits('five rows', () => person.rows[4] !== '' && person.rows[5] === '');
  await leave(person, ':q\r');
});

test('what is not saved is not lost by :q, and :q! leaves', async (t) => {
  const { person, file } = await edit('text\n');
  await person.type('x:q\r');
  await person.sees('No write since last change');
  await person.type(':w other\r');
  await person.sees('"other" [New] 1L, 4B written');
  await leave(person, ':q!\r');
  t.is(await read(file), 'text\n');
  t.is(await read('/root/other'), 'ext\n');
});

test('several files, read-only ones, and files that changed meanwhile', async (t) => {
  await machine.fs.writeFile('/root/second', 'second\n');
  const { person, file } = await edit('first\n', '-R');
  await person.type('x:w\r');
  await person.sees('read-only');
  await person.type(':w!\r');
  await person.sees('written');
  await person.type(':e! second\r');
  await person.sees('"second" 1L, 7B');
  await machine.fs.writeFile('/root/second', 'from elsewhere\n');
  await person.type('x:w\r');
  await person.sees('changed since it was read');
  await leave(person, ':q!\r');
  t.is(await read(file), 'irst\n');
  t.is(await read('/root/second'), 'from elsewhere\n');
});

test('Ctrl-Z stops it, fg brings it back; :! runs a command', async (t) => {
  const { person } = await edit('text\n');
  await person.types('\x1a', /^\$> /);
  await person.type('fg\r');
  await person.waits('text', () => person.rows[0] === 'text');
  await person.type(':!echo $((6*7))\r');
  await person.sees(/^42$/m);
  await person.type('\r');
  await person.waits('text', () => person.rows[0] === 'text');
  await leave(person, 'ZZ');
  t.pass();
});

test('a terminal that is hung up: what was typed is kept for vi -r', async (t) => {
  const { person, file } = await edit('text\n');
  await person.type('Omore');
  await person.sees(/^more$/m);
  await person.terminal.close();
  const deadline = AbortSignal.timeout(30_000);
  while (!(await machine.exec('vi -r')).stdout.includes(file)) deadline.throwIfAborted();
  const again = await Person.at(machine, { cols: 60, rows: 10 });
  await again.type(`vi -r ${file}\r`);
  await again.sees('preserved');
  await leave(again, 'ZZ');
  t.is(await read(file), 'more\ntext\n');
  t.false((await machine.exec('vi -r')).stdout.includes(file));
});

test('a full disk is told of, the file stays as it was, and the text is still there', async (t) => {
  await using dir = await tempDir();
  const disk = `${dir.path}/disk`;
  if (!(await makeExt4(disk, 8))) return t.pass('no mke2fs on this host');
  await using small = await boot({ disks: [{ file: disk }] });
  const person = await Person.at(small, { cols: 60, rows: 10, cwd: '/mnt/sdC0' });
  await small.exec('cd /mnt/sdC0; echo kept > file; cat /dev/zero > fill');
  await person.type('clear; vi file\r');
  await person.sees('"file" 1L');
  await person.type('yy1000p:w\r');
  await person.sees('No space left on device');
  t.is((await small.exec('cat /mnt/sdC0/file')).stdout, 'kept\n');
  await small.exec('rm /mnt/sdC0/fill');
  await leave(person, ':w\r:q\r');
  t.is((await small.exec('cat /mnt/sdC0/file')).stdout, 'kept\n'.repeat(1001));
});

test('wrong options are refused, and it wants a terminal', async (t) => {
  t.regex((await machine.exec('vi --help')).stdout, /^Usage: vi /);
  const wrong = await machine.exec('vi -y x');
  t.regex(wrong.stderr, /invalid option -- 'y'/);
  t.is((await machine.exec('vi x')).status, 1);
});

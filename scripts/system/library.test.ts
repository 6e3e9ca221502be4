// Claims about the library (index.ts) on whole machines.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type Atoll, boot, MachineGone } from '../../index.ts';

let system: Atoll;
test.before(async () => {
  system = await boot();
});
test.after.always(() => system?.shutdown());

test('exec gives output, errors and the status', async (t) => {
  const result = await system.exec('echo out; echo err >&2; exit 3');
  t.like(result, { stdout: 'out\n', stderr: 'err\n', status: 3, signal: null, timedOut: false });
});

test('exec takes standard input as text, bytes, or pieces', async (t) => {
  async function* pieces() {
    yield 'b\n';
    yield new TextEncoder().encode('a\n');
  }
  t.is((await system.exec('sort', { stdin: 'b\na\n' })).stdout, 'a\nb\n');
  t.is((await system.exec('sort', { stdin: pieces() })).stdout, 'a\nb\n');
  t.is((await system.exec('cat')).stdout, '');
  const bytes = new Uint8Array(1_000_000).map((_, i) => i * 7);
  const { stdout } = await system.exec('cat', { stdin: bytes, encoding: 'buffer' });
  t.deepEqual(Buffer.from(stdout), Buffer.from(bytes));
});

test('a program that does not read its input is no fault', async (t) => {
  const { status } = await system.exec('true', { stdin: 'x'.repeat(1_000_000) });
  t.is(status, 0);
});

test('an input that fails ends the program and rejects', async (t) => {
  async function* broken() {
    yield 'a';
    throw new Error('no more');
  }
  await t.throwsAsync(system.exec('cat', { stdin: broken() }), { message: 'no more' });
});

test('exec has a directory and an environment', async (t) => {
  const { stdout } = await system.exec('pwd; echo $X', { cwd: '/tmp', env: { X: 'y z' } });
  t.is(stdout, '/tmp\ny z\n');
});

test('the end by a signal is told by name', async (t) => {
  t.like(await system.exec('kill -KILL $$'), { status: null, signal: 'SIGKILL' });
});

test('time out kills the whole group', async (t) => {
  const result = await system.exec('sleep 1000 | sleep 1000; echo no', { timeout: 100 });
  t.like(result, { status: null, signal: 'SIGTERM', timedOut: true, stdout: '' });
});

test('a script that ignores SIGTERM is killed all the same', async (t) => {
  // Long enough for the trap to be set before the signal comes, however busy the host is.
  const result = await system.exec('trap "" TERM; sleep 1000', { timeout: 3000 });
  t.like(result, { signal: 'SIGKILL', timedOut: true });
});

test('abort kills and rejects with the reason', async (t) => {
  const controller = new AbortController();
  const running = system.exec('sleep 1000', { signal: controller.signal });
  controller.abort(new Error('enough'));
  await t.throwsAsync(running, { message: 'enough' });
});

test('twenty scripts at once, each with its own streams', async (t) => {
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) => system.exec(`cat; echo ${i}`, { stdin: `in ${i}\n` })),
  );
  t.deepEqual(
    results.map((r) => r.stdout),
    results.map((_, i) => `in ${i}\n${i}\n`),
  );
});

test('spawn streams while the program runs', async (t) => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* input() {
    yield 'one\n';
    await gate;
    yield 'two\n';
  }
  const child = await system.spawn('/bin/cat', [], { stdin: input() });
  let seen = '';
  for await (const piece of child.stdout) {
    seen += new TextDecoder().decode(piece);
    release();
  }
  t.is(seen, 'one\ntwo\n');
  t.like(await child.exit, { status: 0 });
});

test('the default disk is a real ext4 volume', async (t) => {
  t.regex(await system.fs.readFile('/mnt/sdC0/README', 'utf8'), /real ext4 volume/);
  t.is((await system.fs.stat('/mnt/sdC0/data/same-numbers')).nlink, 2);
  t.is(await system.fs.readlink('/mnt/sdC0/poem'), 'docs/poem');
});

test('the log is kept', (t) => {
  t.true(system.log.some((line) => line.includes('sdC0: mounted at /mnt/sdC0')));
});

test('machines do not see each other', async (t) => {
  await using other = await boot({ disks: [] });
  await other.fs.writeFile('/tmp/only-here', 'x');
  await t.throwsAsync(system.fs.stat('/tmp/only-here'), { code: 'ENOENT' });
});

test('an image that one machine writes is refused to the next, with the reason', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'atoll-library-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'a.img');
  writeFileSync(file, new Uint8Array(1 << 20));
  await using first = await boot({ disks: [{ file }] });
  await using second = await boot({ disks: [{ file }] });
  t.true(second.log.some((line) => /sdC0: .*attached read-write already/.test(line)));
  t.false(first.log.some((line) => /attached read-write already/.test(line)));
});

test('after shutdown no worker is left and every call says so', async (t) => {
  const own = await boot({ disks: [] });
  const running = own.exec('echo started; sleep 1000', { onStdout: () => void own.shutdown() });
  const end = await running.catch((error: unknown) => error);
  if (!(end instanceof MachineGone)) t.like(end, { stdout: 'started\n', signal: 'SIGTERM' });
  await own.shutdown();
  t.deepEqual(own.machine.poweredSeats, []);
  await t.throwsAsync(own.exec('true'), { instanceOf: MachineGone });
  await t.throwsAsync(own.fs.readFile('/etc/passwd'), { instanceOf: MachineGone });
  await own.shutdown();
});

test('a machine whose power is cut rejects what was under way', async (t) => {
  const own = await boot({ disks: [] });
  const waiting = own.exec('sleep 1000');
  await own.machine.powerOff();
  await t.throwsAsync(waiting, { instanceOf: MachineGone, message: /power was cut/ });
});

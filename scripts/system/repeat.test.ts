// Repeatable runs of the whole machine: a seed gives the same run however busy the host is.

import { spawn } from 'node:child_process';
import test from 'ava';
import { atoll } from '../testing/machine.ts';

/** Pipes, files on ext4, a background job, timers, randomness, the clock. */
const SCRIPT = `
cd /mnt/sdC0
(seq 1 3000 | sort -n | tail -n 3; sleep .2; echo background) &
for i in 1 2 3; do mkdir d$i; seq 1 200 > d$i/f; cp d$i/f d$i/g; mv d$i/g d$i/h; done
sync
find . | sort | head -n 20
rm -r d1
date
head -c 8 /dev/urandom | od -An -tx1
mktemp -u
wait`;

const RUNS = Number(process.env['ATOLL_RUNS'] ?? 4);

/** A program that computes beside us. */
function load(): Disposable {
  const busy = spawn(process.execPath, ['-e', 'for (;;) Math.sqrt(Math.random())']);
  return { [Symbol.dispose]: () => void busy.kill('SIGKILL') };
}

const run = async (...options: readonly string[]) => {
  const { stdout, stderr, status } = await atoll([...options, '--hash', '-c', SCRIPT]);
  return { stdout, status, hash: /hash ([0-9a-f]{16})$/m.exec(stderr)?.[1] ?? stderr };
};

test.serial('a seed gives the same run, idle or busy', async (t) => {
  const idle = await run('--seed', '7');
  t.regex(idle.hash, /^[0-9a-f]{16}$/);
  t.regex(idle.stdout, /^Thu Jan {2}1 00:00:0\d UTC 2026$/m);
  using _ = load();
  const busy = await Promise.all(Array.from({ length: RUNS - 1 }, () => run('--seed', '7')));
  for (const one of busy) t.deepEqual(one, idle);
});

test.serial('another seed and another strategy give other runs', async (t) => {
  const runs = await Promise.all([
    run('--seed', '7'),
    run('--seed', '8'),
    run('--seed', '7', '--strategy', 'priority'),
    run('--seed', '7', '--strategy', 'robin'),
  ]);
  t.is(new Set(runs.map(({ hash }) => hash)).size, 4);
  t.deepEqual(new Set(runs.map(({ status }) => status)), new Set([0]));
});

test.serial('when all wait for each other it is told who for what, and the run ends', async (t) => {
  const { status, stderr } = await atoll(['--seed', '7', '-c', 'sleep 1000; kill -STOP $$']);
  t.is(status, 1);
  t.regex(stderr, /^atoll: the machine is gone: deadlock: all wait for each other$/m);
  t.regex(stderr, /^ {2}kernel \(seat 1\): call wait of host\[1\] waits in 'wait'$/m);
  t.regex(stderr, /^ {2}kernel \(seat 1\): call kill of sh\[\d+\] waits in 'stopped'$/m);
  t.regex(stderr, /^ {2}process \(seat \d+\): waits for its call kill$/m);
});

// A trace of a whole machine: one call can be followed through every layer, the file is whole at any
// moment, and the summary divides a call's time.

import { join } from 'node:path';
import test from 'ava';
import { boot } from '../../index.ts';
import { atoll, startAtoll, tempDir } from '../testing/machine.ts';
import {
  badNesting,
  type ChromeEvent,
  type ChromeTrace,
  loose,
  parseTrace,
  trackNames,
} from '../testing/trace-file.ts';

const BIG = '/mnt/sdC0/big';

async function tracedRun(file: string): Promise<ChromeTrace> {
  await using os = await boot({ trace: file });
  await os.exec(`head -c 1000000 /dev/zero > ${BIG}; sync; echo 3 > /proc/sys/vm/drop_caches`);
  await os.exec(`dd if=${BIG} of=/dev/null bs=4096 skip=100 count=1; touch /mnt/sdC0/new`);
  await os.shutdown();
  return parseTrace(file);
}

/** The events of the flow of the call, made by read(2), for which the disk moved something. */
function coldRead({ traceEvents }: ChromeTrace): readonly ChromeEvent[] {
  const dma = new Set(
    traceEvents.filter(({ name }) => name === 'dma').map((e) => e.args?.['flow']),
  );
  const reads = traceEvents.filter(
    ({ ph, name, pid }) => ph === 'B' && name === 'load' && pid === 1,
  );
  const flow = reads.findLast(({ args }) => dma.has(args?.['flow']))?.args?.['flow'];
  const ofFlow = (e: ChromeEvent) => e.args?.['flow'] === flow || e.id === String(flow);
  return flow === undefined ? [] : traceEvents.filter(ofFlow).sort((a, b) => a.ts - b.ts);
}

test('one cold read is followed from the process to the medium and back', async (t) => {
  await using dir = await tempDir();
  const trace = await tracedRun(join(dir.path, 'trace.json'));
  t.is(trace.otherData.lost, 0);
  t.deepEqual(badNesting(trace), []);
  t.deepEqual(loose(trace), []);

  const workers = trackNames(trace, 1);
  for (const name of ['board', 'kernel', 'driver', 'volume sdC0']) t.true(workers.includes(name));
  const processes = trackNames(trace, 2);
  for (const name of ['host [1]', 'dd']) t.true(processes.some((one) => one.startsWith(name)));

  const events = coldRead(trace);
  const names = events.map(({ name }) => name);
  const way = ['load', 'publish', 'take', 'call load', 'page miss', '9p Tread', 'publish', 'take'];
  const below = ['transaction', '9p Tread', 'serve Tread', 'block read', 'issue', 'dma'];
  let from = 0;
  for (const name of [...way, ...below]) {
    const at = names.indexOf(name, from);
    t.not(at, -1, `${name} behind ${names.slice(0, from).join(', ')}`);
    from = Math.max(from, at);
  }
  const seats = new Set(events.filter(({ ph, pid }) => ph === 't' && pid === 1).map((e) => e.tid));
  t.true(seats.size >= 3, 'arrows lead through kernel, volume and driver');
  t.is(events.filter(({ ph }) => ph === 's').length, 1);
  t.is(events.filter(({ ph }) => ph === 'f').length, 1);

  const { stdout } = await atoll(['--trace-summary', join(dir.path, 'trace.json'), 'load']);
  t.regex(stdout, /^load: \d+ calls of 6 hops and 1 transfers, median [\d.]+ µs$/m);
  t.regex(stdout, /volume sdC0 → driver: hand-off$/m);
});

test('the file is whole when the power is cut', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'trace.json');
  const os = await boot({ trace: file });
  await os.exec('ls /');
  await os.machine.powerOff();
  const trace = await parseTrace(file);
  t.deepEqual(badNesting(trace), []);
  t.true(trace.traceEvents.some(({ name }) => name === 'getdents'));
});

test('the file is whole when the command is killed', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'trace.json');
  const child = startAtoll(['--trace', file, '-c', 'echo on; while true; do ls /; done']);
  let told = 0; // bytes: by then it is busy
  for await (const bytes of child.stdout ?? []) {
    told += bytes.length;
    if (told > 2000) break;
  }
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  t.true((await parseTrace(file)).traceEvents.length > 100);
});

test('a trace that cannot be written is said so, and nothing is booted', async (t) => {
  const ran = await atoll(['--trace', '/no/such/trace.json', '-c', 'echo hi']);
  t.is(ran.stdout, '');
  t.is(ran.stderr, 'atoll: /no/such/trace.json: no such file or directory\n');
  t.is(ran.status, 1);
});

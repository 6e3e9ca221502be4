// Claims about the board with a kernel of the test's own: power, rings, the console, every end.

import test, { type ExecutionContext } from 'ava';
import { HostCalls, MachineGone } from '../../host/calls.ts';
import { ENOENT, PosixError } from '../../kernel/abi/errno.ts';
import { SYS } from '../../kernel/abi/syscall.ts';
import type { ConsoleSink } from './console.ts';
import { type Machine, powerUp } from './machine.ts';

const built = (name: string): string => new URL(`./testing/${name}.js`, import.meta.url).href;

interface Rig {
  readonly machine: Machine;
  readonly calls: HostCalls;
  /** Resolves with the first line of the log that holds `text`. */
  readonly logged: (text: string) => Promise<string>;
}

async function powered(
  t: ExecutionContext,
  more: { process?: string; memBytes?: number; console?: ConsoleSink } = {},
): Promise<Rig> {
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  const { process = 'idle-role', ...options } = more;
  const kernel = built('fake-kernel');
  const idle = built('idle-role');
  const machine = powerUp({
    modules: { kernel, driver: idle, volume: idle, process: built(process) },
    bootArchive: new Uint8Array(100),
    onLog: (line) => {
      lines.push(line);
      for (const wake of waiting.splice(0)) wake();
    },
    ...options,
  });
  t.teardown(() => machine.powerOff());
  await machine.booted;
  const logged = async (text: string): Promise<string> => {
    for (;;) {
      const line = lines.find((one) => one.includes(text));
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { machine, calls: new HostCalls(machine), logged };
}

test('calls of the host overtake each other, and each gets its own answer', async (t) => {
  const { calls } = await powered(t);
  const order: number[] = [];
  const sleeps = [60, 5, 30].map(async (ms) => {
    order.push((await calls.call({ number: SYS.sleep, args: [ms], waits: true })).r0);
  });
  await Promise.all(sleeps);
  t.deepEqual(order, [5, 30, 60]);
});

test('a thousand calls at once, with data, all come back whole', async (t) => {
  const { calls } = await powered(t);
  const replies = await Promise.all(
    Array.from({ length: 1000 }, (_, i) =>
      calls.call({ number: SYS.write, data: new Uint8Array(4000).fill(i % 251, 0, 2000) }),
    ),
  );
  replies.forEach(({ data }, i) => {
    t.is(data.length, 4000);
    t.true(data.subarray(2000).every((byte) => byte === i % 251));
  });
});

test('calls that wait for ever leave room for others', async (t) => {
  const { calls } = await powered(t, { memBytes: 16 * 1024 * 1024 });
  const room = calls.pieceSize;
  for (let i = 0; i < 500; i++) {
    calls.call({ number: SYS.wait, room, waits: true }).catch(() => {});
  }
  const { r0 } = await calls.call({ number: SYS.write, data: new Uint8Array(200_000) });
  t.is(r0, 200_000);
});

test('an errno of the kernel is a PosixError', async (t) => {
  const { calls } = await powered(t);
  const error = await t.throwsAsync(calls.call({ number: SYS.open, args: [ENOENT] }), {
    instanceOf: PosixError,
  });
  t.is(error?.errno, ENOENT);
});

test('a worker that throws is reported with its stack', async (t) => {
  const { logged } = await powered(t, { process: 'broken-role' });
  const line = await logged('broken on purpose');
  t.regex(line, /broken-role\.js/);
});

test('a worker that is switched off is gone without a word, and its seat can be used again', async (t) => {
  const { calls, logged, machine } = await powered(t);
  const seat = 40;
  await calls.call({ number: SYS.spawn, args: [seat] });
  await calls.call({ number: SYS.kill, args: [seat] });
  t.is(await logged(`${seat}: `), `${seat}: `);
  await calls.call({ number: SYS.spawn, args: [seat] });
  await calls.call({ number: SYS.write, data: new Uint8Array(1) });
  t.true(machine.poweredSeats.includes(seat));
});

test('a kernel that throws ends the machine: every call rejects with its stack', async (t) => {
  const { calls, machine } = await powered(t);
  const waiting = calls.call({ number: SYS.wait, waits: true });
  calls.call({ number: SYS.exit }).catch(() => {});
  await t.throwsAsync(waiting, { instanceOf: MachineGone, message: /the kernel broke/ });
  t.regex(await machine.ended, /fake-kernel/);
  await t.throwsAsync(calls.call({ number: SYS.sync }), { instanceOf: MachineGone });
  t.deepEqual(machine.poweredSeats, []);
});

test('a halted machine has no worker left', async (t) => {
  const { calls, machine } = await powered(t);
  calls.call({ number: SYS.shutdown }).catch(() => {});
  t.is(await machine.ended, '');
  t.deepEqual(machine.poweredSeats, []);
});

test('keys reach the kernel, and its bytes the terminal when that is ready again', async (t) => {
  let ready = false;
  let resume = (): void => {};
  const shown: Uint8Array[] = [];
  const all = Buffer.from('key '.repeat(5000));
  let done = (): void => {};
  const complete = new Promise<void>((resolve) => {
    done = resolve;
  });
  const { machine } = await powered(t, {
    console: {
      ready: () => ready,
      onReady: (call) => {
        resume = call;
        return () => {};
      },
      write: (bytes) => {
        shown.push(bytes);
        if (Buffer.concat(shown).length === all.length) done();
      },
    },
  });
  await machine.keys(all);
  t.is(shown.length, 0);
  ready = true;
  resume();
  await complete;
  t.deepEqual(Buffer.concat(shown), all);
});

test('memory that no board has is refused', (t) => {
  const modules = { kernel: '', driver: '', volume: '', process: '' };
  const memory = (memBytes: number) => () =>
    powerUp({ modules, bootArchive: new Uint8Array(0), memBytes });
  t.throws(memory(1024), { message: /16 to 4096 MiB/ });
  t.throws(memory(2 ** 40), { message: /16 to 4096 MiB/ });
  t.throws(memory(Number.NaN), { message: /16 to 4096 MiB/ });
});

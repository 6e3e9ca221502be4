// args_*, environ_*, clock_*, random_get, proc_*, sched_yield, sock_*.

import { textSize } from '../../../kernel/abi/text.ts';
import { CLOCK, INVAL, NOTSOCK, refuse, signalOf } from '../abi.ts';
import { ProcExit, type Wasi, type WasiCalls } from '../wasi.ts';

/** Nanoseconds between two ticks of the board's clock. */
const RESOLUTION_NS = 1000n;
const NS_PER_MS = 1e6;
/** Bytes of randomness at a time. */
const RANDOM_PIECE = 65_536;

export const processCalls: WasiCalls = {
  args_sizes_get: ({ sys, memory }: Wasi, count: number, size: number) => {
    putSizes(memory, sys.argv, { count, size });
  },
  args_get: ({ sys, memory }: Wasi, pointers: number, data: number) => {
    memory.putStrings(sys.argv, pointers, data);
  },
  environ_sizes_get: ({ sys, memory }: Wasi, count: number, size: number) => {
    putSizes(memory, environment(sys), { count, size });
  },
  environ_get: ({ sys, memory }: Wasi, pointers: number, data: number) => {
    memory.putStrings(environment(sys), pointers, data);
  },
  clock_res_get: ({ memory }: Wasi, clock: number, result: number) => {
    if (!(clock >= CLOCK.realtime && clock <= CLOCK.threadCputime)) refuse(INVAL);
    memory.setU64(result, RESOLUTION_NS);
  },
  clock_time_get: ({ sys, memory }: Wasi, clock: number, _precision: bigint, result: number) => {
    memory.setU64(result, timeOf(sys, clock));
  },
  random_get: ({ sys, memory }: Wasi, pointer: number, length: number) => {
    const bytes = memory.bytes(pointer, length);
    for (let at = 0; at < bytes.length; at += RANDOM_PIECE) {
      sys.getrandom(bytes.subarray(at, at + RANDOM_PIECE));
    }
  },
  proc_exit: (_wasi: Wasi, status: number) => {
    throw new ProcExit(status & 0xff);
  },
  proc_raise: ({ sys }: Wasi, signal: number) => {
    if (!(signal >= 0 && signal <= 30)) refuse(INVAL);
    sys.kill(sys.getpid(), signalOf(signal));
  },
  sched_yield: ({ sys }: Wasi) => {
    sys.sleep(0);
  },
  sock_accept: ({ files }: Wasi, fd: number) => noSocket(files, fd),
  sock_recv: ({ files }: Wasi, fd: number) => noSocket(files, fd),
  sock_send: ({ files }: Wasi, fd: number) => noSocket(files, fd),
  sock_shutdown: ({ files }: Wasi, fd: number) => noSocket(files, fd),
};

function noSocket(files: Wasi['files'], fd: number): never {
  files.get(fd);
  return refuse(NOTSOCK);
}

const environment = (sys: Wasi['sys']): string[] => [...sys.env].map(([k, v]) => `${k}=${v}`);

function putSizes(
  memory: Wasi['memory'],
  strings: readonly string[],
  to: { count: number; size: number },
): void {
  memory.setU32(to.count, strings.length);
  memory.setU32(
    to.size,
    strings.reduce((sum, string) => sum + textSize(string) + 1, 0),
  );
}

/** Nanoseconds of a clock. */
export function timeOf(sys: Wasi['sys'], clock: number): bigint {
  if (clock === CLOCK.realtime) {
    const { sec, nsec } = sys.now();
    return BigInt(sec) * 1_000_000_000n + BigInt(nsec);
  }
  if (clock === CLOCK.monotonic) return BigInt(Math.floor(sys.monotonicMs() * NS_PER_MS));
  if (clock !== CLOCK.processCputime && clock !== CLOCK.threadCputime) refuse(INVAL);
  const { userMs, systemMs } = sys.resources.getrusage('self');
  return BigInt(Math.floor((userMs + systemMs) * NS_PER_MS));
}

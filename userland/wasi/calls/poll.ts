// poll_oneoff: waits for the first of several clocks and descriptors.

import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '../../../kernel/abi/constants.ts';
import { CLOCK, EVENT, INVAL, RIGHT, refuse, WasiError } from '../abi.ts';
import type { Wasi, WasiCalls } from '../wasi.ts';
import { timeOf } from './process.ts';

const SUBSCRIPTION_SIZE = 48;
const EVENT_SIZE = 32;
const ABSTIME = 1;
const HANGUP = 1;
const MOST = 4096;
const NS_PER_MS = 1e6;
/** How much can be moved at once is not known; it is not nothing. */
const SOME = 1n;

interface Subscription {
  readonly userdata: bigint;
  readonly tag: number;
  /** Of a clock: when, in milliseconds from now. */
  readonly inMs: number;
  readonly fd: number;
  /** It cannot be waited for: this is what it is told. */
  readonly errno: number;
}

export const pollCalls: WasiCalls = {
  poll_oneoff: (wasi: Wasi, from: number, to: number, count: number, result: number) => {
    const { memory } = wasi;
    if (count === 0 || count >>> 0 > MOST) refuse(INVAL);
    memory.bytes(from, count * SUBSCRIPTION_SIZE);
    memory.bytes(to, count * EVENT_SIZE);
    memory.u32(result);
    const subscriptions = Array.from({ length: count }, (_, i) =>
      subscription(wasi, (from >>> 0) + i * SUBSCRIPTION_SIZE),
    );
    const events = wait(wasi, subscriptions);
    events.forEach((event, i) => {
      putEvent(memory, (to >>> 0) + i * EVENT_SIZE, event);
    });
    memory.setU32(result, events.length);
  },
};

function subscription({ sys, files, memory }: Wasi, at: number): Subscription {
  const userdata = memory.u64(at);
  const tag = memory.u8(at + 8);
  if (tag === EVENT.clock) {
    const clock = memory.u32(at + 16);
    const value = memory.u64(at + 24);
    const flags = memory.u16(at + 40);
    if (clock > CLOCK.monotonic) return { userdata, tag, inMs: 0, fd: -1, errno: INVAL };
    const ns = flags & ABSTIME ? value - timeOf(sys, clock) : value;
    return { userdata, tag, inMs: Math.max(0, Number(ns) / NS_PER_MS), fd: -1, errno: 0 };
  }
  if (tag !== EVENT.fdRead && tag !== EVENT.fdWrite) refuse(INVAL);
  const rest = { userdata, tag, inMs: Number.POSITIVE_INFINITY };
  try {
    const right = tag === EVENT.fdRead ? RIGHT.fdRead : RIGHT.fdWrite;
    return {
      ...rest,
      fd: files.get(memory.u32(at + 16), RIGHT.pollFdReadwrite | right).fd,
      errno: 0,
    };
  } catch (error) {
    if (error instanceof WasiError) return { ...rest, fd: -1, errno: error.errno };
    throw error;
  }
}

interface Event {
  readonly from: Subscription;
  readonly nbytes: bigint;
  readonly flags: number;
}

/** What has happened when the first of them has. */
function wait({ sys }: Wasi, subscriptions: readonly Subscription[]): Event[] {
  const wrong = subscriptions.filter(({ errno }) => errno !== 0);
  const firstMs = Math.min(...subscriptions.map(({ inMs }) => inMs));
  const entries = subscriptions
    .filter(({ fd }) => fd >= 0)
    .map((one) => ({ fd: one.fd, events: one.tag === EVENT.fdRead ? POLLIN : POLLOUT, one }));
  const timeoutMs = wrong.length > 0 ? 0 : Number.isFinite(firstMs) ? firstMs : -1;
  const polled = sys.poll(entries, timeoutMs > 0 ? Math.ceil(timeoutMs) : timeoutMs);
  const ready = polled.flatMap(({ revents }, i): Event[] => {
    const from = entries[i]?.one;
    if (from === undefined || revents === 0) return [];
    const errno = revents & POLLNVAL ? INVAL : 0;
    const flags = revents & (POLLHUP | POLLERR) ? HANGUP : 0;
    return [{ from: { ...from, errno }, nbytes: SOME, flags }];
  });
  const told = [...wrong.map((from) => ({ from, nbytes: 0n, flags: 0 })), ...ready];
  if (told.length > 0) return told;
  return subscriptions
    .filter(({ tag, inMs }) => tag === EVENT.clock && inMs <= firstMs)
    .map((from) => ({ from, nbytes: 0n, flags: 0 }));
}

function putEvent(memory: Wasi['memory'], at: number, { from, nbytes, flags }: Event): void {
  memory.bytes(at, EVENT_SIZE).fill(0);
  memory.setU64(at, from.userdata);
  memory.setU16(at + 8, from.errno);
  memory.setU8(at + 10, from.tag);
  if (from.tag === EVENT.clock) return;
  memory.setU64(at + 16, nbytes);
  memory.setU16(at + 24, flags);
}

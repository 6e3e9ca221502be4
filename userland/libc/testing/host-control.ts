// The part of the test Sys (host-sys.ts) that a run without a terminal has no use for: no descriptor is
// a terminal, nothing is limited, no timer runs.

import { POLLIN, POLLOUT } from '../../../kernel/abi/constants.ts';
import { ENOSYS, ENOTTY, fail } from '../../../kernel/abi/errno.ts';
import type { PollEntry } from '../../../kernel/abi/syscall.ts';
import type { PollRequest, ResourceCalls, Sys, TtyCalls } from '../sys.ts';

const noTerminal = (): never => fail(ENOTTY);

export const hostTty: TtyCalls = {
  getattr: noTerminal,
  setattr: noTerminal,
  flush: noTerminal,
  getpgrp: noTerminal,
  setpgrp: noTerminal,
  getsid: noTerminal,
  getwinsize: noTerminal,
  setwinsize: noTerminal,
  name: noTerminal,
  ptsname: noTerminal,
  acquire: noTerminal,
};

export const hostResources: ResourceCalls = {
  getrlimit: () => ({ soft: Number.POSITIVE_INFINITY, hard: Number.POSITIVE_INFINITY }),
  setrlimit: () => fail(ENOSYS),
  getpriority: () => 0,
  setpriority: () => fail(ENOSYS),
  getrusage: () => ({ userMs: 0, systemMs: 0 }),
  getgroups: () => process.getgroups?.() ?? [],
  setgroups: () => fail(ENOSYS),
  trace: () => fail(ENOSYS),
};

type Control = Pick<
  Sys,
  'getfl' | 'setfl' | 'poll' | 'setsid' | 'getsid' | 'sigprocmask' | 'setitimer'
>;

/** Files are always ready. */
const poll = (entries: readonly PollRequest[]): PollEntry[] =>
  entries.map((entry) => ({ ...entry, revents: entry.events & (POLLIN | POLLOUT) }));

export const hostControl: Control = {
  getfl: () => fail(ENOSYS),
  setfl: () => fail(ENOSYS),
  poll,
  setsid: () => process.pid,
  getsid: () => process.pid,
  sigprocmask: () => 0,
  setitimer: () => fail(ENOSYS),
};

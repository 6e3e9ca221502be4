// Pid 1: the process of the host, the program that booted the machine. It makes system calls like
// any other, many at a time, through a larger window (host/). Signals do not reach it.

import { NSIG } from '../abi/constants.ts';
import type { ProcessConfig } from '../abi/seat-config.ts';
import { Ring } from '../ipc/ring.ts';
import type { Kernel } from '../kernel.ts';
import { takeCall } from '../syscall/dispatch.ts';
import type { Process } from './process.ts';
import type { ProcessSeat } from './workers.ts';

export function adoptHost(kernel: Kernel, config: ProcessConfig): Process {
  const { processes, mounts, clock, dcache, executor, ram } = kernel;
  const cwd = mounts.root;
  const host = processes.addRoot({ name: 'host', cwd, startedMs: clock.monotonicMs() });
  dcache.pin(cwd.dentry);
  host.dispositions.fill('ignore', 0, NSIG);
  const seat: ProcessSeat = {
    seat: 0,
    area: 0,
    requests: new Ring(ram, config.requests),
    replies: new Ring(ram, config.replies),
    windowAt: config.window,
    window: new Uint8Array(ram, config.window, config.windowSize),
    table: undefined,
    process: host,
    readyTag: undefined,
    calls: 0,
    ended: false,
    whenQuiet: [],
    gone: false,
    detach: () => undefined,
  };
  kernel.link.rings.push(
    { name: 'host calls', ring: seat.requests },
    { name: 'host replies', ring: seat.replies },
  );
  executor.consume(seat.requests, () => takeCall(kernel, seat));
  executor.produce(seat.replies);
  return host;
}

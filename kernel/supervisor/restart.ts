// A server's worker is gone: another one takes its place. The same way for a kill, an exception, a hang
// and a device that does not answer; the first start is this without anything to resume. What was
// asked and not answered is asked again by the transport (kernel/ninep/transport-ring.ts).
//
// A server that fails by itself too often is degraded: its volumes become read-only, and when that
// does not help it is given up.

import type { Kernel } from '../kernel.ts';
import { nameOf, type Server } from './server.ts';

const FAILURES_MAX = 10;
const FAILURES_WITHIN_MS = 30_000;

/** Gives the seat a worker; its orders are made here, so that they hold what the kernel knows now. */
export function activate(kernel: Kernel, server: Server): void {
  server.releaseFids();
  server.releaseFids = () => undefined;
  if (server.runHere) {
    server.guest = server.runHere(server);
    return;
  }
  const { spares } = kernel.volumes;
  spares.activate(server.role, server.seat, server.orders(server));
  spares.keep(server.role);
}

/** The worker has ended. False when the server failed too often and is given up. */
export function restart(kernel: Kernel, server: Server, reason: string): boolean {
  const now = kernel.clock.monotonicMs();
  const { cause, why } = server.ending ?? { cause: 'failed', why: reason || 'it ended' };
  server.ending = undefined;
  server.downSinceMs ??= now;
  kernel.log(`${nameOf(server)}: ${cause === 'failed' ? 'died' : 'killed'}: ${why}`);
  if (cause === 'failed' && !survives(kernel, server, now)) return false;
  server.state = 'restarting';
  server.restarts++;
  server.transport.drain();
  for (const ring of server.served) {
    ring.newSession(cause === 'failed' ? 'server failed' : 'ordered');
  }
  for (const ring of server.used) ring.newSession('ordered');
  activate(kernel, server);
  return true;
}

/** Its new worker has answered, and everything that waited is with it. */
export function recovered(kernel: Kernel, server: Server): void {
  kernel.volumes.spares.arrived(server.seat);
  kernel.volumes.spares.refill(); // not before: the cores were needed for this
  server.releaseFids();
  server.releaseFids = () => undefined;
  if (server.state === 'ending') return;
  server.state = 'running';
  if (server.downSinceMs === undefined) return;
  server.lastPauseMs = kernel.clock.monotonicMs() - server.downSinceMs;
  server.downSinceMs = undefined;
  kernel.log(`${nameOf(server)}: runs again after ${server.lastPauseMs.toFixed(1)} ms`);
}

function survives(kernel: Kernel, server: Server, now: number): boolean {
  server.failures = server.failures.filter((at) => now - at < FAILURES_WITHIN_MS);
  server.failures.push(now);
  if (server.failures.length < FAILURES_MAX) return true;
  const often = `${nameOf(server)}: failed ${FAILURES_MAX} times in ${FAILURES_WITHIN_MS / 1000} seconds`;
  if (server.degraded) {
    kernel.log(`${often} again: it is given up, what it served fails with EIO`);
    return false;
  }
  server.degraded = true;
  server.failures = [];
  const volumes = server.role === 'driver' ? kernel.volumes.volumesOf(server) : [server];
  for (const volume of volumes) makeReadOnly(kernel, volume);
  kernel.log(`${often}: ${volumes.map(nameOf).join(', ') || 'nothing'} is read-only from now on`);
  return true;
}

function makeReadOnly(kernel: Kernel, { superblock }: Server): void {
  superblock.readOnly = true;
  for (const mount of kernel.mounts.all) {
    if (mount.superblock === superblock) mount.options = mount.options.replace(/\brw\b/, 'ro');
  }
}

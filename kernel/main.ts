// The kernel: the boot order, readable as a list. main() runs in the kernel's worker until the
// machine halts.

import type { Board, KernelBoard } from './abi/board.ts';
import type { ToKernel } from './abi/board-link.ts';
import { SIGKILL, signalStatus } from './abi/constants.ts';
import { PosixError } from './abi/errno.ts';
import type { KernelConfig } from './abi/seat-config.ts';
import { assemble } from './assemble.ts';
import { BootFs } from './fs/bootfs.ts';
import { devfs } from './fs/devfs.ts';
import { procfs } from './fs/procfs.ts';
import { devpts } from './fs/tty/devpts.ts';
import type { Task } from './ipc/task.ts';
import type { Kernel } from './kernel.ts';
import { startFlusher } from './mm/flusher.ts';
import { adoptHost } from './proc/host.ts';
import { startLoginShell } from './proc/login.ts';
import { end } from './proc/signal.ts';
import { mountDisks } from './supervisor/disks/automount.ts';
import { serveHotPlug } from './supervisor/disks/hot-plug.ts';
import type { Daemons } from './supervisor/in-kernel.ts';
import { localServer, newMemFs, newTmpfs } from './supervisor/local.ts';
import { place } from './supervisor/mounting.ts';
import { bindAt, makeDirectories, mountAt } from './supervisor/root.ts';

/** How long the login shell may have the host's cores before spare workers start. */
const PROMPT_MS = 200;

export function main(board: KernelBoard, config: KernelConfig): void {
  const kernel = assemble(board, config);
  kernel.link.onMessage = (message) => fromBoard(kernel, message);
  kernel.workers.adopt(config.warm.process);
  const load = () => board.loadDaemons() as Daemons;
  kernel.volumes.useInKernel({ workers: config.daemons, load });
  kernel.volumes.spares.adopt('driver', config.warm.driver);
  kernel.volumes.spares.adopt('volume', config.warm.volume);
  kernel.executor.start(boot(kernel, board, config), 'boot');
  kernel.executor.run();
}

function* boot(kernel: Kernel, board: Board, config: KernelConfig): Task<void> {
  try {
    kernel.log(`Atoll: ${config.ramBytes / 2 ** 20} MiB of memory, ${config.cpus} CPUs`);
    const rootfs = yield* newMemFs(kernel, { type: 'ramfs', source: 'ramfs' });
    const at = { on: undefined, target: '/', source: 'ramfs', options: 'rw' };
    place(kernel, rootfs, at);
    adoptHost(kernel, config.host);
    yield* makeDirectories(kernel, ['boot', 'bin', 'dev', 'etc', 'mnt', 'proc', 'root', 'tmp']);
    const { address, length } = config.bootArchive;
    const archive = new BootFs(new Uint8Array(board.ram, address, length));
    const served = { type: 'boot', source: 'boot', volatile: false };
    yield* mountAt(kernel, '/boot', yield* localServer(kernel, archive, served));
    yield* bindAt(kernel, '/boot/bin', '/bin');
    yield* bindAt(kernel, '/boot/etc', '/etc');
    yield* mountAt(kernel, '/tmp', yield* newTmpfs(kernel));
    const proc = { type: 'proc', source: 'proc', volatile: true };
    yield* mountAt(kernel, '/proc', yield* localServer(kernel, procfs(kernel), proc));
    const dev = { type: 'dev', source: 'dev', volatile: false };
    yield* mountAt(kernel, '/dev', yield* localServer(kernel, devfs(kernel), dev));
    const pts = { type: 'devpts', source: 'devpts', volatile: true };
    yield* mountAt(kernel, '/dev/pts', yield* localServer(kernel, devpts(kernel), pts));
    yield* mountDisks(kernel, config);
    serveHotPlug(kernel);
    startFlusher(kernel);
    kernel.log('ready');
    kernel.link.send({ type: 'booted' });
    const sparesAfterMs = config.interactive ? PROMPT_MS : 0;
    kernel.executor.after(sparesAfterMs, () => kernel.workers.startSpares());
    if (config.interactive) yield* startLoginShell(kernel);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    kernel.link.send({ type: 'halted', text: `cannot boot: ${what}`, status: 1 });
    if (!(error instanceof PosixError)) throw error;
  }
}

function fromBoard(kernel: Kernel, message: ToKernel): void {
  const { console } = kernel.terminals;
  if (message.type === 'console') console.input(message.bytes);
  else if (message.type === 'winsize') {
    console.resize({ columns: message.columns, rows: message.rows });
  } else if (message.type === 'replugged') kernel.disks.replugged(message);
  else seatGone(kernel, message.seat, message.text);
}

/** A worker ended. A process that did not say so itself dies with it. */
function seatGone(kernel: Kernel, seat: number, reason: string): void {
  if (kernel.volumes.gone(kernel, seat, reason)) return;
  const process = kernel.workers.gone(seat);
  if (process === undefined || process.dead) return;
  kernel.log(`${process.name}[${process.pid}]: worker died: ${reason}`);
  end(kernel, process, signalStatus(SIGKILL));
}

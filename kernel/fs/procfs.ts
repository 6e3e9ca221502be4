// /proc: what the kernel knows, as text. The formats follow proc(5) where Linux has the file.

import { EINVAL, fail } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { decodeText } from '../abi/text.ts';
import type { Kernel } from '../kernel.ts';
import { type TreeNode, TreeServer } from '../ninep/tree.ts';
import type { Process } from '../proc/process.ts';
import { nameOf } from '../supervisor/server.ts';
import type { Caller } from './caller.ts';
import { diskstats } from './proc-disks.ts';
import { counters, hops, ipc } from './proc-ipc.ts';

const PROC_MAGIC = 0x9fa0;

type Node = TreeNode<Caller>;

const text = (name: string, read: (caller: Caller) => string): Node => ({
  name,
  mode: 0o444,
  text: read,
});

export function procfs(kernel: Kernel): TreeServer<Caller> {
  const fixed: Node[] = [
    text('mounts', () => mounts(kernel)),
    text('meminfo', () => meminfo(kernel)),
    text('uptime', () => uptime(kernel)),
    text('ipc', () => ipc(kernel)),
    text('hops', () => hops(kernel)),
    text('counters', () => counters(kernel)),
    text('diskstats', () => diskstats(kernel)),
    text('servers', () => servers(kernel)),
    text(
      'filesystems',
      () => 'nodev\tramfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdev\nnodev\tdevpts\n\text4\n',
    ),
    text('kmsg', () => kernel.klog.text()),
    text('version', () => 'Atoll version 0.1.0 (TypeScript)\n'),
    text('loadavg', () => `0.00 0.00 0.00 ${kernel.cpus.busy}/${kernel.processes.all.length} 0\n`),
    {
      name: 'self',
      mode: 0o120777,
      link: (caller) => String(caller.pid),
    },
    {
      name: 'sys',
      mode: 0o555,
      children: [{ name: 'vm', mode: 0o555, children: [dropCaches(kernel)] }],
    },
  ];
  const root: Node = {
    name: '',
    mode: 0o555,
    children: () => [...fixed, ...kernel.processes.all.map((p) => directoryOf(kernel, p))],
    lookup: (_caller, name) => {
      const node = fixed.find((one) => one.name === name);
      if (node || !/^[1-9][0-9]{0,5}$/.test(name)) return node;
      const process = kernel.processes.find(Number(name));
      return process && directoryOf(kernel, process);
    },
  };
  return new TreeServer(root, { now: () => kernel.clock.wallclock(), magic: PROC_MAGIC });
}

function directoryOf(kernel: Kernel, process: Process): Node {
  return {
    name: String(process.pid),
    mode: 0o555,
    uid: process.uid,
    gid: process.gid,
    incarnation: process.startedMs,
    children: [
      text('status', () => status(kernel, process)),
      text('cmdline', () => process.argv.map((word) => `${word}\0`).join('')),
      text('comm', () => `${process.name}\n`),
      {
        name: 'cwd',
        mode: 0o120777,
        link: () => kernel.mounts.name(process.cwd) ?? '(deleted)',
      },
      {
        name: 'fd',
        mode: 0o500,
        children: () =>
          process.descriptors.flatMap((d, fd) =>
            d
              ? [{ name: String(fd), mode: 0o120777, link: () => targetOf(kernel, process, fd) }]
              : [],
          ),
      },
    ],
  };
}

function targetOf(kernel: Kernel, process: Process, fd: number): string {
  const file = process.descriptors[fd]?.file;
  if (file?.stream?.label) return file.stream.label;
  return (file?.path && kernel.mounts.name(file.path)) ?? '(deleted)';
}

function stateOf(kernel: Kernel, process: Process): string {
  if (process.dead) return 'Z (zombie)';
  if (process.server) return 'S (server)';
  if (process.stopSignal !== 0) return 'T (stopped)';
  return kernel.cpus.holds(process) ? 'R (running)' : 'S (sleeping)';
}

function status(kernel: Kernel, process: Process): string {
  const descriptors = process.descriptors.filter((d) => d !== undefined).length;
  const since = (process.startedMs / 1000).toFixed(2);
  const lines = [
    `Name:\t${process.name}`,
    `Umask:\t${process.umask.toString(8).padStart(4, '0')}`,
    `State:\t${stateOf(kernel, process)}`,
    `Pid:\t${process.pid}`,
    `PPid:\t${process.parent?.pid ?? 0}`,
    `Pgid:\t${process.pgid}`,
    `Sid:\t${process.sid}`,
    `Tty:\t${kernel.terminals.ofSession(process.sid)?.name ?? '?'}`,
    `Uid:\t${process.uid}\t${process.uid}\t${process.uid}\t${process.uid}`,
    `Gid:\t${process.gid}\t${process.gid}\t${process.gid}\t${process.gid}`,
    `Groups:\t${process.groups.join(' ')}`,
    `FDSize:\t${descriptors}`,
    `Started:\t${since}`,
    `Nice:\t${process.nice}`,
    `UserMs:\t${Math.round(kernel.cpus.usedMs(process))}`,
    `SystemMs:\t${Math.round(process.systemMs)}`,
    `Calls:\t${process.calls}`,
    `Answered:\t${process.table?.answered ?? 0}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** As fstab(5): blanks in names as octal. */
const escaped = (name: string): string =>
  name.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);

const mounts = (kernel: Kernel): string =>
  kernel.mounts.all
    .map(({ source, target, superblock, options }) =>
      [escaped(source), escaped(target), superblock.type, options, '0', '0\n'].join(' '),
    )
    .join('');

function meminfo(kernel: Kernel): string {
  const kb = (pages: number): string => `${String((pages * PAGE_SIZE) / 1024).padStart(8)} kB\n`;
  const { frames, pages } = kernel;
  return [
    `MemTotal:     ${kb(frames.total)}`,
    `MemFree:      ${kb(frames.free)}`,
    `MemAvailable: ${kb(frames.free + pages.count - pages.dirtyPages)}`,
    `Cached:       ${kb(pages.count)}`,
    `Dirty:        ${kb(pages.dirtyPages)}`,
    `Grants:       ${String(kernel.grants.inUse).padStart(8)}\n`,
  ].join('');
}

function uptime(kernel: Kernel): string {
  const seconds = kernel.clock.monotonicMs() / 1000;
  const busy = kernel.processes.all.reduce((sum, p) => sum + kernel.cpus.usedMs(p) / 1000, 0);
  return `${seconds.toFixed(2)} ${Math.max(0, seconds - busy).toFixed(2)}\n`;
}

/** Every server in a worker of its own. `queue`: sent and not taken; `flight`: not answered. */
function servers(kernel: Kernel): string {
  const head = [
    'name',
    'pid',
    'state',
    'queue',
    'flight',
    'fids',
    'requests',
    'restarts',
    'pause',
    'seat',
  ];
  const rows = kernel.volumes.servers.map((server) => {
    const { process, superblock, transport, restarts, lastPauseMs, seat } = server;
    const state = server.runHere && server.state === 'running' ? 'direct' : server.state;
    const [requests] = server.rings;
    const queued = requests?.ring.queued ?? 0;
    const total = requests?.ring.total ?? 0;
    const { fidsInUse } = superblock.client;
    const numbers = [
      queued,
      transport.inFlight,
      fidsInUse,
      total,
      restarts,
      lastPauseMs.toFixed(1),
      seat,
    ];
    return [nameOf(server), process?.pid ?? '-', state, ...numbers].map(String);
  });
  const widths = [20, 5, 10, 5, 6, 5, 8, 8, 8, 4];
  const line = (words: readonly string[]): string =>
    words
      .map((word, i) => word.padEnd(widths[i] ?? 0))
      .join(' ')
      .trimEnd();
  return `${[head, ...rows].map(line).join('\n')}\n`;
}

/** Writing 1 or 3 forgets clean pages, 2 or 3 unused names (Linux's vm.drop_caches). */
function dropCaches(kernel: Kernel): Node {
  return {
    name: 'drop_caches',
    mode: 0o200,
    write: (_caller, _offset, from) => {
      const what = Number(decodeText(from.slice()).trim());
      if (!(what >= 1 && what <= 3)) fail(EINVAL);
      if (what & 1) kernel.pages.dropClean();
      if (what & 2) for (const { root } of kernel.mounts.all) kernel.dcache.prune(root);
      return from.length;
    },
  };
}

// Faults at system calls: what a rule on `sys.CALL` does to a call before, or instead of, its
// handler. docs/faults.md tells the meanings.

import { SIGSEGV, signalStatus } from '../abi/constants.ts';
import { EINTR, fail } from '../abi/errno.ts';
import { SYS, type SyscallName } from '../abi/syscall.ts';
import { decodeText } from '../abi/text.ts';
import type { Firing } from '../ipc/fault/firing.ts';
import type { FaultGate, FaultPoint } from '../ipc/fault/gate.ts';
import { type Task, WaitQueue } from '../ipc/task.ts';
import { end } from '../proc/signal.ts';
import type { Handler, Request, Result } from '../syscall/dispatch.ts';
import type { Call } from '../vfs/call.ts';

/** Calls whose data begins with a path. */
const WITH_PATH: ReadonlySet<SyscallName> = new Set([
  ...([
    'open',
    'stat',
    'lstat',
    'statfs',
    'mkdir',
    'rmdir',
    'link',
    'symlink',
    'readlink',
  ] as const),
  ...(['unlink', 'rename', 'truncate', 'chmod', 'chown', 'utimens', 'access', 'mknod'] as const),
  ...(['getxattr', 'setxattr', 'listxattr', 'removexattr', 'chdir', 'umount'] as const),
]);
const FAULT_DIRECTORY = '/dev/fault';
const READS: ReadonlySet<SyscallName> = new Set(['read', 'pread', 'getdents']);
const WRITES: ReadonlySet<SyscallName> = new Set(['write', 'pwrite']);

/** The points of all calls, by number. */
export class SysPoints {
  readonly #points: (FaultPoint | undefined)[] = [];
  readonly #names: (SyscallName | undefined)[] = [];
  readonly #gate: FaultGate;

  constructor(gate: FaultGate) {
    this.#gate = gate;
    for (const [name, number] of Object.entries(SYS)) {
      this.#points[number] = gate.point('sys', name);
      this.#names[number] = name as SyscallName;
    }
  }

  /** Whether any rule listens at system calls, or at what they allocate. */
  get armed(): boolean {
    return this.#gate.listens('sys', 'alloc');
  }

  *#quietly(call: Call, request: Request, handler: Handler): Task<Result> {
    this.#gate.quiet++;
    try {
      return yield* handler(call, request);
    } finally {
      this.#gate.quiet--;
    }
  }

  /** Runs a call with what fires at it. */
  *serve(call: Call, request: Request, handler: Handler): Task<Result> {
    const name = this.#names[request.number];
    if (name && concernsFaults(call, request, name))
      return yield* this.#quietly(call, request, handler);
    const firing = name && this.#points[request.number]?.hit(hitOf(call, request, name));
    if (name === undefined || firing === undefined) return yield* handler(call, request);
    return yield* act(call, { request, handler, firing, name });
  }
}

/** Whether the call is on a file of /dev/fault: what switches faults off must not fail by them. */
function concernsFaults({ process }: Call, { args, data }: Request, name: SyscallName): boolean {
  if (name === 'open') return decodeText(data.slice()).startsWith(`${FAULT_DIRECTORY}/`);
  const file = WITH_PATH.has(name) ? undefined : process.descriptors[args[0] ?? -1]?.file;
  const parent = file?.path?.dentry.parent;
  return parent?.name === 'fault' && parent.inode?.superblock.type === 'dev';
}

function hitOf({ process }: Call, { args, data }: Request, name: SyscallName) {
  const path = WITH_PATH.has(name) ? decodeText(data.slice()).split('\0')[0] : undefined;
  const len = WRITES.has(name) ? data.length : READS.has(name) ? (args[1] ?? 0) : undefined;
  return {
    ...{ pid: process.pid, pgrp: process.pgid },
    ...(path === undefined ? {} : { path }),
    ...(len === undefined ? {} : { len }),
  };
}

function* act(
  call: Call,
  to: { request: Request; handler: Handler; firing: Firing; name: SyscallName },
): Task<Result> {
  const { request, handler, firing, name } = to;
  const { kernel, process } = call;
  if (firing.delayMs > 0) yield* kernel.executor.pause(firing.delayMs);
  if (firing.has('crash')) {
    end(kernel, process, signalStatus(SIGSEGV));
    fail(EINTR);
  }
  // Never woken, but by a signal.
  if (firing.has('hang')) for (;;) yield* call.sleep(new WaitQueue(`fault at ${name}`));
  const { errno } = firing;
  if (errno !== undefined) fail(errno);
  const bytes = firing.find('short')?.bytes;
  return yield* handler(call, bytes === undefined ? request : shortened(request, name, bytes));
}

/** The same call for fewer bytes, one at least. */
function shortened(request: Request, name: SyscallName, wanted: number): Request {
  const bytes = Math.max(1, wanted);
  if (READS.has(name)) {
    const [fd = -1, count = 0, ...rest] = request.args;
    return { ...request, args: [fd, Math.min(count, bytes), ...rest] };
  }
  const { source } = request;
  const length = Math.min(source.bytes.length, bytes);
  const segment = { address: source.segment.address, length };
  const data = source.bytes.subarray(0, length);
  return { ...request, data, source: { segment, bytes: data } };
}

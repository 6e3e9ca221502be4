// A process of the test machine: makes system calls through a seat's rings, as a worker would, and
// sees their replies. A call may be left waiting.

import { type Errno, ESRCH, errnoName, fail } from '../abi/errno.ts';
import { SEAT_KERNEL } from '../abi/memlayout.ts';
import type { Stat, StatFs } from '../abi/stat.ts';
import {
  DIED,
  getDirents,
  getStat,
  getStatFs,
  SYS,
  SYSCALL_SLOT_SIZE,
  SYSCALL_SLOTS,
  type SyscallName,
  WINDOW_SIZE,
} from '../abi/syscall.ts';
import { decodeText, encodeText } from '../abi/text.ts';
import { Ring } from '../ipc/ring.ts';
import type { Process } from '../proc/process.ts';
import type { ProcessSeat } from '../proc/workers.ts';
import { takeCall } from '../syscall/dispatch.ts';
import { DescriptorTable, enterTable, setDescriptor } from '../vfs/descriptors.ts';
import type { Machine } from './machine.ts';

/** A call and, once it has ended, what it returned. */
export interface Pending {
  done: boolean;
  /** Its errno's name; 'ok', or 'DIED'. */
  told: string;
  r0: number;
  r1: number;
  data: Uint8Array;
  signals: number;
}

type Arg = number | undefined;

let nextSeat = 100;

export class Program {
  readonly process: Process;
  readonly seat: ProcessSeat;
  readonly #machine: Machine;
  readonly #calls = new Map<number, Pending>();
  #tag = 0;

  constructor(
    machine: Machine,
    options: { uid?: number; gid?: number; parent?: Program; name?: string; spawned?: Process },
  ) {
    const { kernel } = machine;
    this.#machine = machine;
    if (options.spawned) {
      this.process = options.spawned;
      this.seat = options.spawned.seat ?? fail(ESRCH);
      return;
    }
    const parent = options.parent?.process ?? kernel.processes.init;
    const { cwd } = parent;
    this.process = kernel.processes.addChild(parent, {
      name: options.name ?? 'test',
      cwd,
      startedMs: machine.time.ms,
    });
    kernel.dcache.pin(cwd.dentry);
    this.process.uid = options.uid ?? this.process.uid;
    this.process.gid = options.gid ?? this.process.gid;
    this.seat = takeSeat(machine, this.process);
    this.process.seat = this.seat;
    if (this.seat.table) enterTable(this.process, this.seat.table);
    parent.descriptors.forEach((d, fd) => {
      if (d === undefined || options.parent === undefined) return;
      d.file.refs++;
      setDescriptor(this.process, fd, { file: d.file, closeOnExec: d.closeOnExec });
    });
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Starts a call; it may have ended when this returns. */
  start(name: SyscallName, args: readonly Arg[] = [], data: string | Uint8Array = ''): Pending {
    const slot = this.seat.requests.reserve();
    if (slot === undefined) throw new Error('too many calls at once');
    const bytes = typeof data === 'string' ? encodeText(data) : data;
    this.seat.window.set(bytes);
    const tag = ++this.#tag;
    for (const [i, word] of [SYS[name], tag, 0, bytes.length].entries()) {
      slot.view.setUint32(i * 4, word, true);
    }
    for (let i = 0; i < 5; i++) slot.view.setFloat64(16 + i * 8, args[i] ?? 0, true);
    this.seat.requests.publish();
    const none = { done: false, told: 'waits', r0: 0, r1: 0, signals: 0 };
    const pending: Pending = { ...none, data: new Uint8Array(0) };
    this.#calls.set(tag, pending);
    this.#machine.settle();
    this.collect();
    return pending;
  }

  /** Takes the replies that are there. */
  collect(): void {
    for (let slot = this.seat.replies.peek(); slot; slot = this.seat.replies.peek()) {
      const { view } = slot;
      const pending = this.#calls.get(view.getUint32(0, true));
      const errno = view.getUint32(4, true);
      if (pending) {
        pending.done = true;
        pending.told = errno === 0 ? 'ok' : errno === DIED ? 'DIED' : errnoName(errno as Errno);
        pending.data = this.seat.window.slice(0, view.getUint32(8, true));
        pending.signals = view.getUint32(12, true);
        pending.r0 = view.getFloat64(16, true);
        pending.r1 = view.getFloat64(24, true);
      }
      this.seat.replies.release();
    }
  }

  /** The state of a call started before, after everything has come to rest. */
  look(pending: Pending): Pending {
    this.#machine.settle();
    this.collect();
    return pending;
  }

  /** Makes a call that must not wait. */
  call(name: SyscallName, args: readonly Arg[] = [], data: string | Uint8Array = ''): Pending {
    const pending = this.start(name, args, data);
    if (!pending.done) throw new Error(`${name} waits`);
    return pending;
  }

  /** The errno's name that a call ends with, or 'ok'. */
  told(name: SyscallName, args: readonly Arg[] = [], data: string | Uint8Array = ''): string {
    return this.call(name, args, data).told;
  }

  /** A call that must succeed. */
  ok(name: SyscallName, args: readonly Arg[] = [], data: string | Uint8Array = ''): Pending {
    const done = this.call(name, args, data);
    if (done.told !== 'ok') throw new Error(`${name}: ${done.told}`);
    return done;
  }

  open(path: string, flags = 0, mode = 0o644): number {
    return this.ok('open', [flags, mode], path).r0;
  }

  write(fd: number, data: string | Uint8Array): number {
    return this.ok('write', [fd], data).r0;
  }

  read(fd: number, count = 4096): string {
    return decodeText(this.ok('read', [fd, count]).data);
  }

  pread(fd: number, offset: number, count = 4096): string {
    return decodeText(this.ok('pread', [fd, count, offset]).data);
  }

  close(fd: number): void {
    this.ok('close', [fd]);
  }

  /** Makes a file with this content. */
  put(path: string, content: string | Uint8Array = '', mode = 0o644): void {
    const fd = this.open(path, 0o1102, mode);
    for (let at = 0; at < content.length; at += 65_536) {
      this.write(fd, content.slice(at, at + 65_536));
    }
    this.close(fd);
  }

  /** The content of a file. */
  get(path: string): string {
    const fd = this.open(path);
    let text = '';
    for (let piece = this.read(fd, 65_536); piece !== ''; piece = this.read(fd, 65_536)) {
      text += piece;
    }
    this.close(fd);
    return text;
  }

  stat(path: string, how: 'stat' | 'lstat' = 'stat'): Stat {
    const { data } = this.ok(how, [], path);
    return getStat(new DataView(data.buffer, data.byteOffset, data.byteLength));
  }

  fstat(fd: number): Stat {
    const { data } = this.ok('fstat', [fd]);
    return getStat(new DataView(data.buffer, data.byteOffset, data.byteLength));
  }

  statfs(path: string): StatFs {
    const { data } = this.ok('statfs', [], path);
    return getStatFs(new DataView(data.buffer, data.byteOffset, data.byteLength));
  }

  /** The names in a directory, but for '.' and '..'. */
  names(path: string): string[] {
    const fd = this.open(path, 0o200000);
    const names: string[] = [];
    for (;;) {
      const { data } = this.ok('getdents', [fd, 65_536]);
      if (data.length === 0) break;
      names.push(...getDirents(data).map((entry) => entry.name));
    }
    this.close(fd);
    return names.filter((name) => name !== '.' && name !== '..').sort();
  }

  get cwd(): string {
    return decodeText(this.ok('getcwd').data);
  }

  /** exit(2). */
  exit(code = 0): void {
    this.start('exit', [code]);
  }
}

function takeSeat(machine: Machine, process: Process): ProcessSeat {
  const { kernel } = machine;
  const seat = (nextSeat++ % 100) + 100;
  const area = kernel.frames.mustTake(6 + WINDOW_SIZE / 4096, 'a test process');
  const shape = { slots: SYSCALL_SLOTS, slotSize: SYSCALL_SLOT_SIZE };
  const { ram } = kernel;
  const windowAt = area + 2 * 4096;
  const place: ProcessSeat = {
    ...{
      seat,
      area,
      windowAt,
      process,
      readyTag: undefined,
      calls: 0,
      ended: false,
      whenQuiet: [],
      gone: false,
      detach: () => undefined,
    },
    requests: Ring.format(ram, area, { ...shape, producer: seat, consumer: SEAT_KERNEL }),
    replies: Ring.format(ram, area + 4096, { ...shape, producer: SEAT_KERNEL, consumer: seat }),
    window: new Uint8Array(ram, windowAt, WINDOW_SIZE),
    table: new DescriptorTable(ram, windowAt + WINDOW_SIZE),
  };
  kernel.executor.consume(place.requests, () => takeCall(kernel, place));
  kernel.executor.produce(place.replies);
  return place;
}

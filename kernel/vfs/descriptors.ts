// Descriptors: who holds which open file description, told to the processes' own tables
// (kernel/abi/file-tables.ts). While one descriptor of one process is all that refers to a description, its
// offset lies in that process's table: its runtime moves it without a system call, and the kernel
// looks there while it serves one. As soon as a second one refers to it, the offset is the kernel's
// again, so that two processes never read the same bytes, and nobody can die with the offset.

import { O_NONBLOCK } from '../abi/constants.ts';
import {
  DESCRIPTOR_CACHED,
  DESCRIPTOR_FLAGS,
  DESCRIPTOR_INODE,
  DESCRIPTOR_LAST,
  DESCRIPTOR_MARK,
  DESCRIPTOR_OFFSET,
  DESCRIPTOR_OURS,
  DESCRIPTOR_READABLE,
  DESCRIPTOR_RUNG,
  DESCRIPTOR_TABLE_SIZE,
  descriptorAt,
  MAX_PAGE,
  NO_MARK,
  TABLE_ANSWERED,
  TABLE_ATTENTION,
  TABLE_DESCRIPTORS,
} from '../abi/file-tables.ts';
import type { Descriptor, Process } from '../proc/process.ts';
import type { OpenFile } from './file.ts';
import type { Stream } from './stream.ts';

/** Makes a descriptor of a process refer to an open file, or to nothing. References are the caller's. */
export function setDescriptor(
  process: Process,
  fd: number,
  descriptor: Descriptor | undefined,
): void {
  const old = process.descriptors[fd];
  process.descriptors[fd] = descriptor;
  if (old) {
    const { holders } = old.file;
    const at = holders.findIndex((one) => one.process === process && one.fd === fd);
    if (at >= 0) holders.splice(at, 1);
    process.table?.clear(fd);
    tellHolders(old.file);
  }
  if (descriptor) {
    descriptor.file.holders.push({ process, fd });
    tellHolders(descriptor.file);
  }
}

/** The process begins to run at a seat: its descriptors go into the seat's table. */
export function enterTable(process: Process, table: DescriptorTable): void {
  table.reset();
  table.callAttention(process.wanted);
  process.table = table;
  for (const descriptor of process.descriptors) if (descriptor) tellHolders(descriptor.file);
}

/** The process is over, and so is what its worker may read. */
export function leaveTable(process: Process): void {
  process.table?.callAttention(true);
  process.table = undefined;
}

/** Writes what the holders of a description may do with it into their tables. */
export function tellHolders(file: OpenFile): void {
  if (file.stream?.direct) tellEnd(file, file.stream.direct);
  const entry = file.inode?.entry;
  if (entry === undefined) return;
  const [first] = file.holders;
  const only = file.holders.length === 1 && first !== undefined ? first : undefined;
  const ours = only && inTable(only.fd) ? only.process.table?.offsetOf(only.fd) : undefined;
  file.keepOffset(ours);
  const flags = DESCRIPTOR_CACHED | (file.readable ? DESCRIPTOR_READABLE : 0);
  for (const { process, fd } of file.holders) {
    if (!inTable(fd)) continue;
    process.table?.put(fd, {
      inode: entry.index,
      flags: flags | (ours ? DESCRIPTOR_OURS : 0),
      mark: file.ahead.mark,
    });
  }
}

/** The end of a pipe: who holds it alone moves its bytes by himself. */
function tellEnd(file: OpenFile, direct: NonNullable<Stream['direct']>): void {
  const [first] = file.holders;
  const alone = file.holders.length === 1 && first !== undefined && inTable(first.fd);
  const blocks = (file.flags & O_NONBLOCK) === 0;
  const is = alone && blocks && first.process.table ? direct(first.process) : undefined;
  for (const { process, fd } of file.holders) {
    if (inTable(fd)) process.table?.put(fd, { mark: NO_MARK, inode: 0, flags: 0, ...is });
  }
}

/** The last page that a holder read without a call; -1 = none. */
export function lastPageOf(file: OpenFile): number {
  const [only, ...others] = file.holders;
  if (only === undefined || others.length > 0 || !inTable(only.fd)) return -1;
  return only.process.table?.lastPage(only.fd) ?? -1;
}

/** Tells every holder which page it should ring for. */
export function tellMark(file: OpenFile, page: number): void {
  for (const { process, fd } of file.holders) if (inTable(fd)) process.table?.setMark(fd, page);
}

const inTable = (fd: number): boolean => fd < TABLE_DESCRIPTORS;

/** The descriptors of one seat, as its runtime sees them. */
export class DescriptorTable {
  readonly address: number;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;

  constructor(ram: SharedArrayBuffer, address: number) {
    this.address = address;
    this.#words = new Int32Array(ram, address, DESCRIPTOR_TABLE_SIZE / 4);
    this.#doubles = new Float64Array(ram, address, DESCRIPTOR_TABLE_SIZE / 8);
    this.reset();
  }

  reset(): void {
    this.#words.fill(0);
  }

  /** Whether the process is to come to the kernel before anything else: a signal, the end. */
  callAttention(wanted: boolean): void {
    Atomics.store(this.#words, TABLE_ATTENTION, wanted ? 1 : 0);
  }

  /** System calls that the runtime answered by itself. */
  get answered(): number {
    return (this.#words[TABLE_ANSWERED] ?? 0) >>> 0;
  }

  put(fd: number, is: { inode: number; flags: number; mark: number }): void {
    const at = descriptorAt(fd) / 4;
    this.#words[at + DESCRIPTOR_INODE] = is.inode;
    this.setMark(fd, is.mark);
    Atomics.store(this.#words, at + DESCRIPTOR_FLAGS, is.flags);
  }

  /** A reader that gets to this page rings; once. */
  setMark(fd: number, page: number): void {
    const at = descriptorAt(fd) / 4;
    this.#words[at + DESCRIPTOR_RUNG] = NO_MARK;
    Atomics.store(this.#words, at + DESCRIPTOR_MARK, page <= MAX_PAGE ? page : NO_MARK);
  }

  lastPage(fd: number): number {
    return (this.#words[descriptorAt(fd) / 4 + DESCRIPTOR_LAST] ?? 0) - 1;
  }

  clear(fd: number): void {
    if (!inTable(fd)) return;
    const at = descriptorAt(fd) / 4;
    Atomics.store(this.#words, at + DESCRIPTOR_FLAGS, 0);
    this.#words[at + DESCRIPTOR_LAST] = 0;
  }

  offsetOf(fd: number): OffsetCell {
    return { doubles: this.#doubles, at: descriptorAt(fd) / 8 + DESCRIPTOR_OFFSET };
  }
}

/** Where an offset lies while one process alone moves it. */
export interface OffsetCell {
  readonly doubles: Float64Array;
  readonly at: number;
}

// The tree that a disk driver exports, mounted at /dev/sd, after the sd(3) device of Plan 9:
//
//   sdC0/  ctl  raw  data  geometry  part/ 0 1 2 …
//
// raw, data and part/0 are the whole disk; part/N is partition N. Their bytes are moved by `transfer`
// straight between the device and granted memory, or by the tree's read and write through a copy.

import { S_IFBLK } from '../../kernel/abi/constants.ts';
import { deviceNumber } from '../../kernel/abi/disk/controllers.ts';
import { EINVAL, EROFS, PosixError } from '../../kernel/abi/errno.ts';
import type { Timespec } from '../../kernel/abi/stat.ts';
import { decodeText, encodeText } from '../../kernel/abi/text.ts';
import { Places } from '../../kernel/ipc/fault/places.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { type TreeFile, type TreeNode, TreeServer } from '../../kernel/ninep/tree.ts';
import { type RamRange, SECTOR_SIZE } from './request.ts';
import type { BlockController, SdDisk } from './sd-disk.ts';
import { type DiskExtent, DiskIo } from './sd-io.ts';
import type { DiskServer } from './serve.ts';
import { type PartitionTable, readPartitions } from './table/partition.ts';

export interface SdServerOptions {
  /** undefined: there is no controller, and the tree is empty. */
  readonly controller: BlockController | undefined;
  readonly ram: SharedArrayBuffer;
  readonly log: (line: string) => void;
  /** The times that the tree's files show. */
  readonly now?: () => Timespec;
}

type Node = TreeNode<undefined>;
export type SdFile = TreeFile<undefined>;

/** Reads the partition tables, then serves the disks. */
export function* createSdServer(options: SdServerOptions): Task<DiskServer<SdFile>> {
  const { now } = options;
  const tree = new SdTree(options);
  yield* tree.settle();
  return {
    fs: new TreeServer<undefined>(tree.root, now ? { now } : {}),
    isData: ({ node }) => node instanceof DataNode,
    transfer: (file, { op, offset, segments }) => dataNode(file).move(op, offset, segments),
  };
}

/** The disks' directories, and `present`: to read it waits for what was plugged in or pulled out. */
class SdTree {
  readonly root: Node;
  readonly #options: SdServerOptions;
  readonly #places: Places;
  readonly #shown = new Map<SdDisk, { readonly io: DiskIo; readonly node: Node }>();

  constructor(options: SdServerOptions) {
    this.#options = options;
    this.#places = new Places(options.ram);
    const present: Node = {
      name: 'present',
      mode: 0o444,
      read: (_ctx, offset, into) => this.#readPresent(offset, into),
    };
    this.root = {
      name: '/',
      mode: 0o755,
      children: () => [
        ...[...this.#shown.values()].map(({ node }) => node),
        ...(options.controller ? [present] : []),
      ],
      fsync: () => this.#flush(),
    };
  }

  *settle(): Task<void> {
    const { controller, ram, log } = this.#options;
    if (controller === undefined) return;
    yield* controller.settled();
    const disks = [...controller.disks];
    for (const disk of [...this.#shown.keys()]) if (!disks.includes(disk)) this.#shown.delete(disk);
    for (const disk of disks) {
      if (this.#shown.has(disk)) continue;
      const io = new DiskIo(disk, ram, controller.bounce);
      const directory = new DiskDirectory({ io, controller, places: this.#places, log });
      yield* directory.readTable();
      if (!this.#shown.has(disk)) this.#shown.set(disk, { io, node: directory.node() });
    }
  }

  *#readPresent(offset: number, into: Uint8Array): Task<number> {
    yield* this.settle();
    const names = [...this.#shown.keys()].map(({ name }) => `${name}\n`);
    const part = encodeText(names.join('')).subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  }

  /** sync(2) and the machine's end reach the disks here. */
  *#flush(): Task<void> {
    for (const { io } of [...this.#shown.values()]) yield* io.flush();
  }
}

function dataNode({ node }: SdFile): DataNode {
  if (node instanceof DataNode) return node;
  throw new PosixError(EINVAL, `${node.name} has no data on a disk`);
}

interface DataNodeOptions {
  readonly name: string;
  readonly rdev: number;
  readonly io: DiskIo;
  readonly extent: DiskExtent;
}

/** A part of a disk as a file. */
class DataNode implements Node {
  readonly name: string;
  readonly mode: number;
  readonly rdev: number;
  readonly #io: DiskIo;
  readonly #extent: DiskExtent;

  constructor({ name, rdev, io, extent }: DataNodeOptions) {
    this.name = name;
    this.mode = S_IFBLK | (io.disk.readOnly ? 0o440 : 0o660);
    this.rdev = rdev;
    this.#io = io;
    this.#extent = extent;
  }

  move(op: 'read' | 'write', offset: number, ranges: readonly RamRange[]): Task<number> {
    return this.#io.move(this.#extent, { op, offset }, ranges);
  }

  read(_ctx: undefined, offset: number, into: Uint8Array): Task<number> {
    return this.#io.copy(this.#extent, { op: 'read', offset }, into);
  }

  write(_ctx: undefined, offset: number, from: Uint8Array): Task<number> {
    return this.#io.copy(this.#extent, { op: 'write', offset }, from);
  }

  fsync(): Task<void> {
    return this.#io.flush();
  }

  size(): number {
    return this.#extent.count * SECTOR_SIZE;
  }
}

interface DirectoryOptions {
  readonly io: DiskIo;
  readonly controller: BlockController;
  readonly places: Places;
  readonly log: (line: string) => void;
}

/** One disk's directory. */
class DiskDirectory {
  readonly #options: DirectoryOptions;
  readonly #disk: SdDisk;
  readonly #whole: DiskExtent;
  #table: PartitionTable = { scheme: 'none', partitions: [], notes: [] };
  #parts: readonly Node[] = [];

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#disk = options.io.disk;
    this.#whole = { start: 0, count: this.#disk.sectorCount };
  }

  node(): Node {
    return {
      name: this.#disk.name,
      mode: 0o755,
      children: [
        {
          name: 'ctl',
          mode: 0o660,
          text: () => this.#describe(),
          write: (_ctx, _offset, from) => this.#control(from),
        },
        this.#data('raw', 0, this.#whole),
        this.#data('data', 0, this.#whole),
        { name: 'geometry', mode: 0o444, text: () => geometry(this.#disk.sectorCount) },
        { name: 'part', mode: 0o755, children: () => this.#parts },
      ],
    };
  }

  /** A fid of a partition that is open keeps the sectors that it was opened with. */
  *readTable(): Task<void> {
    const { io, log } = this.#options;
    this.#table = yield* readPartitions({
      sectorCount: this.#disk.sectorCount,
      *read(lba, count) {
        const bytes = new Uint8Array(count * SECTOR_SIZE);
        yield* io.copy({ start: lba, count }, { op: 'read', offset: 0 }, bytes);
        return bytes;
      },
    });
    for (const note of this.#table.notes) log(`${this.#disk.name}: ${note}`);
    this.#tellPlaces();
    const parts = this.#table.partitions.map((part) =>
      this.#data(`${part.number}`, part.number, part),
    );
    this.#parts = [this.#data('0', 0, this.#whole), ...parts];
  }

  /** Where volumes lie: faults may name their parts. */
  #tellPlaces(): void {
    const { name: disk } = this.#disk;
    const { places } = this.#options;
    if (this.#table.partitions.length === 0) places.setPartition(disk, { disk, ...this.#whole });
    for (const { number, start, count } of this.#table.partitions) {
      places.setPartition(`${disk}p${number}`, { disk, start, count });
    }
  }

  #data(name: string, partition: number, extent: DiskExtent): DataNode {
    const { io } = this.#options;
    return new DataNode({ name, rdev: rdev(this.#disk.name, partition), io, extent });
  }

  #describe(): string {
    const { model, firmware, serial, sectorCount, readOnly, writeCache } = this.#disk;
    const lines = [
      `inquiry ${model}`,
      `firmware ${firmware}`,
      `serial ${serial}`,
      `state ${readOnly ? 'read-only' : 'ready'}`,
      `cache ${writeCache ? 'write-back' : 'write-through'}`,
      `geometry ${sectorCount} ${SECTOR_SIZE}`,
      `table ${this.#table.scheme}`,
      ...this.#table.partitions.map(({ number, start, count, type, label }) =>
        `part ${number} ${start} ${start + count} ${type} ${label}`.trimEnd(),
      ),
      ...this.#table.notes.map((note) => `note ${note}`),
    ];
    return `${lines.join('\n')}\n`;
  }

  /** `flush`, `trim LBA COUNT`, `reset`, `reread`; one or more lines in a write. */
  *#control(from: Uint8Array): Task<number> {
    for (const line of decodeText(from).split('\n')) {
      const words = line.split(/[ \t]+/).filter((word) => word !== '');
      if (words.length > 0) yield* this.#command(words);
    }
    return from.length;
  }

  *#command(words: readonly string[]): Task<void> {
    const [verb, ...args] = words;
    if (verb === 'flush' && args.length === 0) yield* this.#options.io.flush();
    else if (verb === 'trim' && args.length === 2) yield* this.#trim(args);
    else if (verb === 'reset' && args.length === 0) this.#options.controller.reset();
    else if (verb === 'reread' && args.length === 0) yield* this.readTable();
    else
      throw new PosixError(EINVAL, `${this.#disk.name}/ctl: ${words.join(' ')}: no such command`);
  }

  *#trim(args: readonly string[]): Task<void> {
    const [lba = Number.NaN, count = Number.NaN] = args.map((arg) =>
      /^\d{1,15}$/.test(arg) ? Number(arg) : Number.NaN,
    );
    const fits = count > 0 && lba + count <= this.#disk.sectorCount;
    if (!fits) throw new PosixError(EINVAL, `${this.#disk.name}/ctl: trim ${args.join(' ')}`);
    if (this.#disk.readOnly) throw new PosixError(EROFS, `${this.#disk.name}: write-protected`);
    yield* this.#disk.submit({ op: 'trim', lba, count, segments: [] });
  }
}

/** The geometry that a PC's firmware would make up: 255 heads, 63 sectors a track. */
function geometry(sectorCount: number): string {
  const cylinders = Math.floor(sectorCount / (255 * 63));
  const lines = [`sectors ${sectorCount}`, `secsize ${SECTOR_SIZE}`, `cylinders ${cylinders}`];
  return `${[...lines, 'heads 255', 'track 63'].join('\n')}\n`;
}

/** Device numbers as Linux packs them into 64 bits. */
function rdev(disk: string, partition: number): number {
  const { major, minor } = deviceNumber(disk, partition);
  return (minor & 0xff) + (major << 8) + (minor >>> 8) * 2 ** 20;
}

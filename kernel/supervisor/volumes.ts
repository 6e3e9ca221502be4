// Servers in workers of their own: drivers and volumes. Starts them, connects them by rings, mounts
// what they serve, and takes them down again.

import { assert, EBUSY, EINVAL, EIO, ENOMEM, EROFS, fail, PosixError } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { DriverConfig, SessionConfig, VolumeConfig } from '../abi/seat-config.ts';
import { decodeText } from '../abi/text.ts';
import { GRANT_READ, GRANT_WRITE, type GrantRef } from '../ipc/grant.ts';
import { Ring, ringSize } from '../ipc/ring.ts';
import type { Task } from '../ipc/task.ts';
import type { Kernel } from '../kernel.ts';
import { learnSpace } from '../mm/write.ts';
import { NinepClient } from '../ninep/client.ts';
import { decodeDirEntries } from '../ninep/codec.ts';
import { MessageFaults } from '../ninep/message-faults.ts';
import { RingTransport } from '../ninep/transport-ring.ts';
import type { Process } from '../proc/process.ts';
import { bootSeat } from '../proc/workers.ts';
import { abandon, attach, clunk, iget, Superblock } from '../vfs/inode.ts';
import type { BoardLink } from './board-link.ts';

/** Volumes that can be mounted at once. */
const MOST_VOLUMES = 16;
const SESSION = { slots: 16, slotSize: 8192 };
const DRIVER_SESSION = { slots: 32, slotSize: 1024 };
const LOG = { slots: 16, slotSize: 1024 };
const DMA_FRAMES = 256;

/** The message of an error whose reason the server itself wrote to the log. */
export const TOLD = 'see the kernel log';

/** A running server: a driver or a volume. */
export interface Server {
  readonly seat: number;
  readonly process: Process;
  readonly transport: RingTransport;
  readonly superblock: Superblock;
  readonly rings: readonly { readonly name: string; readonly ring: Ring }[];
  /** Gives back what it held; run once the worker has ended. */
  readonly release: () => void;
}

export interface VolumeRequest {
  /** Names from the driver's root: ['sdC0', 'part', '1']. */
  readonly source: readonly string[];
  readonly name: string;
  readonly type: string;
  readonly readOnly: boolean;
  readonly options: string;
}

interface Place {
  readonly seat: number;
  readonly driver: SessionConfig;
  warm: boolean;
  used: boolean;
}

export class Volumes {
  readonly #link: BoardLink;
  readonly servers: Server[] = [];
  readonly #places: Place[] = [];
  /** Seats whose workers ended before they were needed. */
  readonly #diedEarly = new Set<number>();
  #driverSeat = -1;
  #nextDevice = 16;

  constructor(link: BoardLink) {
    this.#link = link;
  }

  /** Starts the driver of the disk controller and returns what it serves. */
  *startDriver(
    kernel: Kernel,
    seats: { driver: number; warmVolumes: readonly number[] },
  ): Task<Server> {
    const { workers, ram } = kernel;
    const seat = workers.reserveSeat(seats.driver);
    if (this.#diedEarly.has(seat)) this.#link.send({ type: 'powerOn', seat, role: 'driver' });
    this.#driverSeat = seat;
    for (let i = 0; i < MOST_VOLUMES; i++) {
      const warm = seats.warmVolumes.filter((one) => !this.#diedEarly.has(one))[i];
      const volume = workers.reserveSeat(warm);
      const driver = session(kernel, {
        ...DRIVER_SESSION,
        from: volume,
        to: seat,
        name: `volume${i}`,
      });
      this.#places.push({ seat: volume, driver, warm: warm !== undefined, used: false });
    }
    const own = session(kernel, { ...SESSION, from: kernelSeat(kernel), to: seat, name: 'kernel' });
    const log = logRing(kernel, seat).at;
    const address = kernel.frames.mustTake(DMA_FRAMES, 'the driver');
    const config: DriverConfig = {
      sessions: [own, ...this.#places.map((place) => place.driver)],
      log,
      dma: { address, length: DMA_FRAMES * PAGE_SIZE },
    };
    bootSeat(ram, seat, config);
    return yield* this.#connect(kernel, {
      name: 'ahci',
      seat,
      session: own,
      cached: false,
      readOnly: false,
      delegate: -1,
      source: 'ahci',
      type: 'sd',
      release: () => undefined,
    });
  }

  /** Starts a volume's worker and attaches to it. Throws what the daemon answers. */
  *startVolume(kernel: Kernel, request: VolumeRequest): Task<Server> {
    if (this.servers.some((s) => s.superblock.source === request.name)) fail(EBUSY, request.name);
    const place = this.#places.find((p) => !p.used) ?? fail(ENOMEM, 'too many volumes');
    place.used = true;
    const { seat } = place;
    if (!place.warm) this.#link.send({ type: 'powerOn', seat, role: 'volume' });
    place.warm = false;
    const own = session(kernel, {
      ...SESSION,
      from: kernelSeat(kernel),
      to: seat,
      name: request.name,
    });
    const log = logRing(kernel, seat);
    const area = areaFor(kernel, { seat, delegate: this.#driverSeat });
    const release = (): void => {
      kernel.grants.revoke(area.grant);
      kernel.frames.give(area.address, area.length / PAGE_SIZE);
      for (const at of [own.requests, own.replies]) {
        kernel.frames.give(at, Math.ceil(ringSize(SESSION) / PAGE_SIZE));
      }
      log.release();
      resetRing(kernel, place.driver);
      place.used = false;
    };
    const { index, generation } = area.grant;
    const config: VolumeConfig = {
      ...request,
      kernel: own,
      driver: place.driver,
      log: log.at,
      area: { address: area.address, length: area.length },
      grant: { index, generation },
    };
    bootSeat(kernel.ram, seat, config);
    const server = yield* this.#connect(kernel, {
      name: `${request.type}fs`,
      seat,
      session: own,
      cached: true,
      readOnly: request.readOnly,
      delegate: this.#driverSeat,
      source: request.name,
      type: request.type,
      release,
    });
    const { superblock, process } = server;
    superblock.readOnly = yield* refusesChanges(superblock);
    superblock.type = yield* formatOf(superblock);
    process.name = `${superblock.type}fs`;
    yield* learnSpace(superblock);
    return server;
  }

  /** Stops a volume whose pages are flushed and whose inodes are unused: all is on the disk after it. */
  *stopVolume(kernel: Kernel, server: Server): Task<void> {
    const { superblock } = server;
    const { client } = superblock;
    yield* client.rpc({ name: 'Tfsync', fid: superblock.root.fid, datasync: 0 });
    yield* clunk(superblock, superblock.root.fid);
    superblock.gone = true;
    this.#remove(kernel, server);
  }

  /** kill -9 of a server. */
  killServer(process: Process): void {
    const server = this.servers.find((s) => s.process === process);
    if (server) this.#link.send({ type: 'powerOff', seat: server.seat });
  }

  /** kill -9 of every server of this name: its program's, or what it serves. */
  killNamed(name: string): void {
    for (const { process, superblock } of [...this.servers]) {
      if (process.name === name || superblock.source === name) this.killServer(process);
    }
  }

  /** The worker of a seat ended: if it was a server, everything it served answers EIO. */
  gone(kernel: Kernel, seat: number, reason: string): boolean {
    const server = this.servers.find((s) => s.seat === seat);
    const place = this.#places.find((p) => p.seat === seat);
    if (place) place.warm = false;
    if (server === undefined) {
      if (reason) kernel.log(`seat ${seat}: worker died: ${reason}`);
      this.#diedEarly.add(seat);
      return place !== undefined;
    }
    kernel.log(
      `${server.process.name} ${server.superblock.source}: died${reason ? `: ${reason}` : ''}`,
    );
    server.transport.kill();
    abandon(kernel, server.superblock);
    this.#remove(kernel, server);
    // A volume would wait for its disk for ever, and everybody for the volume.
    const stranded = seat === this.#driverSeat ? [...this.servers] : [];
    for (const other of stranded) this.gone(kernel, other.seat, 'its driver is gone');
    return true;
  }

  *#connect(
    kernel: Kernel,
    to: {
      name: string;
      seat: number;
      session: SessionConfig;
      cached: boolean;
      readOnly: boolean;
      delegate: number;
      source: string;
      type: string;
      release: () => void;
    },
  ): Task<Server> {
    const { executor, grants, ram } = kernel;
    const requests = new Ring(ram, to.session.requests);
    const replies = new Ring(ram, to.session.replies);
    const transport = new RingTransport({
      executor,
      grants,
      requests,
      replies,
      delegate: to.delegate,
      faults: new MessageFaults({ gate: kernel.faults.gate, service: 'kernel', executor }),
    });
    const client = new NinepClient(transport);
    client.refuses = kernel.faults.refuses.fids;
    const superblock = new Superblock({
      dev: this.#nextDevice++,
      type: to.type,
      source: to.source,
      client,
      cached: to.cached,
      volatile: !to.cached,
      readOnly: to.readOnly,
    });
    const process = kernel.processes.addRoot({
      name: to.name,
      cwd: kernel.mounts.root,
      startedMs: kernel.clock.monotonicMs(),
      server: true,
    });
    const server: Server = {
      seat: to.seat,
      process,
      transport,
      superblock,
      rings: [
        { name: `${to.source}.requests`, ring: requests },
        { name: `${to.source}.replies`, ring: replies },
      ],
      release: to.release,
    };
    this.servers.push(server);
    try {
      const found = yield* attach(client, { aname: '' });
      superblock.root = iget(kernel, superblock, found);
      superblock.root.refs++;
    } catch (error) {
      superblock.gone = true;
      this.#remove(kernel, server);
      throw error instanceof PosixError ? new PosixError(error.errno, TOLD) : error;
    }
    return server;
  }

  #remove(kernel: Kernel, server: Server): void {
    const at = this.servers.indexOf(server);
    if (at < 0) return;
    this.servers.splice(at, 1);
    server.transport.kill();
    kernel.processes.remove(server.process);
    this.#link.whenGone(server.seat, server.release);
    this.#link.send({ type: 'powerOff', seat: server.seat });
  }
}

const kernelSeat = (kernel: Kernel): number => kernel.seat;

function ring(
  kernel: Kernel,
  shape: { slots: number; slotSize: number; producer: number; consumer: number },
): number {
  const at = kernel.frames.mustTake(Math.ceil(ringSize(shape) / PAGE_SIZE), 'a ring');
  Ring.format(kernel.ram, at, shape);
  return at;
}

function session(
  kernel: Kernel,
  shape: { slots: number; slotSize: number; from: number; to: number; name: string },
): SessionConfig {
  const { slots, slotSize, from, to, name } = shape;
  return {
    name,
    requests: ring(kernel, { slots, slotSize, producer: from, consumer: to }),
    replies: ring(kernel, { slots, slotSize, producer: to, consumer: from }),
  };
}

/** A session's rings, emptied for the next volume in the same place. */
function resetRing(kernel: Kernel, of: SessionConfig): void {
  for (const at of [of.requests, of.replies]) {
    const { slots, slotSize, producer, consumer } = new Ring(kernel.ram, at);
    Ring.format(kernel.ram, at, { slots, slotSize, producer, consumer });
  }
}

/** Lines that a server writes go to the kernel log; they name their subject themselves. */
function logRing(kernel: Kernel, seat: number): { at: number; release: () => void } {
  const at = ring(kernel, { ...LOG, producer: seat, consumer: kernelSeat(kernel) });
  const detach = kernel.executor.consume(new Ring(kernel.ram, at), (from) => {
    const slot = from.peek();
    if (slot) kernel.log(decodeText(slot.payload.slice(0, slot.length)));
    from.release();
    return slot !== undefined;
  });
  const release = (): void => {
    detach();
    kernel.frames.give(at, Math.ceil(ringSize(LOG) / PAGE_SIZE));
  };
  return { at, release };
}

/** The volume's block cache: a sixteenth of the memory, and the grant under which it is filled. */
function areaFor(
  kernel: Kernel,
  seats: { seat: number; delegate: number },
): { address: number; length: number; grant: GrantRef } {
  const { frames, grants, pages } = kernel;
  const most = 8192; // frames: 32 MiB
  let count = Math.max(512, Math.min(most, Math.floor(frames.total / 16)));
  if (frames.free < count * 2) pages.reclaim(count);
  let address = frames.take(count);
  while (address === undefined && count > 256) {
    count = Math.floor(count / 2);
    address = frames.take(count);
  }
  if (address === undefined) fail(ENOMEM, 'no memory for a block cache');
  const length = count * PAGE_SIZE;
  const grant = grants.grant({
    owner: seats.seat,
    delegate: seats.delegate,
    rights: GRANT_READ | GRANT_WRITE,
    segments: [{ address, length }],
  });
  return { address, length, grant };
}

/** Magic numbers of statfs(2), as Linux has them in magic.h. */
const FORMATS: Readonly<Record<number, string>> = {
  61267: 'ext4', // 0xef53
  19780: 'vfat', // 0x4d44
  16964: 'hfs', // 0x4244
  18475: 'hfsplus', // 0x482b
};

/** What the volume turned out to hold. */
function* formatOf(superblock: Superblock): Task<string> {
  const { client, root } = superblock;
  const { stat } = yield* client.rpc({ name: 'Tstatfs', fid: root.fid });
  return FORMATS[stat.type] ?? superblock.type;
}

/** 9P2000.L does not tell that a volume is read-only: a change that changes nothing finds out. */
function* refusesChanges(superblock: Superblock): Task<boolean> {
  const { client, root } = superblock;
  const time = { sec: 0, nsec: 0 };
  const attr = { valid: 0, mode: 0, uid: 0, gid: 0, size: 0, atime: time, mtime: time };
  const [reply] = yield* client.all([{ message: { name: 'Tsetattr', fid: root.fid, attr } }]);
  return reply?.name === 'Rlerror' && reply.ecode === EROFS;
}

/** The names in a directory that a server serves. */
export function* listNames(superblock: Superblock, path: readonly string[]): Task<string[]> {
  const { client, root } = superblock;
  const fid = client.takeFid();
  try {
    yield* client.rpc({ name: 'Twalk', fid: root.fid, newfid: fid, wname: [...path] });
    yield* client.rpc({ name: 'Tlopen', fid, flags: 0 });
    const names: string[] = [];
    for (let offset = 0, rounds = 0; rounds < 1000; rounds++) {
      const { data } = yield* client.rpc({ name: 'Treaddir', fid, offset, count: 900 });
      const entries = decodeDirEntries(data);
      if (typeof entries === 'number') throw new PosixError(entries, 'malformed directory');
      if (entries.length === 0) break;
      names.push(...entries.map((entry) => entry.name));
      offset = entries.at(-1)?.offset ?? fail(EIO);
    }
    return names.filter((name) => name !== '.' && name !== '..');
  } finally {
    yield* clunk(superblock, fid);
  }
}

/** The disk behind a path like sdC0/part/1, as the mount table names it: sdC0p1. */
export function volumeName(source: readonly string[]): string {
  const [disk = fail(EINVAL), kind, number] = source;
  assert(source.length <= 3);
  return kind === 'part' && number !== undefined && number !== '0' ? `${disk}p${number}` : disk;
}

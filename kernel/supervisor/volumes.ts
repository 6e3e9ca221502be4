// The servers: drivers and volumes, in workers of their own; a volume whose worker does not come up, in
// the kernel's. Starts them, connects them by rings, mounts what they serve, and takes them down again.

import { SIGCONT, SIGKILL, SIGSTOP } from '../abi/constants.ts';
import { type ControllerName, controllerNamed } from '../abi/disk/controllers.ts';
import { daemonOf, instanceOf } from '../abi/disk/daemons.ts';
import { DISK_STATS_BYTES } from '../abi/disk/stats.ts';
import { EBUSY, EIO, ENOMEM, fail, PosixError } from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import type { DriverConfig, SessionConfig, VolumeConfig } from '../abi/seat-config.ts';
import { meetBeginning } from '../fault/proc.ts';
import type { Ring } from '../ipc/ring.ts';
import type { Task } from '../ipc/task.ts';
import { Bell } from '../ipc/wait.ts';
import type { Kernel } from '../kernel.ts';
import { learnSpace } from '../mm/write.ts';
import { NinepClient } from '../ninep/client.ts';
import { byName, byQid, FidLedger } from '../ninep/ledger.ts';
import { MessageFaults } from '../ninep/message-faults.ts';
import { RingTransport } from '../ninep/transport-ring.ts';
import type { Process } from '../proc/process.ts';
import { abandon, attach, clunk, iget, Superblock } from '../vfs/inode.ts';
import type { BoardLink } from './board-link.ts';
import { formatOf, refusesChanges } from './contents.ts';
import { type InKernel, loadDaemons, serveHere } from './in-kernel.ts';
import { activate, recovered, restart } from './restart.ts';
import { freeSession, newArea, newFidTable, newLogRing, newSession, ringsOf } from './rings.ts';
import { type Ending, hasSpoken, nameOf, type Server, sentBy } from './server.ts';
import { Spares, type SparesOptions } from './spares.ts';
import { SILENT_MS, Watch } from './watch.ts';

/** Volumes that can be mounted at once. */
const MOST_VOLUMES = 16;
/** As many requests as are published together (daemons/lib/cache/joint.ts). */
const SESSION = { slots: 64, slotSize: 8192 };
const DRIVER_SESSION = { slots: 32, slotSize: 1024 };
const DMA_FRAMES = 512;
const STATS_FRAMES = Math.ceil(DISK_STATS_BYTES / PAGE_SIZE);
/** Workers of a volume that end before they take or send anything, until it is served without. */
const MUTE_WORKERS = 2;

/** The message of an error whose reason the server itself wrote to the log. */
export const TOLD = 'see the kernel log';

export interface VolumeRequest {
  /** Names from the driver's root: ['sdC0', 'part', '1']. */
  readonly source: readonly string[];
  readonly name: string;
  readonly type: string;
  readonly readOnly: boolean;
  readonly options: string;
}

/** Where a volume can be: its seat, and its session with each driver. */
interface Place {
  readonly seat: number;
  readonly drivers: Map<ControllerName, SessionConfig>;
  used: boolean;
}

/** What a server is made of, besides its worker. */
interface Parts {
  readonly role: Server['role'];
  readonly name: string;
  readonly seat: number;
  readonly session: SessionConfig;
  /** Rings of other sessions: that it serves, that it uses. */
  readonly served: readonly Ring[];
  readonly used: readonly Ring[];
  readonly readOnly: boolean;
  readonly delegate: number;
  readonly source: string;
  readonly type: string;
  readonly orders: (server: Server) => object;
  readonly runHere?: Server['runHere'];
  readonly release: () => void;
}

export class Volumes {
  readonly servers: Server[] = [];
  readonly spares: Spares;
  readonly #link: BoardLink;
  readonly #places: Place[] = [];
  #watch: Watch | undefined;
  #inKernel: InKernel | undefined;
  #nextDevice = 16;

  constructor(options: SparesOptions) {
    this.#link = options.link;
    this.spares = new Spares(options);
  }

  /** How volumes are served without workers of their own, and whether all are. */
  useInKernel(inKernel: InKernel): void {
    this.#inKernel = inKernel;
  }

  get drivers(): Server[] {
    return this.servers.filter(({ role }) => role === 'driver');
  }

  /** The driver of a disk or of a volume on it: sdC0, sdF0p1. */
  driverOf(disk: string): Server | undefined {
    const controller = controllerNamed(disk);
    return this.drivers.find(({ superblock }) => superblock.source === controller);
  }

  volumesOf(driver: Server): Server[] {
    const controller = driver.superblock.source;
    return this.servers.filter(
      ({ role, superblock }) =>
        role === 'volume' && controllerNamed(superblock.source) === controller,
    );
  }

  /** Starts the driver of a disk controller and returns what it serves. */
  *startDriver(kernel: Kernel, controller: ControllerName): Task<Server> {
    this.#watch ??= new Watch(kernel, (server, why) =>
      this.end(kernel, server, { cause: 'failed', why }),
    );
    const seat = this.spares.seatFor('driver');
    while (this.#places.length < MOST_VOLUMES) {
      this.#places.push({ seat: this.spares.seatFor('volume'), drivers: new Map(), used: false });
    }
    const clients = this.#places.map((place, i) => {
      const shape = { ...DRIVER_SESSION, from: place.seat, to: seat, name: `volume${i}` };
      const client = newSession(kernel, shape);
      place.drivers.set(controller, client);
      return client;
    });
    const served = clients.flatMap((client) => ringsOf(kernel, client));
    const session = newSession(kernel, { ...SESSION, from: kernel.seat, to: seat, name: 'kernel' });
    const address = kernel.frames.mustTake(DMA_FRAMES, 'the driver');
    const stats = kernel.frames.mustTake(STATS_FRAMES, 'the counts of disks');
    new Uint8Array(kernel.ram, stats, STATS_FRAMES * PAGE_SIZE).fill(0);
    kernel.disks.stats.set(controller, stats);
    const orders: DriverConfig = {
      controller,
      sessions: [session, ...clients],
      log: newLogRing(kernel, seat).at,
      dma: { address, length: DMA_FRAMES * PAGE_SIZE },
      stats,
    };
    const driver = yield* this.#start(kernel, {
      ...{ role: 'driver', name: controller, source: controller, type: 'sd', readOnly: false },
      ...{ seat, session, served, used: [], delegate: -1 },
      orders: () => orders,
      release: () => undefined,
    });
    return driver ?? fail(EIO, TOLD);
  }

  /** Starts a volume's server and attaches to it. Throws what the daemon answers. */
  *startVolume(kernel: Kernel, request: VolumeRequest): Task<Server> {
    if (this.servers.some((s) => s.superblock.source === request.name)) fail(EBUSY, request.name);
    yield* meetBeginning(kernel, { name: request.name, how: 'start' });
    const { workers = true } = this.#inKernel ?? {};
    const daemon = workers ? yield* this.#startAt(kernel, request, 'worker') : undefined;
    const server = daemon ?? (yield* this.#startAt(kernel, request, 'kernel')) ?? fail(EIO, TOLD);
    const { superblock } = server;
    superblock.readOnly = yield* refusesChanges(superblock);
    superblock.type = yield* formatOf(superblock);
    server.name = daemonOf(superblock.type);
    const others = this.servers.map(({ instance }) => instance);
    server.instance = instanceOf(server.name, others);
    if (server.process) server.process.name = server.instance;
    else kernel.log(`${nameOf(server)}: no daemon, served by the kernel itself`);
    yield* learnSpace(superblock);
    return server;
  }

  /** Undefined: no worker comes up. */
  *#startAt(
    kernel: Kernel,
    request: VolumeRequest,
    where: 'worker' | 'kernel',
  ): Task<Server | undefined> {
    const daemons = where === 'kernel' ? loadDaemons(kernel, this.#inKernel) : undefined;
    const place = this.#places.find((p) => !p.used) ?? fail(ENOMEM, 'too many volumes');
    const driver = this.driverOf(request.name) ?? fail(EIO, `${request.name}: no driver`);
    const controller = controllerNamed(request.name) ?? fail(EIO);
    const driverSession = place.drivers.get(controller) ?? fail(EIO);
    place.used = true;
    const seat = daemons ? kernel.seat : place.seat;
    const toDriver = ringsOf(kernel, driverSession);
    reseat(toDriver, seat);
    const { name } = request;
    const delegate = driver.seat;
    const session = newSession(kernel, { ...SESSION, from: kernel.seat, to: seat, name });
    const log = newLogRing(kernel, seat);
    const area = newArea(kernel, { seat, delegate });
    const release = (): void => {
      kernel.grants.revoke(area.grant);
      kernel.frames.give(area.address, area.length / PAGE_SIZE);
      freeSession(kernel, session);
      log.release();
      for (const ring of toDriver) ring.newSession('ordered');
      reseat(toDriver, place.seat);
      place.used = false;
    };
    const { index, generation } = area.grant;
    const orders = (server: Server): VolumeConfig => {
      const table = newFidTable(kernel, server.ledger.live);
      server.releaseFids = table.release;
      return {
        ...request,
        readOnly: request.readOnly || server.degraded || server.superblock.readOnly,
        kernel: session,
        driver: driverSession,
        log: log.at,
        area: { address: area.address, length: area.length },
        grant: { index, generation },
        lives: server.restarts,
        fids: table.fids,
      };
    };
    const runHere = (server: Server) => {
      const onBug = (what: string): void => this.#failed(kernel, server, what);
      return serveHere(kernel, { daemons: daemons ?? fail(EIO), config: orders(server), onBug });
    };
    return yield* this.#start(kernel, {
      ...{ role: 'volume', name: daemonOf(request.type), source: name, type: request.type },
      ...{ seat, session, served: [], used: toDriver, delegate },
      ...{ readOnly: request.readOnly, orders, release },
      ...(daemons && { runHere }),
    });
  }

  /**
   * Stops a volume whose pages are flushed and whose inodes are unused: all is on the disk after it.
   * Throws, at the end, the error of what is not.
   */
  *stopVolume(kernel: Kernel, server: Server): Task<void> {
    const { superblock } = server;
    const { client } = superblock;
    const sync = { name: 'Tfsync', fid: superblock.root.fid, datasync: 0 } as const;
    const [told] = yield* client.all([{ message: sync }]);
    // A volume that could not be written goes like any other: its journal is left for the next mount.
    yield* clunk(superblock, superblock.root.fid);
    superblock.gone = true;
    this.#remove(kernel, server);
    if (superblock.writeError !== undefined) fail(superblock.writeError);
    client.expect('Tfsync', told);
  }

  /**
   * The disk of a volume goes: what it served fails with EIO. Call what is returned when the driver has
   * dropped what the volume asked for.
   */
  pullOut(kernel: Kernel, server: Server): () => void {
    abandon(kernel, server.superblock);
    this.#forget(kernel, server);
    if (server.runHere) return server.release;
    let holding = 2; // its worker, and its requests at the driver
    const release = (): void => {
      if (--holding === 0) server.release();
    };
    this.#link.whenGone(server.seat, () => {
      this.spares.arrived(server.seat);
      release();
    });
    this.#link.send({ type: 'powerOff', seat: server.seat });
    return release;
  }

  /** A signal to a server: SIGKILL ends its worker, SIGSTOP stops it, SIGCONT lets it go on. */
  signal(kernel: Kernel, process: Process, signal: number): void {
    const server = this.servers.find((s) => s.process === process);
    if (server !== undefined) this.#signalServer(kernel, server, signal);
  }

  #signalServer(kernel: Kernel, server: Server, signal: number): void {
    const bell = new Bell(kernel.ram, server.seat);
    if (signal === SIGKILL) this.end(kernel, server, { cause: 'ordered', why: 'by a signal' });
    else if (signal === SIGSTOP && server.state === 'running') {
      server.state = 'stopped';
      bell.hold('held');
    } else if (signal === SIGCONT && server.state === 'stopped') {
      server.state = 'running';
      bell.hold('free');
    }
  }

  /** kill -9 of every server of this name: its program's, its own, or what it serves. */
  killNamed(kernel: Kernel, name: string): void {
    for (const server of [...this.servers]) {
      if (![server.name, server.instance, server.superblock.source].includes(name)) continue;
      if (server.runHere === undefined) this.#signalServer(kernel, server, SIGKILL);
      else kernel.log(`${nameOf(server)}: not killed: the kernel itself serves it`);
    }
  }

  /** Ends a server's worker; another one takes its place when it is gone. */
  end(kernel: Kernel, server: Server, ending: Ending): void {
    if (server.ending || server.state === 'ending') return;
    const ordered = server.state === 'stopped';
    server.ending = ordered ? { ...ending, cause: 'ordered' } : ending;
    server.downSinceMs ??= kernel.clock.monotonicMs();
    this.#link.send({ type: 'powerOff', seat: server.seat });
  }

  /** The worker of a seat ended: if it was a server's, another one takes its place. */
  gone(kernel: Kernel, seat: number, reason: string): boolean {
    const spare = this.spares.gone(seat);
    const server = this.servers.find((s) => s.seat === (spare?.took ?? seat));
    if (server === undefined) {
      if (spare && reason) kernel.log(`seat ${seat}: worker died: ${reason}`);
      return spare !== undefined || this.#places.some((place) => place.seat === seat);
    }
    this.spares.arrived(server.seat);
    if (server.state === 'ending') return true;
    const failed = server.ending?.cause !== 'ordered';
    const mute = failed && server.role === 'volume' && !hasSpoken(server);
    if (mute && server.failures.length + 1 >= MUTE_WORKERS) this.#miss(kernel, server, reason);
    else if (!this.#restarted(kernel, server, reason)) this.#giveUp(kernel, server);
    return true;
  }

  /** No worker comes up: whoever attaches to it is told, and goes on without. */
  #miss(kernel: Kernel, server: Server, reason: string): void {
    const why = server.ending?.why ?? (reason.split('\n', 1)[0] || 'it ended');
    kernel.log(`${nameOf(server)}: its daemon does not come up: ${why}`);
    server.missing = true;
    this.spares.forgo(server.role);
    this.#forget(kernel, server);
    server.release();
  }

  /** The kernel served it itself, and came upon a bug: nobody is there to take its place. */
  #failed(kernel: Kernel, server: Server, what: string): void {
    kernel.log(`${nameOf(server)}: given up, what it served fails with EIO: ${what}`);
    kernel.executor.after(0, () => {
      if (server.state !== 'ending') this.#giveUp(kernel, server);
    });
  }

  #restarted(kernel: Kernel, server: Server, reason: string): boolean {
    try {
      return restart(kernel, server, reason);
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      kernel.log(`${nameOf(server)}: cannot be started again: ${error.message}`);
      return false;
    }
  }

  /** Everything that it served answers EIO from now on. */
  #giveUp(kernel: Kernel, server: Server): void {
    const stranded = server.role === 'driver' ? this.volumesOf(server) : [];
    this.#forget(kernel, server);
    abandon(kernel, server.superblock);
    // What it asked of its driver may still move its memory; longer than this no driver takes.
    kernel.executor.after(SILENT_MS, server.release);
    // A volume would wait for its disk for ever, and everybody for the volume.
    for (const volume of stranded) {
      kernel.log(`${nameOf(volume)}: its driver is gone, and it with it`);
      abandon(kernel, volume.superblock);
      this.#remove(kernel, volume);
    }
  }

  /** Undefined: it has a worker of its own, and none comes up. */
  *#start(kernel: Kernel, parts: Parts): Task<Server | undefined> {
    const server = this.#assemble(kernel, parts);
    const { superblock } = server;
    this.servers.push(server);
    activate(kernel, server);
    try {
      const found = yield* attach(superblock.client, { aname: '' });
      superblock.root = iget(kernel, superblock, found);
      superblock.root.refs++;
    } catch (error) {
      superblock.gone = true;
      if (server.missing) return undefined;
      this.#remove(kernel, server);
      throw error instanceof PosixError ? new PosixError(error.errno, TOLD) : error;
    }
    recovered(kernel, server);
    return server;
  }

  #assemble(kernel: Kernel, parts: Parts): Server {
    const { executor, grants, clock } = kernel;
    const { role, session, source, readOnly, delegate, type, runHere } = parts;
    const [requests, replies] = ringsOf(kernel, session) as [Ring, Ring];
    const ledger = new FidLedger(role === 'driver' ? 'names' : 'qids');
    const transport = new RingTransport({
      ...{ executor, grants, requests, replies, delegate },
      faults: new MessageFaults({ gate: kernel.faults.gate, service: 'kernel', executor }),
      recovery: {
        ledger,
        replay: role === 'driver' ? byName : byQid,
        // Without a fid nothing was replayed, nor answered: whoever attaches still waits.
        onRecovered: () => ledger.live.length > 0 && recovered(kernel, server),
        onPoison: ({ name }) =>
          kernel.log(`${nameOf(server)}: ${name} killed it again and again: answered with EIO`),
      },
    });
    const client = new NinepClient(transport);
    client.refuses = kernel.faults.refuses.fids;
    const cached = role === 'volume';
    const dev = this.#nextDevice++;
    const server: Server = {
      ...{ role, ledger, transport, seat: parts.seat, name: parts.name, instance: parts.name },
      superblock: new Superblock({
        dev,
        type,
        source,
        client,
        cached,
        volatile: !cached,
        readOnly,
      }),
      process: runHere
        ? undefined
        : kernel.processes.addRoot({
            name: parts.name,
            cwd: kernel.mounts.root,
            startedMs: clock.monotonicMs(),
            server: true,
          }),
      rings: [
        { name: `${source}.requests`, ring: requests },
        { name: `${source}.replies`, ring: replies },
      ],
      served: [requests, replies, ...parts.served],
      used: parts.used,
      ...{ runHere, guest: undefined, usedBefore: sentBy(parts.used), missing: false },
      orders: parts.orders,
      release: parts.release,
      ...{ state: 'starting', ending: undefined, restarts: 0, failures: [], degraded: false },
      ...{ downSinceMs: undefined, lastPauseMs: 0, releaseFids: () => undefined },
    };
    return server;
  }

  #remove(kernel: Kernel, server: Server): void {
    if (!this.#forget(kernel, server)) return;
    if (server.runHere) {
      server.release();
      return;
    }
    this.#link.whenGone(server.seat, () => {
      this.spares.arrived(server.seat);
      server.release();
    });
    this.#link.send({ type: 'powerOff', seat: server.seat });
  }

  #forget(kernel: Kernel, server: Server): boolean {
    const at = this.servers.indexOf(server);
    if (at < 0) return false;
    server.state = 'ending';
    this.servers.splice(at, 1);
    server.guest?.stop();
    server.transport.kill();
    server.releaseFids();
    server.releaseFids = () => undefined;
    if (server.process) kernel.processes.remove(server.process);
    return true;
  }
}

/** Gives the rings between a volume and its driver to the worker of a seat. */
function reseat([requests, replies]: readonly Ring[], seat: number): void {
  requests?.reseat({ producer: seat });
  replies?.reseat({ consumer: seat });
}

// Mounting a volume of HFS, HFS Plus or HFSX: finds it (in its wrapper, if it has one), replays its
// journal or our own log, marks it as mounted; and the way back. TN1150; Inside Macintosh: Files.

import { EMEDIUMTYPE, EUCLEAN, PosixError } from '../../kernel/abi/errno.ts';
import type { Label } from '../../kernel/ipc/fault/places.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import type { Epoch } from '../lib/cache/block-cache.ts';
import { Mover } from '../lib/data/mover.ts';
import { Engine } from '../lib/engine.ts';
import type { MountedVolume, MountFormat, MountRequest } from '../lib/mounted.ts';
import { readProbe } from '../lib/probe.ts';
import { finishWork } from '../lib/serve/long-work.ts';
import type { Run } from './fork/fork-data.ts';
import { HfsFs } from './fs.ts';
import { engineSectors, readSectors, writeSectors } from './journal/bytes.ts';
import { findLog } from './journal/find.ts';
import type { LogPlace, LogState } from './journal/format.ts';
import { chooseRoom, markOwn, ownPlace, putOwnLog, removeOwnLog } from './journal/own-log.ts';
import { replay } from './journal/replay.ts';
import { WriteAhead } from './journal/write-ahead.ts';
import {
  ALTERNATE_FROM_END,
  BINARY_COMPARE,
  HEADER_OFFSET,
  HFSX_SIGNATURE,
  VOLUME_INCONSISTENT,
  VOLUME_UNMOUNTED,
} from './ondisk.ts';
import { type MountOptions, readOptions } from './options.ts';
import {
  embeddedPlace,
  isClean,
  isLocked,
  openVolume,
  type Volume,
  withBinaryNames,
} from './volume/volume.ts';
import { DeviceWindow } from './window.ts';

/** Milliseconds between commits that nobody asks for. */
const COMMIT_MS = 5000;
const NAMELESS_AT_ONCE = 64;
const SECTOR = 512;

export const mountHfs: MountFormat = (request) => mount(request, 'hfs');
export const mountHfsPlus: MountFormat = (request) => mount(request, 'hfs+');

function* mount(request: MountRequest, kind: Volume['kind']): Task<MountedVolume> {
  const options = readOptions(request.options);
  let inside = request;
  let probe = yield* readProbe(request);
  const place = kind === 'hfs+' ? embeddedPlace(probe, request.device.sizeBytes) : undefined;
  if (place !== undefined) {
    inside = { ...request, device: new DeviceWindow(request.device, place) };
    probe = yield* readProbe(inside);
  }
  const volume = openVolume(probe, inside.device.sizeBytes);
  const wrapper = kind === 'hfs' && embeddedPlace(probe, request.device.sizeBytes) !== undefined;
  if (volume.kind !== kind || wrapper) throw new PosixError(EMEDIUMTYPE, `no volume of ${kind}`);
  const mounted = new HfsMount(inside, volume, options);
  yield* mounted.open();
  return mounted;
}

class HfsMount implements MountedVolume {
  readonly format: string;
  readonly engine: Engine;
  readonly #request: MountRequest;
  readonly #options: MountOptions;
  #volume: Volume;
  #readOnly: boolean;
  #fs: HfsFs;
  #mover: Mover;
  #writeback: WriteAhead | undefined;
  /** Allocation blocks of our own log. */
  #room: Run | undefined;
  #journal: LogPlace | undefined;
  #writeCount = 0; // of the header on the disk
  #alternate = ''; // what the alternate header says of the special files
  #mounted = true;

  constructor(request: MountRequest, volume: Volume, options: MountOptions) {
    this.#request = request;
    this.#options = options;
    this.#volume = volume;
    this.format = volume.kind;
    this.#readOnly = options.readOnly || request.readOnly || request.device.readOnly;
    const { unit, identity } = volume;
    this.engine = new Engine({ ...request, blockSize: unit, volume: identity });
    this.#fs = this.#newFs();
    this.#mover = new Mover(this.engine, this.#fs);
  }

  get fs(): HfsFs {
    return this.#fs;
  }

  get mover(): Mover {
    return this.#mover;
  }

  get readOnly(): boolean {
    return this.#readOnly;
  }

  *open(): Task<void> {
    const log = yield* this.#findLog();
    if (log !== undefined && log.start !== log.end) yield* this.#replay(log);
    if (isLocked(this.#volume)) this.#stayReadOnly('it is locked');
    const dirty = !isClean(this.#volume) && log === undefined;
    if (dirty && !this.#request.resume && !this.#options.force)
      this.#stayReadOnly('it was not unmounted and is to be checked (fsck.hfs)');
    yield* this.#look();
    this.#tellPlaces();
    if (this.#readOnly) {
      this.#fs.readOnly = true;
      return;
    }
    yield* this.#startWriting();
    yield* this.#finishNameless();
    if (this.#request.resume) this.#mover.unflushed = true;
    this.#request.executor.start(this.#commitLoop(), 'commit timer');
  }

  *commit(): Task<void> {
    if (this.#readOnly || this.#writeback === undefined) return;
    yield* this.#writeback.commit();
    yield* this.#keepAlternate();
  }

  *checkpoint(): Task<void> {
    yield* this.commit();
  }

  *unmount(): Task<void> {
    if (!this.#mounted) return;
    this.#mounted = false;
    if (!this.#readOnly) {
      yield* this.commit();
      yield* this.#editHeader((bits) => bits | VOLUME_UNMOUNTED);
      this.#alternate = '';
      yield* this.#keepAlternate();
      if (this.#room !== undefined) yield* removeOwnLog(this.engine, this.#volume);
    }
    this.engine.cache.close();
  }

  continueWork(...[tx, work]: Parameters<MountedVolume['continueWork']>): boolean {
    return this.#fs.truncateStep(tx, work.ino, work);
  }

  #newFs(): HfsFs {
    const { hooks } = this.#request;
    const { cache } = this.engine;
    const inRoom = (block: number): boolean => {
      const room = this.#room;
      return room !== undefined && block >= room.start && block < room.start + room.count;
    };
    return new HfsFs({
      volume: this.#volume,
      readOnly: this.#readOnly,
      defaults: this.#options,
      reserved: () => this.#room?.count ?? 0,
      env: {
        unfinished: (ino) => hooks.unfinished(ino),
        refuses: (pool) => hooks.refuses?.(pool) ?? false,
        freed: ({ start, count }) => cache.running.freed.add(start, count),
        isBusy: (block) =>
          inRoom(block) ||
          cache.running.freed.has(block) ||
          (cache.committing?.freed.has(block) ?? false),
      },
    });
  }

  #stayReadOnly(why: string): void {
    if (!this.#readOnly) this.#request.log(`read-only: ${why}`);
    this.#readOnly = true;
  }

  *#findLog(): Task<LogState | undefined> {
    const header = yield* this.#readHeader();
    this.#writeCount = this.#volume.head(new DataView(header.buffer), 0).writeCount;
    const { log, why } = yield* findLog(engineSectors(this.engine), this.#volume);
    if (why !== undefined) this.#stayReadOnly(why);
    if (this.#volume.journalInfoBlock !== 0) this.#journal = log?.place;
    return log;
  }

  *#replay(log: LogState): Task<void> {
    if (this.#readOnly) {
      this.#request.log('its log is not empty, and is not replayed as the volume is read-only');
      return;
    }
    const lists = yield* replay(engineSectors(this.engine), log);
    this.#request.log(`log replayed: ${lists} ${lists === 1 ? 'list' : 'lists'}`);
    this.engine.cache.dropClean();
    const probe = yield* readProbe(this.#request);
    this.#volume = openVolume(probe, this.#request.device.sizeBytes);
    this.#writeCount = this.#volume.head(
      new DataView(probe.buffer, probe.byteOffset),
      HEADER_OFFSET,
    ).writeCount;
    this.#restart();
  }

  #restart(): void {
    this.#fs = this.#newFs();
    this.#mover = new Mover(this.engine, this.#fs);
  }

  /** Before anything is written: how names compare, and that the root folder is there. */
  *#look(): Task<void> {
    const { engine } = this;
    const compare = yield* engine.run((tx) => this.#fs.op(tx).catalog.tree.header.keyCompareType, {
      changes: false,
    });
    const header = yield* this.#readHeader();
    const signature = new DataView(header.buffer).getUint16(0);
    if (signature === HFSX_SIGNATURE && compare === BINARY_COMPARE) {
      this.#volume = withBinaryNames(this.#volume);
      this.#restart();
    }
    yield* engine.run((tx) => this.#fs.attach(tx), { changes: false });
    yield* engine.run((tx) => this.#fs.op(tx).extents.header.treeDepth, { changes: false });
  }

  *#startWriting(): Task<void> {
    const { engine } = this;
    if (this.#journal === undefined) {
      this.#room = yield* engine.run((tx) => chooseRoom(this.#fs.op(tx)), { changes: false });
    }
    const place = this.#journal ?? (this.#room && ownPlace(this.#volume, this.#room));
    if (place === undefined) this.#request.log('no room for a log: a power cut may damage it');
    this.#writeback = new WriteAhead({
      ...{ engine, mover: this.#mover, place },
      mark: (header, epoch) => this.#mark(header, epoch, place),
      onFailure: (error) => this.#degrade(error),
      onOverflow: (blocks) =>
        this.#request.log(`${blocks} blocks are more than the log holds: written without it`),
    });
    // Before the volume says that it is mounted: a log that belongs to it as it is.
    if (this.#room !== undefined && place) yield* putOwnLog(engine, place, this.#writeCount);
    engine.writeback = this.#writeback;
    yield* this.#editHeader((bits) => bits & ~VOLUME_UNMOUNTED);
  }

  #mark(header: Uint8Array, epoch: Epoch, place: LogPlace | undefined): void {
    const frame = epoch.blocks.get(Math.floor(HEADER_OFFSET / this.#volume.unit));
    const before = this.#writeCount;
    const after = frame
      ? this.#volume.head(frame.view, HEADER_OFFSET % this.#volume.unit).writeCount
      : before;
    if (this.#room !== undefined && place !== undefined)
      markOwn(header, { bufferAt: place.bufferAt, before, after });
    const start = new DataView(header.buffer).getBigUint64(8, true);
    const end = new DataView(header.buffer).getBigUint64(16, true);
    if (start === end) this.#writeCount = after; // the header is home
  }

  #degrade(error: PosixError): void {
    this.#fs.readOnly = true;
    this.#request.log(`write-back failed, the volume is read-only from now on: ${error.message}`);
  }

  *#editHeader(change: (attributes: number) => number): Task<void> {
    yield* this.engine.run(
      (tx) => {
        const head = this.#fs.op(tx).editHead();
        head.attributes = change(head.attributes) & ~VOLUME_INCONSISTENT;
      },
      { changes: true },
    );
    yield* this.#writeback?.commit() ?? nothing();
  }

  *#readHeader(): Task<Uint8Array> {
    return yield* readSectors(this.engine, HEADER_OFFSET, SECTOR);
  }

  /** The alternate header tells where the trees are, should the header be lost: it follows their growth. */
  *#keepAlternate(): Task<void> {
    const header = yield* this.#readHeader();
    const forks = header.subarray(this.#volume.kind === 'hfs' ? 130 : 112).join();
    if (forks === this.#alternate) return;
    yield* writeSectors(this.engine, this.#volume.sizeBytes - ALTERNATE_FROM_END, header);
    yield* this.engine.device.flush();
    this.#alternate = forks;
  }

  /**
   * Deletes files that were open without a name when the system ended. Each is tried once: one that its
   * thread does not lead to stays, for fsck.hfs.
   */
  *#finishNameless(): Task<void> {
    const { hooks, resume, log } = this.#request;
    const tried = new Set<number>();
    for (let more = true; more; ) {
      const files = yield* this.#nameless({ except: tried, most: NAMELESS_AT_ONCE });
      for (const ino of files) {
        tried.add(ino);
        if (resume)
          hooks.unfinished(ino); // the client may have it open
        else yield* this.#finish(ino);
      }
      more = files.length > 0;
    }
    if (resume || tried.size === 0) return;
    const left = yield* this.#nameless({ except: new Set(), most: tried.size });
    log(`${tried.size - left.length} files without a name deleted`);
    if (left.length > 0) log(`files without a name that cannot be deleted: ${left.join()}`);
  }

  #nameless(which: { except: ReadonlySet<number>; most: number }): Task<number[]> {
    return this.engine.run((tx) => this.#fs.nameless(tx, which), { changes: false });
  }

  *#finish(ino: number): Task<void> {
    try {
      yield* finishWork(this, { ino, inUse: () => false });
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EUCLEAN) throw error;
      this.#request.log(`a file without a name: ${error.message}`);
    }
  }

  #tellPlaces(): void {
    const { label } = this.#request.hooks;
    if (label === undefined) return;
    const labels: Label[] = [{ tag: 'super', start: HEADER_OFFSET / SECTOR, count: 1 }];
    const { journalInfoBlock, sizeBytes } = this.#volume;
    labels.push({ tag: 'super', start: (sizeBytes - ALTERNATE_FROM_END) / SECTOR, count: 1 });
    const journal = this.#journal;
    if (journalInfoBlock !== 0 && journal !== undefined)
      labels.push({
        ...{ tag: 'journal', start: journal.bufferAt / SECTOR, count: journal.size / SECTOR },
      });
    label(labels);
  }

  *#commitLoop(): Task<void> {
    const { executor } = this.#request;
    while (this.#mounted) {
      yield* executor.pause(COMMIT_MS, 'idle');
      if (!this.#mounted) return;
      try {
        if (this.engine.cache.running.blocks.size > 0) yield* this.commit();
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        return; // the volume is degraded, and the log says so
      }
    }
  }
}

function* nothing(): Task<void> {}

// The IDE driver: finds the controller on the PCI bus, resets its channels and offers the drives that
// answer (ATA/ATAPI-6, Bus Master IDE 1.0).

import type { PciFunction } from '../../kernel/abi/board.ts';
import { ENODEV, PosixError } from '../../kernel/abi/errno.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../../kernel/ipc/task.ts';
import { BouncePool } from '../lib/bounce.ts';
import { parseIdentity } from '../lib/identify.ts';
import { queuedDisk } from '../lib/queued-disk.ts';
import type { RamRange, RequestLimits } from '../lib/request.ts';
import type { BlockController, DriverStart, SdDisk } from '../lib/sd-disk.ts';
import type { DiskStats } from '../lib/stats.ts';
import { IdeChannel, PRDT_BYTES, SEGMENTS } from './channel.ts';
import { commandFor, type IdeCommand, identify, standby, TRIM_SECTORS } from './command.ts';
import * as r from './regs.ts';

const BOUNCE_SIZE = 0x1_0000;
const PAYLOAD_SIZE = 512;

const limits: RequestLimits = {
  maxSectors: 2048,
  maxSegments: SEGMENTS,
  maxSegmentBytes: r.PRD_BOUNDARY,
  maxTrimSectors: TRIM_SECTORS,
};

/** A drive's place, and the memory of its own. */
interface Place {
  readonly channel: IdeChannel;
  readonly drive: number;
  readonly name: string; // sdD0
  readonly payload: RamRange;
  readonly stats: DiskStats;
}

/** Brings up the first IDE controller. A drive that does not answer is logged and left out. */
export function* startIde({ board, dma, log, after, stats }: DriverStart): Task<BlockController> {
  const pci = probe(board.pci.functions());
  const ram = new DataView(board.ram);
  const memory = layOut(dma);
  const channels = memory.prdts.map(
    (prdt, channel) => new IdeChannel({ pci, channel, ram, prdt, log, after }),
  );
  pci.onInterrupt(() => {
    for (const channel of channels) channel.interrupt();
  });
  const disks: SdDisk[] = [];
  const places: Place[] = [];
  for (const [index, channel] of channels.entries()) {
    for (let drive = 0; drive < r.DRIVES; drive++) {
      const number = index * r.DRIVES + drive;
      const payload = memory.payloads[number] ?? { address: 0, length: 0 };
      const counts = stats(number);
      const place = { channel, drive, name: `sdD${number}`, payload, stats: counts };
      const disk = yield* startDrive(place, board.ram, log);
      if (disk === undefined) continue;
      disks.push(disk);
      places.push(place);
    }
  }
  return {
    disks,
    bounce: new BouncePool(memory.bounce),
    *settled() {}, // nothing comes or goes under power
    reset: () => {
      log('ide: reset');
      for (const channel of channels) channel.restart();
    },
    *shutdown() {
      for (const disk of disks) yield* disk.submit({ op: 'flush', lba: 0, count: 0, segments: [] });
      for (const place of places) yield* perform(place, standby);
    },
  };
}

/** PCI §6: finds the function by its class and switches its I/O space and DMA on. */
function probe(functions: readonly PciFunction[]): PciFunction {
  const found = functions.find((pci) => pci.configRead(0x08, 4) >>> 8 === r.PCI_CLASS_IDE);
  if (!found) throw new PosixError(ENODEV, 'ide: no controller on the PCI bus');
  const ioAndBusMaster = 0x5;
  found.configWrite(0x04, 2, found.configRead(0x04, 2) | ioAndBusMaster);
  return found;
}

/** PRDTs first, each within 64 KiB; then the drives' payloads; the rest bounces. */
function layOut(dma: RamRange): { prdts: RamRange[]; payloads: RamRange[]; bounce: RamRange[] } {
  let at = Math.ceil(dma.address / PRDT_BYTES) * PRDT_BYTES;
  const take = (count: number, length: number): RamRange[] =>
    Array.from({ length: count }, () => {
      const range = { address: at, length };
      at += length;
      return range;
    });
  const prdts = take(r.CHANNELS, PRDT_BYTES);
  const payloads = take(r.CHANNELS * r.DRIVES, PAYLOAD_SIZE);
  const room = Math.floor((dma.address + dma.length - at) / BOUNCE_SIZE);
  if (room < 1) throw new PosixError(ENODEV, `ide: ${dma.length} bytes of DMA memory`);
  return { prdts, payloads, bounce: take(Math.min(room, 4), BOUNCE_SIZE) };
}

function* startDrive(
  place: Place,
  ram: SharedArrayBuffer,
  log: (line: string) => void,
): Task<SdDisk | undefined> {
  const { channel, drive, name, payload, stats } = place;
  try {
    if (drive === 0) channel.reset();
    if (!channel.detect(drive)) return undefined;
    const view = new DataView(ram);
    yield* perform(place, identify(payload));
    const identity = parseIdentity(view, payload.address);
    const means = { dma: channel.hasDma, payload, ram: view };
    let running = false;
    return queuedDisk(
      { ...identity, trim: identity.trim && means.dma },
      {
        ...{ name, ram, limits, stats },
        freeSlots: () => (running ? 0 : 1),
        issue: (request, finish) => {
          running = true;
          channel.issue(
            { drive, name },
            () => commandFor(request, means),
            (fault) => {
              running = false;
              finish(fault);
            },
          );
        },
      },
    );
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    log(`${name}: ${error.message}`);
    return undefined;
  }
}

/** Runs one command outside the queue. */
function* perform({ channel, drive, name }: Place, command: IdeCommand): Task<void> {
  const over = new WaitQueue(`${name} ${command.name}`);
  let done = false;
  let fault: PosixError | undefined;
  channel.issue(
    { drive, name },
    () => command,
    (result) => {
      done = true;
      fault = result;
      wakeAll(over);
    },
  );
  while (!done) yield* sleep(over);
  if (fault) throw fault;
}

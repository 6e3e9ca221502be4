// The AHCI driver: finds the controller on the PCI bus, brings it up and offers its disks.
// AHCI 1.3.1 §10.1.

import type { Mmio, PciFunction } from '../../kernel/abi/board.ts';
import { EIO, ENODEV, PosixError } from '../../kernel/abi/errno.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../../kernel/ipc/task.ts';
import { MAX_SECTORS_48 } from '../lib/ata-regs.ts';
import { BouncePool } from '../lib/bounce.ts';
import { type DiskIdentity, parseIdentity } from '../lib/identify.ts';
import { queuedDisk } from '../lib/queued-disk.ts';
import type { RequestLimits } from '../lib/request.ts';
import type { BlockController, DriverStart, SdDisk } from '../lib/sd-disk.ts';
import type { DiskStats } from '../lib/stats.ts';
import { type Command, commandFor, identify, standby, TRIM_LIMIT } from './command.ts';
import { layOut, type PortMemory } from './memory.ts';
import { AhciPort } from './port.ts';
import * as r from './regs.ts';

const POLL_LIMIT = 1000;

const limits: RequestLimits = {
  maxSectors: MAX_SECTORS_48,
  maxSegments: r.MAX_PRDT,
  maxSegmentBytes: r.PRD_MAX_BYTES,
  maxTrimSectors: TRIM_LIMIT,
};

/** Brings up the first AHCI controller. A disk that does not answer is logged and left out. */
export function* startAhci(options: DriverStart): Task<BlockController> {
  const pci = probe(options.board.pci.functions());
  const hba = pci.bar(r.ABAR);
  if (!hba) throw new PosixError(ENODEV, 'ahci: the controller has no BAR 5');
  resetHba(hba);
  const controller = new AhciController(options, { pci, hba });
  controller.bringUp();
  yield* controller.settled();
  return controller;
}

/** PCI §6: finds the function by its class and switches its memory and DMA on. */
function probe(functions: readonly PciFunction[]): PciFunction {
  const found = functions.find((pci) => pci.configRead(0x08, 4) >>> 8 === r.PCI_CLASS_AHCI);
  if (!found) throw new PosixError(ENODEV, 'ahci: no controller on the PCI bus');
  const memoryAndBusMaster = 0x6;
  found.configWrite(0x04, 2, found.configRead(0x04, 2) | memoryAndBusMaster);
  return found;
}

/** §10.4.3. */
function resetHba(hba: Mmio): void {
  hba.write32(r.HBA_GHC, r.GHC_AE);
  hba.write32(r.HBA_GHC, r.GHC_AE + r.GHC_HR);
  for (let i = 0; hba.read32(r.HBA_GHC) & r.GHC_HR; i++)
    if (i === POLL_LIMIT) throw new PosixError(EIO, 'ahci: the controller does not end its reset');
  hba.write32(r.HBA_GHC, r.GHC_AE);
}

function implementedPorts(hba: Mmio): number[] {
  const implemented = hba.read32(r.HBA_PI);
  const ports = Array.from({ length: r.MAX_PORTS }, (_, port) => port);
  return ports.filter((port) => implemented & (1 << port));
}

const portsWithDevice = (hba: Mmio): number[] =>
  implementedPorts(hba).filter((port) => {
    const detected = hba.read32(r.portBase(port) + r.PORT_SSTS) & r.SSTS_DET_MASK;
    return detected === r.SSTS_DET_PRESENT;
  });

interface Found {
  readonly pci: PciFunction;
  readonly hba: Mmio;
}

/** The controller with the disks that it has just now: they come and go by the phy's events (§10.10). */
class AhciController implements BlockController {
  readonly disks: SdDisk[] = [];
  readonly bounce: BouncePool;
  readonly #options: DriverStart;
  readonly #pci: PciFunction;
  readonly #hba: Mmio;
  readonly #ports = new Map<number, AhciPort>();
  readonly #memory: PortMemory[];
  readonly #up = new WaitQueue('ahci: disks come up');
  #comingUp = 0;

  constructor(options: DriverStart, { pci, hba }: Found) {
    this.#options = options;
    this.#pci = pci;
    this.#hba = hba;
    const slots = ((hba.read32(r.HBA_CAP) >> r.CAP_NCS_SHIFT) & r.CAP_NCS_MASK) + 1;
    const memory = layOut(options.dma, portsWithDevice(hba).length, slots);
    this.#memory = memory.ports.reverse();
    this.bounce = new BouncePool(memory.bounce);
  }

  bringUp(): void {
    this.#pci.onInterrupt(() => this.#interrupt());
    this.#hba.write32(r.HBA_GHC, this.#hba.read32(r.HBA_GHC) | r.GHC_IE);
    for (const port of implementedPorts(this.#hba)) this.#listen(port);
  }

  *settled(): Task<void> {
    this.#options.board.pci.look();
    this.#pci.step();
    this.#interrupt(); // also when the one that told of it was lost
    while (this.#comingUp > 0) yield* sleep(this.#up);
  }

  /** Resets the controller and issues again what was not done; doing a command twice does no harm. */
  reset(): void {
    this.#options.log('ahci: reset');
    resetHba(this.#hba);
    for (const port of this.#ports.values()) port.restart();
    this.#hba.write32(r.HBA_GHC, this.#hba.read32(r.HBA_GHC) | r.GHC_IE);
    for (const port of implementedPorts(this.#hba)) if (!this.#ports.has(port)) this.#listen(port);
  }

  *shutdown(): Task<void> {
    for (const disk of this.disks)
      yield* disk.submit({ op: 'flush', lba: 0, count: 0, segments: [] });
    for (const port of this.#ports.values()) yield* command(port, () => standby);
  }

  /** §10.7.2: each port that asks is served, then its bit is cleared. */
  #interrupt(): void {
    const pending = this.#hba.read32(r.HBA_IS);
    let left = pending;
    for (const [number, port] of this.#ports) {
      if ((pending & (1 << number)) === 0) continue;
      left &= ~(1 << number);
      port.interrupt();
    }
    for (let number = 0; left !== 0; number++, left >>>= 1) if (left & 1) this.#listen(number);
    this.#hba.write32(r.HBA_IS, pending);
  }

  /** A port that had no disk: brings up the one that is there, or waits for the phy to tell of one. */
  #listen(number: number): void {
    const base = r.portBase(number);
    this.#hba.write32(base + r.PORT_SERR, 0xffff_ffff);
    this.#hba.write32(base + r.PORT_IS, 0xffff_ffff);
    const detected = this.#hba.read32(base + r.PORT_SSTS) & r.SSTS_DET_MASK;
    if (detected === r.SSTS_DET_PRESENT) this.#connect(number);
    else this.#hba.write32(base + r.PORT_IE, r.IS_PCS | r.IS_PRCS);
  }

  #connect(number: number): void {
    const name = `sdC${number}`;
    const memory = this.#memory.pop();
    if (memory === undefined) {
      this.#options.log(`${name}: no DMA memory is left for one more disk`);
      return;
    }
    const { board, log, after } = this.#options;
    const port = new AhciPort({
      ...{ hba: this.#hba, ram: new DataView(board.ram), log, after, name, port: number, memory },
      serveInterrupts: () => this.#interrupt(),
      onPulled: () => this.#pulled(number, port),
    });
    this.#ports.set(number, port);
    this.#comingUp++;
    let at = 0;
    try {
      port.start();
      port.issue(
        (slot) => {
          const data = memory.payload(slot);
          at = data.address;
          return identify(data);
        },
        (fault) => this.#identified(number, port, fault ?? at),
      );
    } catch (error) {
      this.#identified(number, port, error);
    }
  }

  /** `answer`: where IDENTIFY DEVICE left its data, or why there is none. */
  #identified(number: number, port: AhciPort, answer: unknown): void {
    const { board, log, stats } = this.#options;
    try {
      if (typeof answer !== 'number') throw answer;
      const at = answer;
      const identity = parseIdentity(new DataView(board.ram), at);
      if (this.#hba.read32(r.HBA_CAP) & r.CAP_SNCQ) port.queueDepth = identity.queueDepth;
      this.disks.push(makeDisk(port, identity, { ram: board.ram, stats: stats(number) }));
      this.disks.sort((a, b) => numberOf(a) - numberOf(b));
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      log(`${port.name}: ${error.message}`);
      this.#drop(number, port);
    } finally {
      this.#comingUp--;
      wakeAll(this.#up);
    }
  }

  #pulled(number: number, port: AhciPort): void {
    this.#options.log(`${port.name}: was pulled out`);
    this.#drop(number, port);
    this.#listen(number);
  }

  #drop(number: number, port: AhciPort): void {
    if (this.#ports.get(number) !== port) return;
    this.#ports.delete(number);
    this.#memory.push(port.memory);
    const at = this.disks.findIndex(({ name }) => name === port.name);
    if (at >= 0) this.disks.splice(at, 1);
  }
}

const numberOf = ({ name }: SdDisk): number => Number(name.replace(/^\D+/, ''));

/** Runs one command outside the queue. */
function* command(port: AhciPort, build: (slot: number) => Command): Task<void> {
  const over = new WaitQueue(`${port.name} command`);
  let done = false;
  let fault: PosixError | undefined;
  port.issue(build, (result) => {
    done = true;
    fault = result;
    wakeAll(over);
  });
  while (!done) yield* sleep(over);
  if (fault) throw fault;
}

interface Around {
  readonly ram: SharedArrayBuffer;
  readonly stats: DiskStats;
}

function makeDisk(port: AhciPort, identity: DiskIdentity, { ram, stats }: Around): SdDisk {
  const view = new DataView(ram);
  return queuedDisk(identity, {
    ...{ name: port.name, ram, limits, stats },
    freeSlots: () => port.freeSlots,
    issue: (request, finish) => {
      const { queued } = port;
      port.issue((slot) => {
        return commandFor(request, { payload: port.memory.payload(slot), ram: view, queued });
      }, finish);
    },
  });
}

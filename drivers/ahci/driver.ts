// The AHCI driver: finds the controller on the PCI bus, brings it up and offers its disks.
// AHCI 1.3.1 §10.1.

import type { Mmio, PciFunction } from '../../kernel/abi/board.ts';
import { EIO, ENODEV, PosixError } from '../../kernel/abi/errno.ts';
import { sleep, type Task, WaitQueue, wakeAll } from '../../kernel/ipc/task.ts';
import { MAX_SECTORS_48 } from '../lib/ata-regs.ts';
import { BouncePool } from '../lib/bounce.ts';
import { type DiskIdentity, parseIdentity } from '../lib/identify.ts';
import { queuedDisk } from '../lib/queued-disk.ts';
import type { RamRange, RequestLimits } from '../lib/request.ts';
import type { BlockController, DriverStart, SdDisk } from '../lib/sd-disk.ts';
import { type Command, commandFor, identify, standby, TRIM_LIMIT } from './command.ts';
import { layOut } from './memory.ts';
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
export function* startAhci({ board, dma, log, after }: DriverStart): Task<BlockController> {
  const pci = probe(board.pci.functions());
  const hba = pci.bar(r.ABAR);
  if (!hba) throw new PosixError(ENODEV, 'ahci: the controller has no BAR 5');
  resetHba(hba);
  const present = portsWithDevice(hba);
  const slots = ((hba.read32(r.HBA_CAP) >> r.CAP_NCS_SHIFT) & r.CAP_NCS_MASK) + 1;
  const memory = layOut(dma, present.length, slots);
  const ram = new DataView(board.ram);
  const ports = new Map<number, AhciPort>();
  present.forEach((port, i) => {
    const own = memory.ports[i];
    const name = `sdC${port}`;
    if (own) {
      const common = { hba, ram, log, after, serveInterrupts: () => interrupt(hba, ports) };
      ports.set(port, new AhciPort({ ...common, name, port, memory: own }));
    }
  });
  pci.onInterrupt(() => interrupt(hba, ports));
  hba.write32(r.HBA_GHC, hba.read32(r.HBA_GHC) | r.GHC_IE);
  const disks: SdDisk[] = [];
  for (const [number, port] of ports) {
    const disk = yield* startDisk(port, { ram: board.ram, log });
    if (disk) disks.push(disk);
    else ports.delete(number);
  }
  return {
    disks,
    bounce: new BouncePool(memory.bounce),
    reset: () => resetAll(hba, ports, log),
    shutdown: () => shutdown(disks, [...ports.values()]),
  };
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

function portsWithDevice(hba: Mmio): number[] {
  const implemented = hba.read32(r.HBA_PI);
  const ports: number[] = [];
  for (let port = 0; port < r.MAX_PORTS; port++) {
    if ((implemented & (1 << port)) === 0) continue;
    const detected = hba.read32(r.portBase(port) + r.PORT_SSTS) & r.SSTS_DET_MASK;
    if (detected === r.SSTS_DET_PRESENT) ports.push(port);
  }
  return ports;
}

/** §10.7.2: each port that asks is served, then its bit is cleared. */
function interrupt(hba: Mmio, ports: ReadonlyMap<number, AhciPort>): void {
  const pending = hba.read32(r.HBA_IS);
  for (const [number, port] of ports) if (pending & (1 << number)) port.interrupt();
  hba.write32(r.HBA_IS, pending);
}

function* startDisk(
  port: AhciPort,
  { ram, log }: { ram: SharedArrayBuffer; log: (line: string) => void },
): Task<SdDisk | undefined> {
  try {
    port.start();
    const identity = yield* identifyDisk(port, new DataView(ram));
    return makeDisk(port, identity, ram);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    log(`${port.name}: ${error.message}`);
    return undefined;
  }
}

function* identifyDisk(port: AhciPort, ram: DataView): Task<DiskIdentity> {
  let data: RamRange | undefined;
  yield* command(port, (slot) => {
    data = port.memory.payload(slot);
    return identify(data);
  });
  return parseIdentity(ram, data?.address ?? 0);
}

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

function makeDisk(port: AhciPort, identity: DiskIdentity, ram: SharedArrayBuffer): SdDisk {
  const view = new DataView(ram);
  return queuedDisk(identity, {
    ...{ name: port.name, ram, limits },
    freeSlots: () => port.freeSlots,
    issue: (request, finish) => {
      port.issue((slot) => commandFor(request, port.memory.payload(slot), view), finish);
    },
  });
}

/** Resets the controller and issues again what was not done; doing a command twice does no harm. */
function resetAll(
  hba: Mmio,
  ports: ReadonlyMap<number, AhciPort>,
  log: (line: string) => void,
): void {
  log('ahci: reset');
  resetHba(hba);
  for (const port of ports.values()) port.restart();
  hba.write32(r.HBA_GHC, hba.read32(r.HBA_GHC) | r.GHC_IE);
}

function* shutdown(disks: readonly SdDisk[], ports: readonly AhciPort[]): Task<void> {
  for (const disk of disks) yield* disk.submit({ op: 'flush', lba: 0, count: 0, segments: [] });
  for (const port of ports) yield* command(port, () => standby);
}

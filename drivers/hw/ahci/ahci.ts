// The AHCI controller's model: AHCI 1.3.1 §3.1 generic host control, and the PCI function in front
// of it. What a driver posts is worked on in `step`, and the interrupt is raised at its end.

import type { Mmio, PciFunction } from '../../../kernel/abi/board.ts';
import { diskName } from '../../../kernel/abi/disk/controllers.ts';
import { assert } from '../../../kernel/abi/errno.ts';
import type { FaultGate } from '../../../kernel/ipc/fault/gate.ts';
import * as r from '../../ahci/regs.ts';
import { QUEUE_DEPTH } from '../../lib/ata-regs.ts';
import { AtaDisk } from '../ata/ata.ts';
import { Dma } from '../device/dma.ts';
import { DriveFaults } from '../device/drive-faults.ts';
import { InterruptLine } from '../device/interrupt-line.ts';
import type { Disk } from '../disk/disk.ts';
import { ConfigSpace } from '../pci.ts';
import { AhciPort } from './ahci-port.ts';

const VENDOR = 0x1b36; // the vendor id that emulators use
const DEVICE = 0xa701;

export interface AhciOptions {
  readonly ram: SharedArrayBuffer;
  /** One port for each place; a place without a disk is a port without a device. */
  readonly disks: readonly (Disk | undefined)[];
  /** Ports in all; default: as many as there are places. */
  readonly ports?: number;
  /** The drives' write caches by port: memory of the board, which outlives this model. */
  readonly caches?: readonly (SharedArrayBuffer | undefined)[];
  /** Its place on the bus. */
  readonly device?: number;
  /** Where faults come in; their points are named after the disks. */
  readonly faults?: FaultGate;
  /** Told the host's reasons when a medium fails. */
  readonly log?: (line: string) => void;
}

export interface AhciController extends PciFunction {
  /** The drives by port, for faults and tests. */
  readonly drives: readonly (AtaDisk | undefined)[];
  /** Plugs a disk into an empty port while everything runs. */
  plug(port: number, disk: Disk, cache?: SharedArrayBuffer): void;
  /** Pulls a disk out: what its cache held is lost. */
  unplug(port: number): void;
  /** Cuts the power: the write caches are lost, the images are closed. */
  powerOff(): void;
}

export function createAhciController(options: AhciOptions): AhciController {
  const { ram, disks, caches = [], device = 0, log = () => {} } = options;
  const { ports: portCount = disks.length } = options;
  assert(disks.length <= portCount, `${disks.length} disks at ${portCount} ports`);
  assert(portCount >= 1 && portCount <= r.MAX_PORTS, `${portCount} ports`);
  const dma = new Dma(ram);
  const driveOf = (port: number, disk: Disk, cache?: SharedArrayBuffer): AtaDisk =>
    new AtaDisk({
      ...{ disk, cache, serial: serial(port), log, queueDepth: QUEUE_DEPTH },
      faults: options.faults && new DriveFaults(options.faults, diskName('ahci', port)),
    });
  const drives = Array.from({ length: portCount }, (_, port) => {
    const disk = disks[port];
    return disk && driveOf(port, disk, caches[port]);
  });
  const config = new ConfigSpace({
    vendor: VENDOR,
    device: DEVICE,
    class: r.PCI_CLASS_AHCI,
    revision: 1,
    bars: [{ index: r.ABAR, sizeBytes: r.HBA_SIZE }],
  });
  const hba = new Hba(drives.map((drive) => new AhciPort(dma, drive)));
  const registers = config.gate(hba);
  const interrupts = new InterruptLine(options.faults, 'ahci');
  return {
    bus: 0,
    device,
    function: 0,
    drives,
    configRead: (offset, width) => config.read(offset, width),
    configWrite: (offset, width, value) => config.write(offset, width, value),
    bar: (index) => (index === r.ABAR ? registers : undefined),
    registers: () => undefined,
    onInterrupt: (next) => {
      interrupts.handler = next;
    },
    step: () => {
      if (config.busMasterEnabled) hba.runPorts();
      if (config.interruptsEnabled && hba.takeInterrupt()) interrupts.raise();
      interrupts.step();
      return hba.hasInterrupt || (config.busMasterEnabled && hba.hasWork);
    },
    dueAtMs: () => {
      const times = [...hba.dueAtMs, interrupts.dueAtMs].filter((at) => at !== undefined);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    plug: (port, disk, cache) => {
      drives[port] = driveOf(port, disk, cache);
      hba.plug(port, drives[port]);
    },
    unplug: (port) => {
      drives[port]?.powerOff();
      drives[port] = undefined;
      hba.plug(port, undefined);
    },
    powerOff: () => {
      for (const drive of drives) drive?.powerOff();
    },
  };
}

const serial = (port: number): string => `ATOLL${String(port).padStart(4, '0')}`;

/** The generic registers, and the interrupt line as messages: each new cause raises one. */
class Hba implements Mmio {
  readonly size = r.HBA_SIZE;
  readonly ports: readonly AhciPort[];
  /** Ports that have a device, or had one: nothing ever happens at the others. */
  readonly #used: number[] = [];
  #interruptEnable = false;
  #is = 0;
  #raised = false;

  constructor(ports: readonly AhciPort[]) {
    this.ports = ports;
    ports.forEach((port, i) => {
      if (port.device) this.#used.push(i);
    });
  }

  get hasWork(): boolean {
    for (const i of this.#used) if (this.ports[i]?.ready) return true;
    return false;
  }

  get dueAtMs(): (number | undefined)[] {
    return this.#used.map((i) => this.ports[i]?.dueAtMs);
  }

  plug(port: number, device: AtaDisk | undefined): void {
    if (!this.#used.includes(port)) this.#used.push(port);
    this.ports[port]?.plug(device);
    this.#collect();
  }

  get hasInterrupt(): boolean {
    return this.#raised;
  }

  /** One command of each port. */
  runPorts(): void {
    for (const i of this.#used) this.ports[i]?.step();
    this.#collect();
  }

  takeInterrupt(): boolean {
    const raised = this.#raised;
    this.#raised = false;
    return raised;
  }

  read32(offset: number): number {
    const port = this.#portAt(offset);
    if (port) return port.read(offset & 0x7c) >>> 0;
    return this.#readGeneric(offset) >>> 0;
  }

  write32(offset: number, value: number): void {
    const port = this.#portAt(offset);
    if (port) {
      port.write(offset & 0x7c, value);
      this.#collect();
    } else if (offset === r.HBA_GHC) this.#writeGhc(value);
    else if (offset === r.HBA_IS) {
      this.#is &= ~value;
      this.#raised = false;
      this.#collect();
      if (this.#is !== 0 && this.#interruptEnable) this.#raised = true; // §10.7.2: causes remain
    }
  }

  #readGeneric(offset: number): number {
    switch (offset) {
      case r.HBA_CAP:
        return this.#capabilities();
      case r.HBA_GHC:
        return r.GHC_AE + (this.#interruptEnable ? r.GHC_IE : 0);
      case r.HBA_IS:
        return this.#is;
      case r.HBA_PI:
        return 2 ** this.ports.length - 1;
      case r.HBA_VS:
        return r.VS_1_3_1;
      default:
        return 0; // no CAP2 features, no BIOS hand-off, no enclosure, no command coalescing
    }
  }

  #capabilities(): number {
    const slots = (r.MAX_SLOTS - 1) << r.CAP_NCS_SHIFT;
    const fixed = r.CAP_SAM | r.CAP_ISS_GEN3 | r.CAP_SCLO | r.CAP_SNCQ | slots;
    return r.CAP_S64A + (fixed | (this.ports.length - 1));
  }

  /** AE stays set, since CAP.SAM says that there is no other mode (§3.1.2). */
  #writeGhc(value: number): void {
    if (value & r.GHC_HR) {
      this.#reset();
      return;
    }
    const enable = (value & r.GHC_IE) !== 0;
    const risen = enable && !this.#interruptEnable;
    this.#interruptEnable = enable;
    if (!enable) this.#raised = false;
    if (risen && this.#is !== 0) this.#raised = true;
  }

  #reset(): void {
    this.#interruptEnable = false;
    this.#is = 0;
    this.#raised = false;
    for (const port of this.ports) port.reset();
  }

  /** Ports with a cause set their bit in IS; a bit that was clear raises the interrupt. */
  #collect(): void {
    let causes = 0;
    for (const i of this.#used) if (this.ports[i]?.interrupting) causes |= 1 << i;
    const fresh = causes & ~this.#is;
    this.#is |= causes;
    if (fresh !== 0 && this.#interruptEnable) this.#raised = true;
  }

  #portAt(offset: number): AhciPort | undefined {
    assert(offset % 4 === 0 && offset >= 0 && offset < this.size, `HBA register 0x${offset}`);
    return offset < 0x100 ? undefined : this.ports[(offset - 0x100) >>> 7];
  }
}

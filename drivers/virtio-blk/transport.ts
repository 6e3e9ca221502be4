// The driver's way to the structures of a virtio function: VIRTIO 1.2 §4.1.4. What the capabilities
// point at must be there.

import type { PciFunction, Registers } from '../../kernel/abi/board.ts';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import * as r from './regs.ts';

/** Capabilities that are followed before the list counts as a circle. */
const CAPABILITIES_MOST = 48;
const POLL_LIMIT = 1000;

interface Window {
  readonly registers: Registers;
  readonly offset: number;
  readonly length: number;
}

export class Transport {
  readonly #name: string;
  readonly #common: Window;
  readonly #notify: Window;
  readonly #isr: Window;
  readonly #device: Window;
  readonly #notifyMultiplier: number;

  constructor(pci: PciFunction, name: string) {
    this.#name = name;
    const found = new Map<number, { window: Window; at: number }>();
    for (const cap of vendorCapabilities(pci)) {
      const registers = pci.registers(cap.bar);
      const { type, at, offset, length } = cap;
      if (registers && offset + length <= registers.size && !found.has(type))
        found.set(type, { window: { registers, offset, length }, at });
    }
    const window = (type: number, bytes: number): Window => {
      const { window } = found.get(type) ?? {};
      if (window && window.length >= bytes) return window;
      throw new PosixError(EIO, `${name}: no virtio structure of type ${type}`);
    };
    this.#common = window(r.CAP_COMMON, r.COMMON_SIZE);
    this.#notify = window(r.CAP_NOTIFY, 2);
    this.#isr = window(r.CAP_ISR, 1);
    this.#device = window(r.CAP_DEVICE, r.BlockConfig.size);
    const notifyAt = (found.get(r.CAP_NOTIFY)?.at ?? 0) + r.PciCap.size;
    this.#notifyMultiplier = pci.configRead(notifyAt, 4);
  }

  read(field: r.CommonField): number {
    const [at, width] = r.COMMON[field];
    return this.#common.registers.read(this.#common.offset + at, width);
  }

  write(field: r.CommonField, value: number): void {
    const [at, width] = r.COMMON[field];
    this.#common.registers.write(this.#common.offset + at, width, value);
  }

  /** Adds bits to the device status. */
  addStatus(bits: number): void {
    this.write('deviceStatus', this.read('deviceStatus') | bits);
  }

  /** §2.4: the device is reset when its status reads as zero. */
  reset(): void {
    this.write('deviceStatus', 0);
    for (let i = 0; i < POLL_LIMIT; i++) if (this.read('deviceStatus') === 0) return;
    throw new PosixError(EIO, `${this.#name}: the device does not end its reset`);
  }

  /** Reading takes the causes of the interrupt away. */
  isr(): number {
    return this.#isr.registers.read(this.#isr.offset, 1);
  }

  /** §4.1.4.4. */
  notify(queue: number, notifyOffset: number): void {
    const at = notifyOffset * this.#notifyMultiplier;
    if (at + 2 > this.#notify.length)
      throw new PosixError(EIO, `${this.#name}: queue ${queue} is notified outside its area`);
    this.#notify.registers.write(this.#notify.offset + at, 2, queue);
  }

  /** §2.5: read again when the device changed it meanwhile. */
  config(): InstanceType<typeof r.BlockConfig> {
    const copy = new DataView(new ArrayBuffer(r.BlockConfig.size));
    const { registers, offset } = this.#device;
    for (let i = 0; i < POLL_LIMIT; i++) {
      const before = this.read('configGeneration');
      for (let at = 0; at < copy.byteLength; at += 4)
        copy.setUint32(at, registers.read(offset + at, 4), true);
      if (this.read('configGeneration') === before) return new r.BlockConfig(copy, 0);
    }
    throw new PosixError(EIO, `${this.#name}: the configuration changes without end`);
  }

  /** A word of the features that the device offers. */
  offered(word: 0 | 1): number {
    this.write('deviceFeatureSelect', word);
    return this.read('deviceFeature') >>> 0;
  }

  accept(word: 0 | 1, features: number): void {
    this.write('driverFeatureSelect', word);
    this.write('driverFeature', features >>> 0);
  }

  /** An address of the selected queue. */
  writeAddress(field: 'queueDesc' | 'queueDriver' | 'queueDevice', address: number): void {
    this.write(field, address >>> 0);
    this.write(`${field}High`, Math.floor(address / 2 ** 32));
  }
}

interface Capability {
  readonly type: number;
  readonly bar: number;
  readonly offset: number;
  readonly length: number;
  readonly at: number; // in configuration space
}

/** PCI §6.7: the list of capabilities; a broken one ends early. */
function vendorCapabilities(pci: PciFunction): Capability[] {
  const found: Capability[] = [];
  let at = pci.configRead(r.PCI_CAPABILITIES, 1) & ~3;
  for (let i = 0; at >= 0x40 && at <= 0x100 - r.PciCap.size && i < CAPABILITIES_MOST; i++) {
    if (pci.configRead(at, 1) === r.PCI_CAP_VENDOR) {
      const { offsets } = r.PciCap;
      found.push({
        type: pci.configRead(at + offsets.cfg_type, 1),
        bar: pci.configRead(at + offsets.bar, 1),
        offset: pci.configRead(at + offsets.offset, 4),
        length: pci.configRead(at + offsets.length, 4),
        at,
      });
    }
    at = pci.configRead(at + 1, 1) & ~3;
  }
  return found;
}

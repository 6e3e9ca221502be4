// A small PCI bus: PCI Local Bus 3.0 §6, the configuration header of type 0, with memory BARs.

import type { Mmio, PciBus, PciFunction, Registers } from '../../kernel/abi/board.ts';
import { assert } from '../../kernel/abi/errno.ts';

export const COMMAND = 0x04;
const COMMAND_IO = 1 << 0;
const COMMAND_MEMORY = 1 << 1;
const COMMAND_BUS_MASTER = 1 << 2;
const COMMAND_NO_INTX = 1 << 10;
const STATUS = 0x06;
const STATUS_CAPABILITIES = 1 << 4;
const BAR0 = 0x10;
const BAR_IO = 1; // bit 0 of a BAR
const CAPABILITIES = 0x34;
const FIRST_CAPABILITY = 0x40;
const INTERRUPT_LINE = 0x3c;
const CONFIG_SIZE = 256;

/** `look`: what is plugged in or pulled out meanwhile goes to its function; whether there was something. */
export function createPciBus(
  functions: readonly PciFunction[],
  look: () => boolean = () => false,
): PciBus {
  return { functions: () => functions, look };
}

export interface ConfigHeader {
  readonly vendor: number;
  readonly device: number;
  /** Base class, sub-class and programming interface: 0xBBSSPP. */
  readonly class: number;
  readonly revision: number;
  /** BARs, of memory unless told: index and size in bytes, rounded up to a power of two of 16 at least. */
  readonly bars: readonly {
    readonly index: number;
    readonly sizeBytes: number;
    readonly space?: 'memory' | 'io';
  }[];
  /** §6.7: id, then what follows the pointer to the next. */
  readonly capabilities?: readonly { readonly id: number; readonly body: Uint8Array }[];
}

/** The 256 bytes of configuration space, with the bits that software may write. */
export class ConfigSpace {
  readonly #bytes = new DataView(new ArrayBuffer(CONFIG_SIZE));
  readonly #writable = new DataView(new ArrayBuffer(CONFIG_SIZE));

  constructor(header: ConfigHeader) {
    const bytes = this.#bytes;
    bytes.setUint16(0x00, header.vendor, true);
    bytes.setUint16(0x02, header.device, true);
    bytes.setUint32(0x08, ((header.class << 8) | header.revision) >>> 0, true);
    bytes.setUint16(0x2c, header.vendor, true); // subsystem
    bytes.setUint16(0x2e, header.device, true);
    bytes.setUint8(0x3d, 1); // interrupt pin INTA#
    const commands = COMMAND_IO | COMMAND_MEMORY | COMMAND_BUS_MASTER | COMMAND_NO_INTX;
    this.#writable.setUint16(COMMAND, commands, true);
    this.#writable.setUint8(INTERRUPT_LINE, 0xff);
    for (const { index, sizeBytes, space } of header.bars) {
      assert(index >= 0 && index < 6, 'a function has six BARs');
      const size = 2 ** Math.max(4, Math.ceil(Math.log2(sizeBytes)));
      // §6.2.5.1: the low bits stay zero, so that all ones written read back as the size.
      this.#writable.setUint32(BAR0 + index * 4, (~(size - 1) & ~0xf) >>> 0, true);
      if (space === 'io') bytes.setUint32(BAR0 + index * 4, BAR_IO, true);
    }
    this.#chain(header.capabilities ?? []);
  }

  #chain(capabilities: NonNullable<ConfigHeader['capabilities']>): void {
    let pointerAt = CAPABILITIES;
    let at = FIRST_CAPABILITY;
    for (const { id, body } of capabilities) {
      assert(at + 2 + body.length <= CONFIG_SIZE, 'capabilities beyond the configuration space');
      this.#bytes.setUint16(STATUS, STATUS_CAPABILITIES, true);
      this.#bytes.setUint8(pointerAt, at);
      this.#bytes.setUint8(at, id);
      for (const [i, byte] of body.entries()) this.#bytes.setUint8(at + 2 + i, byte);
      pointerAt = at + 1;
      at = (at + 2 + body.length + 3) & ~3;
    }
  }

  read(offset: number, width: 1 | 2 | 4): number {
    checkAccess(offset, width);
    if (width === 1) return this.#bytes.getUint8(offset);
    if (width === 2) return this.#bytes.getUint16(offset, true);
    return this.#bytes.getUint32(offset, true);
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    checkAccess(offset, width);
    for (let i = 0; i < width; i++) {
      const mask = this.#writable.getUint8(offset + i);
      const old = this.#bytes.getUint8(offset + i);
      this.#bytes.setUint8(offset + i, (old & ~mask) | ((value >>> (i * 8)) & mask));
    }
  }

  get memoryEnabled(): boolean {
    return (this.read(COMMAND, 2) & COMMAND_MEMORY) !== 0;
  }

  get ioEnabled(): boolean {
    return (this.read(COMMAND, 2) & COMMAND_IO) !== 0;
  }

  get busMasterEnabled(): boolean {
    return (this.read(COMMAND, 2) & COMMAND_BUS_MASTER) !== 0;
  }

  get interruptsEnabled(): boolean {
    return (this.read(COMMAND, 2) & COMMAND_NO_INTX) === 0;
  }

  /** The same for registers of several widths, in either space. */
  gateRegisters(registers: Registers, space: 'memory' | 'io'): Registers {
    const enabled = () => (space === 'io' ? this.ioEnabled : this.memoryEnabled);
    return {
      size: registers.size,
      read: (offset, width) => {
        checkRegister(registers, offset, width);
        return enabled() ? registers.read(offset, width) : 2 ** (8 * width) - 1;
      },
      write: (offset, width, value) => {
        checkRegister(registers, offset, width);
        if (enabled()) registers.write(offset, width, value);
      },
    };
  }

  /** Registers that answer only while memory decoding is on: all ones otherwise, as a bus does. */
  gate(registers: Mmio): Mmio {
    return {
      size: registers.size,
      read32: (offset) => (this.memoryEnabled ? registers.read32(offset) : 0xffff_ffff),
      write32: (offset, value) => {
        if (this.memoryEnabled) registers.write32(offset, value);
      },
    };
  }
}

function checkRegister({ size }: Registers, offset: number, width: number): void {
  assert(offset >= 0 && offset + width <= size, `register ${offset} of ${size} bytes`);
  assert(offset % width === 0, `register access of ${width} bytes at ${offset}`);
}

function checkAccess(offset: number, width: number): void {
  assert(offset >= 0 && offset + width <= CONFIG_SIZE, `PCI config offset ${offset}`);
  assert(offset % width === 0, `PCI config access of ${width} bytes at ${offset}`);
}

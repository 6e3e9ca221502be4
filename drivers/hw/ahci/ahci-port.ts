// One port of the AHCI controller's model: AHCI 1.3.1 §3.3 registers, §5.3 the port's state machine
// (condensed: a command runs to its end in one step), §6 errors.

import { COUNTERS, EVENTS } from '../../../kernel/ipc/trace-events.ts';
import * as r from '../../ahci/regs.ts';
import {
  ATA_READ_FPDMA_QUEUED,
  ATA_WRITE_FPDMA_QUEUED,
  ERROR_ABRT,
  STATUS_ERR,
  STATUS_OK,
} from '../../lib/ata-regs.ts';
import type { AtaCommand, AtaDisk, AtaResult } from '../ata/ata.ts';
import { CommandFaults } from '../device/command-faults.ts';
import type { Dma } from '../device/dma.ts';
import { DmaFault } from '../device/dma.ts';
import { SECTOR_SIZE } from '../disk/disk.ts';
import type { Segments } from '../disk/segments.ts';

/** The device has more data than the PRDT has room for: §6.1.6. */
class PrdtOverflow extends Error {}

const TFD_NO_DEVICE = 0x7f;
const TFD_AFTER_RESET = 0x150; // DRDY, and the diagnostic code of a drive that is well
const ABORTED: AtaResult = {
  ...{ status: STATUS_OK | STATUS_ERR, error: ERROR_ABRT, lba: 0, transferred: 0 },
  protocol: 'none',
};
const IS_WRITABLE = ~(r.IS_PCS | r.IS_PRCS | (1 << 4)) >>> 0;
const IE_WRITABLE = 0xfdc0_00ff;
const CMD_WRITABLE = r.CMD_ST | r.CMD_FRE;

/** A command as the command list has it. */
interface Fetched {
  readonly slot: number;
  readonly header: InstanceType<typeof r.CommandHeader>;
  readonly fis: InstanceType<typeof r.RegisterH2D>;
}

export class AhciPort {
  readonly #dma: Dma;
  readonly #faults: CommandFaults;
  #device: AtaDisk | undefined;
  #clb = 0;
  #clbu = 0;
  #fb = 0;
  #fbu = 0;
  #is = 0;
  #ie = 0;
  #cmd = 0; // ST, FRE
  #slot = r.MAX_SLOTS - 1; // the one that ran last: PxCMD.CCS
  #tfd = TFD_NO_DEVICE;
  #sig = 0xffff_ffff;
  #ssts = 0;
  #sctl = 0;
  #serr = 0;
  #ci = 0;
  #sact = 0; // queued commands that the device has
  #halted = false; // a fatal error: nothing runs until ST is cleared
  #signatureDue = false; // the device's first FIS waits for FRE
  #softReset = false;

  constructor(dma: Dma, device: AtaDisk | undefined) {
    this.#dma = dma;
    this.#device = device;
    const now = () => this.#device?.faults?.gate.clock.monotonicMs() ?? 0;
    this.#faults = new CommandFaults(now);
    this.reset();
  }

  get device(): AtaDisk | undefined {
    return this.#device;
  }

  /**
   * Another device, or none: §10.10 the phy goes down or comes up, and PxSERR.DIAG tells. What was issued to
   * the one before is never answered.
   */
  plug(device: AtaDisk | undefined): void {
    this.#device = device;
    this.#faults.reset();
    this.#serr |= r.SERR_DIAG_N;
    if (device) this.#comreset();
    else this.#lose();
  }

  #lose(): void {
    this.#ssts = 0;
    this.#tfd = TFD_NO_DEVICE;
    this.#sig = 0xffff_ffff;
    this.#signatureDue = false;
  }

  /** Power-on and HBA reset: §10.4.3. The base addresses stay. */
  reset(): void {
    this.#is = 0;
    this.#ie = 0;
    this.#cmd = 0;
    this.#sctl = 0;
    this.#serr = 0;
    this.#stop();
    this.#comreset();
  }

  /** The port asks for the interrupt line: §10.7.2.1. */
  get interrupting(): boolean {
    return (this.#status() & this.#ie) !== 0;
  }

  /** A command waits and may run. */
  get ready(): boolean {
    const running = this.#cmd & r.CMD_ST && this.#cmd & r.CMD_FRE && this.device;
    if (!running || this.#halted) return false;
    if (this.#ci === 0 || (this.#tfd & (r.TFD_BSY | r.TFD_DRQ)) !== 0) return false;
    return this.#faults.open(this.#ci) !== 0;
  }

  /** When a command that a fault holds up goes on. */
  get dueAtMs(): number | undefined {
    return this.#faults.dueAtMs;
  }

  read(offset: number): number {
    switch (offset) {
      case r.PORT_CLB:
        return this.#clb;
      case r.PORT_CLBU:
        return this.#clbu;
      case r.PORT_FB:
        return this.#fb;
      case r.PORT_FBU:
        return this.#fbu;
      case r.PORT_IS:
        return this.#status();
      case r.PORT_IE:
        return this.#ie;
      case r.PORT_CMD:
        return this.#readCmd();
      case r.PORT_TFD:
        return this.#tfd;
      case r.PORT_SIG:
        return this.#sig;
      case r.PORT_SSTS:
        return this.#ssts;
      case r.PORT_SCTL:
        return this.#sctl;
      case r.PORT_SERR:
        return this.#serr;
      case r.PORT_CI:
        return this.#ci;
      case r.PORT_SACT:
        return this.#sact;
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    switch (offset) {
      case r.PORT_CLB:
        this.#clb = value & ~(r.COMMAND_LIST_SIZE - 1);
        return;
      case r.PORT_CLBU:
        this.#clbu = value;
        return;
      case r.PORT_FB:
        this.#fb = value & ~(r.RECEIVED_FIS_SIZE - 1);
        return;
      case r.PORT_FBU:
        this.#fbu = value;
        return;
      case r.PORT_IS:
        this.#is &= ~(value & IS_WRITABLE);
        return;
      case r.PORT_IE:
        this.#ie = value & IE_WRITABLE;
        return;
      case r.PORT_CMD:
        this.#writeCmd(value);
        return;
      case r.PORT_SCTL:
        this.#writeSctl(value);
        return;
      case r.PORT_SERR:
        this.#serr &= ~value;
        return;
      case r.PORT_SACT:
        if (this.#cmd & r.CMD_ST) this.#sact |= value; // §3.3.13
        return;
      case r.PORT_CI:
        if (this.#cmd & r.CMD_ST) this.#ci |= value; // §3.3.14: only ones count, only while ST is set
        return;
    }
  }

  /** Runs the next command of the list, if one may run. */
  step(): void {
    if (!this.ready || !this.device) return;
    this.#slot = this.#nextSlot();
    try {
      this.#run(this.device, this.#fetch(this.#slot));
    } catch (error) {
      if (error instanceof DmaFault) this.#stopWith(r.IS_HBFS);
      else if (error instanceof PrdtOverflow) this.#stopWith(r.IS_OFS | r.IS_IFS);
      else throw error;
    }
  }

  #status(): number {
    const connect = this.#serr & r.SERR_DIAG_X ? r.IS_PCS : 0;
    return this.#is | connect | (this.#serr & r.SERR_DIAG_N ? r.IS_PRCS : 0);
  }

  #readCmd(): number {
    const running = this.#cmd & r.CMD_ST ? r.CMD_CR : 0;
    const receiving = this.#cmd & r.CMD_FRE ? r.CMD_FR : 0;
    const slot = this.#cmd & r.CMD_ST ? this.#slot << r.CMD_CCS_SHIFT : 0;
    return this.#cmd | running | receiving | slot | r.CMD_SUD | r.CMD_POD;
  }

  #writeCmd(value: number): void {
    const before = this.#cmd;
    if (value & r.CMD_CLO && !(before & r.CMD_ST)) this.#tfd &= ~(r.TFD_BSY | r.TFD_DRQ);
    this.#cmd = value & CMD_WRITABLE;
    if (before & r.CMD_ST && !(value & r.CMD_ST)) this.#stop();
    if (this.#cmd & r.CMD_FRE && this.#signatureDue) this.#sendSignature();
  }

  /** ST is cleared: §3.3.14, the command list forgets what was issued. */
  #stop(): void {
    this.#ci = 0;
    this.#sact = 0;
    this.#faults.reset();
    this.#halted = false;
    this.#slot = r.MAX_SLOTS - 1;
  }

  #writeSctl(value: number): void {
    const wasReset = (this.#sctl & r.SCTL_DET_MASK) === r.SCTL_DET_RESET;
    this.#sctl = value & 0xfff;
    if ((value & r.SCTL_DET_MASK) === r.SCTL_DET_RESET) {
      this.#ssts = 0;
      this.#tfd = TFD_NO_DEVICE;
    } else if (wasReset) this.#comreset();
  }

  /** The phy comes up and the device introduces itself: §10.4.2. */
  #comreset(): void {
    this.#lose();
    this.#softReset = false;
    this.#faults.reset();
    if (!this.device) return;
    this.device.reset();
    this.#ssts = r.SSTS_UP;
    this.#serr |= r.SERR_DIAG_X;
    this.#tfd = r.TFD_BSY;
    this.#signatureDue = true;
    if (this.#cmd & r.CMD_FRE) this.#sendSignature();
  }

  #sendSignature(): void {
    this.#signatureDue = false;
    this.#sig = r.SIG_ATA;
    try {
      const fis = this.#registerFis(r.RFIS_D2H_REGISTER, r.FIS_D2H);
      fis.status = TFD_AFTER_RESET & 0xff;
      fis.error = TFD_AFTER_RESET >> 8;
      fis.lba0 = 1;
      fis.count = 1;
      this.#tfd = TFD_AFTER_RESET;
    } catch (error) {
      if (!(error instanceof DmaFault)) throw error;
      this.#stopWith(r.IS_HBFS);
    }
  }

  /** Round robin behind the slot that ran last, as §5.3.4 has it. */
  #nextSlot(): number {
    const open = this.#faults.open(this.#ci);
    for (let i = 1; i <= r.MAX_SLOTS; i++) {
      const slot = (this.#slot + i) % r.MAX_SLOTS;
      if (open & (1 << slot)) return slot;
    }
    return this.#slot;
  }

  #fetch(slot: number): Fetched {
    const at = address(this.#clb, this.#clbu) + slot * r.CommandHeader.size;
    const header = new r.CommandHeader(this.#dma.view(at, r.CommandHeader.size), at);
    const table = tableAddress(header);
    const fis = new r.RegisterH2D(this.#dma.view(table, r.TABLE_PRDT), table);
    return { slot, header, fis };
  }

  #run(device: AtaDisk, { slot, header, fis }: Fetched): void {
    header.prdbc = 0;
    if (fis.type !== r.FIS_H2D) this.#stopWith(r.IS_IFS);
    else if ((fis.flags & r.H2D_COMMAND) === 0) this.#control(slot, fis.control);
    else this.#execute(device, { slot, header, fis });
  }

  #execute(device: AtaDisk, { slot, header, fis }: Fetched): void {
    let interrupt = 0;
    const command = ataCommand(fis);
    if (!this.#fitsQueue(slot, command)) {
      this.#complete(slot, ABORTED);
      return;
    }
    const { verdict, firing } = this.#faults.take(slot, this.#ci, () => device.meet(command));
    if (verdict === 'hang') this.#tfd |= r.TFD_BSY;
    if (firing && verdict !== 'run') {
      if (firing.has('hang') || firing.has('drop')) device.lose(command, firing);
      return;
    }
    const { trace } = this.#dma;
    trace.begin(EVENTS.dma, command.lba, command.count * SECTOR_SIZE);
    const result = device.execute(
      command,
      (sizeBytes) => {
        const buffers = this.#buffers(header, sizeBytes);
        interrupt = buffers.interrupt;
        return buffers.segments;
      },
      firing,
    );
    trace.end(EVENTS.dma, result.transferred);
    if (result.transferred > 0) trace.count(COUNTERS.dmas);
    trace.count(COUNTERS.dmaBytes, result.transferred);
    // §5.4.1: of queued commands the count says nothing.
    if (result.protocol !== 'queued') header.prdbc = result.transferred;
    if (result.transferred > 0) this.#is |= interrupt;
    this.#complete(slot, result);
  }

  /** ACS-3 §4.14.6: queued and other commands do not mix; a queued one is marked in PxSACT by its tag. */
  #fitsQueue(slot: number, { tag }: AtaCommand): boolean {
    if (tag === undefined) return this.#sact === 0;
    return tag === slot && (this.#sact & (1 << slot)) !== 0;
  }

  /** A control FIS: SRST set, then cleared, resets the device (§10.4.1). */
  #control(slot: number, control: number): void {
    this.#ci &= ~(1 << slot);
    const asserted = (control & r.H2D_SRST) !== 0;
    if (this.#softReset && !asserted) {
      this.device?.reset();
      this.#sendSignature();
    }
    this.#softReset = asserted;
  }

  /** The PRDT as pieces of memory, `sizeBytes` in all: §4.2.3.3. */
  #buffers(
    header: Fetched['header'],
    sizeBytes: number,
  ): { segments: Segments; interrupt: number } {
    const table = tableAddress(header) + r.TABLE_PRDT;
    const entries = header.prdtl;
    const view = this.#dma.view(table, entries * r.Prd.size);
    const segments: Uint8Array[] = [];
    let left = sizeBytes;
    let interrupt = 0;
    for (let i = 0; i < entries && left > 0; i++) {
      const prd = new r.Prd(view, table + i * r.Prd.size);
      const length = Math.min((prd.dbc & r.PRD_DBC_MASK) + 1, left);
      const dba = address(view.getUint32(prd.at, true) & ~1, view.getUint32(prd.at + 4, true));
      segments.push(this.#dma.bytes(dba, length));
      if (prd.dbc & r.PRD_INTERRUPT) interrupt = r.IS_DPS;
      left -= length;
    }
    if (left > 0) throw new PrdtOverflow();
    return { segments, interrupt };
  }

  #complete(slot: number, result: AtaResult): void {
    const failed = (result.status & r.TFD_ERR) !== 0;
    this.#tfd = result.status | (result.error << r.TFD_ERROR_SHIFT);
    if (result.protocol === 'queued') {
      this.#postDeviceBits(slot, result);
      if (!failed) this.#sact &= ~(1 << slot);
      this.#ci &= ~(1 << slot); // the device took it over before it did it
    } else if (result.protocol === 'pio' && !failed) {
      this.#postPioSetup(result);
      this.#is |= r.IS_PSS;
    } else {
      this.#postRegister(result);
      this.#is |= r.IS_DHRS;
    }
    if (failed) this.#stopWith(r.IS_TFES);
    else this.#ci &= ~(1 << slot);
  }

  /** A tag ends, or with an error all of them do: §5.3.13. */
  #postDeviceBits(slot: number, result: AtaResult): void {
    const base = address(this.#fb, this.#fbu) + r.RFIS_SET_DEVICE_BITS;
    const fis = new r.SetDeviceBits(this.#dma.view(base, r.SetDeviceBits.size), base);
    const failed = (result.status & r.TFD_ERR) !== 0;
    fis.type = r.FIS_SET_DEVICE_BITS;
    fis.flags = r.D2H_INTERRUPT;
    fis.status = result.status & ~(r.TFD_BSY | r.TFD_DRQ);
    fis.error = result.error;
    fis.active = failed ? 0 : (1 << slot) >>> 0;
    this.#is |= r.IS_SDBS;
  }

  #postRegister(result: AtaResult): void {
    const fis = this.#registerFis(r.RFIS_D2H_REGISTER, r.FIS_D2H);
    fis.flags = r.D2H_INTERRUPT;
    putResult(fis, result);
  }

  #postPioSetup(result: AtaResult): void {
    const fis = this.#registerFis(r.RFIS_PIO_SETUP, r.FIS_PIO_SETUP);
    fis.flags = r.D2H_INTERRUPT | r.PIO_TO_HOST;
    putResult(fis, result);
    fis.status = result.status | r.TFD_DRQ; // as the transfer begins
    fis.eStatus = result.status; // as it ends
    fis.transferCount = result.transferred;
  }

  /** An empty FIS in the received-FIS area. */
  #registerFis(at: number, type: number): InstanceType<typeof r.RegisterD2H> {
    const base = address(this.#fb, this.#fbu);
    const view = this.#dma.view(base, r.RECEIVED_FIS_SIZE);
    this.#dma.bytes(base + at, r.RegisterD2H.size).fill(0);
    const fis = new r.RegisterD2H(view, base + at);
    fis.type = type;
    return fis;
  }

  #stopWith(interrupt: number): void {
    this.#is |= interrupt;
    this.#halted = true;
  }
}

const address = (low: number, high: number): number => (high >>> 0) * 2 ** 32 + (low >>> 0);

/** The low 7 bits are reserved; read as two words, since le64 refuses what a bad driver may write. */
function tableAddress(header: Fetched['header']): number {
  const { view, at } = header;
  return address(view.getUint32(at + 8, true) & ~0x7f, view.getUint32(at + 12, true));
}

function ataCommand(fis: Fetched['fis']): AtaCommand {
  const low = fis.lba0 + fis.lba1 * 2 ** 8 + fis.lba2 * 2 ** 16;
  const high = fis.lba3 + fis.lba4 * 2 ** 8 + fis.lba5 * 2 ** 16;
  const features = fis.features + fis.featuresExp * 256;
  const { command, device, count } = fis;
  const lba = low + high * 2 ** 24;
  const queued = command === ATA_READ_FPDMA_QUEUED || command === ATA_WRITE_FPDMA_QUEUED;
  if (!queued) return { command, features, device, lba, count };
  return { command, features: 0, device, lba, count: features, tag: count >> r.TAG_SHIFT };
}

function putResult(fis: InstanceType<typeof r.RegisterD2H>, result: AtaResult): void {
  fis.status = result.status;
  fis.error = result.error;
  fis.device = 0x40;
  fis.lba0 = result.lba & 0xff;
  fis.lba1 = Math.floor(result.lba / 2 ** 8) & 0xff;
  fis.lba2 = Math.floor(result.lba / 2 ** 16) & 0xff;
  fis.lba3 = Math.floor(result.lba / 2 ** 24) & 0xff;
  fis.lba4 = Math.floor(result.lba / 2 ** 32) & 0xff;
  fis.lba5 = Math.floor(result.lba / 2 ** 40) & 0xff;
}

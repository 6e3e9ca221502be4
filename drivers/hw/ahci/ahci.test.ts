// The controller's model alone: registers poked in the sequences of AHCI 1.3.1.

import test from 'ava';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import * as r from '../../ahci/regs.ts';
import * as ata from '../../lib/ata-regs.ts';
import type { Disk } from '../disk/disk.ts';
import { memoryDisk } from '../test-rig.ts';
import { createAhciController } from './ahci.ts';

const LIST = 0x1000;
const FIS = 0x2000;
const TABLE = 0x3000;
const DATA = 0x1_0000;
const RAM = 1 << 20;

/** A controller with its memory and DMA on, and port 0 started as §10.1.2 says. */
function rig(disk: Disk | undefined = memoryDisk(1000)) {
  const ram = new SharedArrayBuffer(RAM);
  const view = new DataView(ram);
  const pci = createAhciController({ ram, disks: [disk] });
  pci.configWrite(0x04, 2, 0x6);
  const interrupts: number[] = [];
  const abar = pci.bar(5);
  if (!abar) throw new Error('no ABAR');
  pci.onInterrupt(() => interrupts.push(abar.read32(r.HBA_IS)));
  const port = (offset: number) => abar.read32(0x100 + offset);
  const poke = (offset: number, value: number) => abar.write32(0x100 + offset, value);
  const bytes = (address: number, length: number) => new Uint8Array(ram, address, length);
  const start = () => {
    poke(r.PORT_CLB, LIST);
    poke(r.PORT_FB, FIS);
    poke(r.PORT_SERR, 0xffff_ffff);
    poke(r.PORT_CMD, r.CMD_FRE);
    poke(r.PORT_CMD, r.CMD_FRE | r.CMD_ST);
    poke(r.PORT_IS, 0xffff_ffff);
  };
  return { ram, view, pci, abar, port, poke, bytes, start, interrupts };
}
type Rig = ReturnType<typeof rig>;

interface Put {
  readonly command: number;
  readonly lba?: number;
  readonly count?: number;
  readonly features?: number;
  readonly device?: number;
  readonly prdt?: readonly { address: number; length: number; interrupt?: boolean }[];
}

/** Writes a command into a slot, as §5.5.1 says. */
function put({ view, bytes }: Rig, slot: number, command: Put): void {
  const { lba = 0, count = 0, features = 0, device = 0x40, prdt = [] } = command;
  const table = TABLE + slot * 0x400;
  bytes(table, 0x80).fill(0);
  const fis = new r.RegisterH2D(view, table);
  fis.type = r.FIS_H2D;
  fis.flags = r.H2D_COMMAND;
  fis.command = command.command;
  fis.features = features;
  fis.device = device;
  fis.lba0 = lba & 0xff;
  fis.lba1 = (lba >> 8) & 0xff;
  fis.lba2 = (lba >> 16) & 0xff;
  fis.lba3 = Math.floor(lba / 2 ** 24) & 0xff;
  fis.lba4 = Math.floor(lba / 2 ** 32) & 0xff;
  fis.count = count;
  prdt.forEach(({ address, length, interrupt }, i) => {
    const prd = new r.Prd(view, table + 0x80 + i * 16);
    prd.dba = address;
    prd.dbc = (length - 1 + (interrupt ? r.PRD_INTERRUPT : 0)) >>> 0;
  });
  const header = new r.CommandHeader(view, LIST + slot * 32);
  header.flags = 5;
  header.prdtl = prdt.length;
  header.ctba = table;
}

function run(hw: Rig, slot: number, command: Put): void {
  put(hw, slot, command);
  hw.poke(r.PORT_CI, (1 << slot) >>> 0);
  while (hw.pci.step());
}

const prdbc = ({ view }: Rig, slot: number) => new r.CommandHeader(view, LIST + slot * 32).prdbc;
const sector = (address = DATA, length = 512) => [{ address, length }];

test('the generic registers tell version, ports, slots and what the controller can', (t) => {
  const { abar } = rig();
  t.is(abar.read32(r.HBA_VS), 0x0001_0301);
  t.is(abar.read32(r.HBA_PI), 1);
  const cap = abar.read32(r.HBA_CAP);
  t.is((cap >> r.CAP_NCS_SHIFT) & r.CAP_NCS_MASK, 31);
  t.is(cap & r.CAP_NP_MASK, 0);
  t.not(cap & r.CAP_SAM, 0);
  t.is(abar.read32(r.HBA_GHC), 2 ** 31);
});

test('the device introduces itself when FIS receive is switched on', (t) => {
  const { port, poke, bytes } = rig();
  t.is(port(r.PORT_SSTS), 0x133);
  t.is(port(r.PORT_TFD), r.TFD_BSY);
  poke(r.PORT_FB, FIS);
  poke(r.PORT_CMD, r.CMD_FRE);
  t.is(port(r.PORT_TFD), 0x150);
  t.is(port(r.PORT_SIG), r.SIG_ATA);
  t.is(bytes(FIS + r.RFIS_D2H_REGISTER, 1)[0], r.FIS_D2H);
  t.not(port(r.PORT_CMD) & r.CMD_FR, 0);
});

test('a port without a device has no link', (t) => {
  const ram = new SharedArrayBuffer(RAM);
  const pci = createAhciController({ ram, disks: [undefined] });
  pci.configWrite(0x04, 2, 0x6);
  t.is(pci.bar(5)?.read32(0x100 + r.PORT_SSTS), 0);
  t.is(pci.bar(5)?.read32(0x100 + r.PORT_TFD), 0x7f);
});

test('IDENTIFY DEVICE is a PIO transfer of 512 bytes', (t) => {
  const hw = rig(memoryDisk(123_456));
  hw.start();
  run(hw, 0, { command: ata.ATA_IDENTIFY, prdt: sector() });
  t.is(hw.port(r.PORT_CI), 0);
  t.is(hw.port(r.PORT_IS), r.IS_PSS);
  t.is(prdbc(hw, 0), 512);
  t.is(hw.bytes(FIS + r.RFIS_PIO_SETUP, 1)[0], r.FIS_PIO_SETUP);
  const word = (index: number) => hw.view.getUint16(DATA + index * 2, true);
  t.is(word(ata.ID_SECTORS_48) + word(ata.ID_SECTORS_48 + 1) * 65_536, 123_456);
  t.is(String.fromCharCode(word(ata.ID_MODEL) >> 8, word(ata.ID_MODEL) & 0xff), 'AT');
  t.is(word(ata.ID_ROTATION), 1);
  t.is(hw.bytes(DATA, 512).reduce((sum, byte) => sum + byte, 0) & 0xff, 0);
});

const commands = test.macro({
  exec(t, write: number, read: number) {
    const hw = rig();
    hw.start();
    hw.bytes(DATA, 1024).fill(0xa7);
    run(hw, 3, { command: write, lba: 20, count: 2, prdt: sector(DATA, 1024) });
    t.is(prdbc(hw, 3), 1024);
    const prdt = [...sector(0x2_0000, 6), ...sector(0x2_1000, 1018)];
    run(hw, 4, { command: read, lba: 20, count: 2, prdt });
    t.is(hw.port(r.PORT_TFD), ata.STATUS_OK);
    t.deepEqual(hw.bytes(0x2_0000, 6).slice(), new Uint8Array(6).fill(0xa7));
    t.deepEqual(hw.bytes(0x2_1000, 1020).slice(1016), Uint8Array.of(0xa7, 0xa7, 0, 0));
  },
  title: (_, write: number) => `command 0x${write.toString(16)} writes what its fellow reads`,
});
test(commands, ata.ATA_WRITE_DMA_EXT, ata.ATA_READ_DMA_EXT);
test(commands, ata.ATA_WRITE_DMA, ata.ATA_READ_DMA);
test(commands, ata.ATA_WRITE_DMA_FUA_EXT, ata.ATA_READ_DMA_EXT);

test('data is volatile until FLUSH CACHE EXT; FUA and a switched-off cache write through', (t) => {
  const disk = memoryDisk(1000);
  const hw = rig(disk);
  hw.start();
  hw.bytes(DATA, 512).fill(1);
  run(hw, 0, { command: ata.ATA_WRITE_DMA_EXT, lba: 0, count: 1, prdt: sector() });
  t.is(disk.bytes[0], 0);
  run(hw, 0, { command: ata.ATA_FLUSH_CACHE_EXT });
  t.is(disk.bytes[0], 1);
  run(hw, 0, { command: ata.ATA_WRITE_DMA_FUA_EXT, lba: 1, count: 1, prdt: sector() });
  t.is(disk.bytes[512], 1);
  run(hw, 0, { command: ata.ATA_SET_FEATURES, features: ata.FEATURE_DISABLE_WRITE_CACHE });
  run(hw, 0, { command: ata.ATA_WRITE_DMA_EXT, lba: 2, count: 1, prdt: sector() });
  t.is(disk.bytes[1024], 1);
});

test('power loss takes the volatile cache', (t) => {
  const disk = memoryDisk(1000);
  const hw = rig(disk);
  hw.start();
  hw.bytes(DATA, 512).fill(1);
  run(hw, 0, { command: ata.ATA_WRITE_DMA_EXT, lba: 0, count: 1, prdt: sector() });
  hw.pci.powerOff();
  t.is(disk.bytes[0], 0);
  t.is(disk.calls.at(-1), 'close');
});

test('TRIM takes its ranges from the host', (t) => {
  const disk = memoryDisk(1000);
  disk.bytes.fill(9);
  const hw = rig(disk);
  hw.start();
  hw.view.setUint32(DATA + 8, 10, true);
  hw.view.setUint16(DATA + 14, 5, true);
  const command = ata.ATA_DATA_SET_MANAGEMENT;
  run(hw, 0, { command, features: ata.DSM_TRIM, count: 1, prdt: sector() });
  t.deepEqual(disk.calls, ['trim 5120+2560']);
  t.is(hw.port(r.PORT_TFD), ata.STATUS_OK);
});

const aborted = test.macro({
  exec(t, command: Put, error: number) {
    const hw = rig();
    hw.start();
    run(hw, 5, { prdt: sector(), ...command });
    t.is(hw.port(r.PORT_TFD), ata.STATUS_OK | ata.STATUS_ERR | (error << 8));
    t.is(hw.port(r.PORT_IS) & r.IS_TFES, r.IS_TFES);
    t.is(hw.port(r.PORT_CI), 1 << 5, 'the command stays issued');
    t.is((hw.port(r.PORT_CMD) >> r.CMD_CCS_SHIFT) & 31, 5, 'PxCMD.CCS names the slot');
    const fis = new r.RegisterD2H(hw.view, FIS + r.RFIS_D2H_REGISTER);
    t.is(fis.error, error);
  },
  title: (title) => `the device refuses ${title}`,
});
test('an unknown command', aborted, { command: 0x99 }, ata.ERROR_ABRT);
test('IDENTIFY PACKET DEVICE', aborted, { command: ata.ATA_IDENTIFY_PACKET }, ata.ERROR_ABRT);
test(
  'a read behind the end',
  aborted,
  { command: ata.ATA_READ_DMA_EXT, lba: 1000, count: 1 },
  ata.ERROR_IDNF,
);
test(
  'a read over the end',
  aborted,
  { command: ata.ATA_READ_DMA_EXT, lba: 999, count: 2 },
  ata.ERROR_IDNF,
);
test(
  'an address of 48 bits',
  aborted,
  { command: ata.ATA_READ_DMA_EXT, lba: 2 ** 39, count: 1 },
  ata.ERROR_IDNF,
);
test(
  'a cylinder address',
  aborted,
  { command: ata.ATA_READ_DMA, count: 1, device: 0 },
  ata.ERROR_ABRT,
);
test(
  'an unknown feature',
  aborted,
  { command: ata.ATA_SET_FEATURES, features: 0x77 },
  ata.ERROR_ABRT,
);
test(
  'DATA SET MANAGEMENT without TRIM',
  aborted,
  { command: ata.ATA_DATA_SET_MANAGEMENT, count: 1 },
  ata.ERROR_ABRT,
);

test('a write to a protected disk is aborted, a bad spot is uncorrectable', (t) => {
  const protectedDisk = rig(memoryDisk(1000, true));
  protectedDisk.start();
  run(protectedDisk, 0, { command: ata.ATA_WRITE_DMA_EXT, count: 1, prdt: sector() });
  t.is(protectedDisk.port(r.PORT_TFD) >> 8, ata.ERROR_ABRT);
  const disk = memoryDisk(1000);
  disk.bad.add(512);
  const hw = rig(disk);
  hw.start();
  run(hw, 0, { command: ata.ATA_READ_DMA_EXT, lba: 1, count: 1, prdt: sector() });
  t.is(hw.port(r.PORT_TFD) >> 8, ata.ERROR_UNC);
});

test('after an error nothing runs until ST is cleared, which empties PxCI', (t) => {
  const hw = rig();
  hw.start();
  put(hw, 0, { command: 0x99 });
  put(hw, 1, { command: ata.ATA_FLUSH_CACHE_EXT });
  hw.poke(r.PORT_CI, 3);
  while (hw.pci.step());
  t.is(hw.port(r.PORT_CI), 3);
  hw.poke(r.PORT_CMD, r.CMD_FRE);
  t.is(hw.port(r.PORT_CI), 0);
  t.is(hw.port(r.PORT_CMD) & r.CMD_CR, 0);
  hw.poke(r.PORT_IS, 0xffff_ffff);
  hw.poke(r.PORT_CMD, r.CMD_FRE | r.CMD_ST);
  hw.poke(r.PORT_CI, 2);
  while (hw.pci.step());
  t.is(hw.port(r.PORT_CI), 0);
});

test('PxCI is not set while ST is clear', (t) => {
  const hw = rig();
  hw.poke(r.PORT_CI, 1);
  t.is(hw.port(r.PORT_CI), 0);
});

const busError = test.macro({
  exec(t, poke: (hw: Rig) => void) {
    const hw = rig();
    hw.start();
    put(hw, 0, { command: ata.ATA_READ_DMA_EXT, count: 1, prdt: sector() });
    poke(hw);
    hw.poke(r.PORT_CI, 1);
    while (hw.pci.step());
    t.is(hw.port(r.PORT_IS) & r.IS_FATAL, r.IS_HBFS);
    t.is(hw.port(r.PORT_CI), 1);
  },
  title: (title) => `host bus fatal error: ${title}`,
});
test('data outside memory', busError, (hw) => {
  new r.Prd(hw.view, TABLE + 0x80).dba = RAM - 256;
});
test('data at an address of 64 bits', busError, (hw) =>
  hw.view.setUint32(TABLE + 0x84, 0xffff_ffff, true),
);
test('command table outside memory', busError, (hw) => {
  new r.CommandHeader(hw.view, LIST).ctba = RAM;
});
test('command list outside memory', busError, (hw) => hw.poke(r.PORT_CLBU, 1));
test('PRDT that runs out of memory', busError, (hw) => {
  const header = new r.CommandHeader(hw.view, LIST);
  hw.bytes(RAM - 0x100, 20).set(hw.bytes(TABLE, 20));
  header.ctba = RAM - 0x100;
  header.prdtl = 0xffff;
});

test('a PRDT shorter than the transfer is an overflow, and nothing is transferred', (t) => {
  const hw = rig();
  hw.start();
  run(hw, 0, { command: ata.ATA_READ_DMA_EXT, count: 2, prdt: sector() });
  t.not(hw.port(r.PORT_IS) & r.IS_OFS, 0);
  t.is(hw.port(r.PORT_CI), 1);
});

test('a command FIS of another type is an interface error', (t) => {
  const hw = rig();
  hw.start();
  put(hw, 0, { command: ata.ATA_FLUSH_CACHE_EXT });
  hw.bytes(TABLE, 1)[0] = 0x55;
  hw.poke(r.PORT_CI, 1);
  while (hw.pci.step());
  t.not(hw.port(r.PORT_IS) & r.IS_IFS, 0);
});

test('interrupts come through PxIE and GHC.IE, and stay until cleared in both registers', (t) => {
  const hw = rig();
  hw.start();
  run(hw, 0, { command: ata.ATA_FLUSH_CACHE_EXT });
  t.deepEqual(hw.interrupts, []);
  t.is(hw.port(r.PORT_IS), r.IS_DHRS);
  hw.poke(r.PORT_IE, r.IS_DHRS);
  hw.abar.write32(r.HBA_GHC, 2 ** 31 + r.GHC_IE);
  while (hw.pci.step());
  t.deepEqual(hw.interrupts, [1], 'what was pending comes when it is let through');
  hw.abar.write32(r.HBA_IS, 1);
  t.is(hw.abar.read32(r.HBA_IS), 1, 'the port still asks');
  hw.poke(r.PORT_IS, r.IS_DHRS);
  hw.abar.write32(r.HBA_IS, 1);
  t.is(hw.abar.read32(r.HBA_IS), 0);
  hw.interrupts.length = 0;
  run(hw, 0, { command: ata.ATA_FLUSH_CACHE_EXT });
  t.deepEqual(hw.interrupts, [1]);
});

test('a PRD with the I bit sets DPS', (t) => {
  const hw = rig();
  hw.start();
  const prdt = [{ address: DATA, length: 512, interrupt: true }];
  run(hw, 0, { command: ata.ATA_READ_DMA_EXT, count: 1, prdt });
  t.is(hw.port(r.PORT_IS), r.IS_DHRS | r.IS_DPS);
});

test('all 32 slots run, one a step', (t) => {
  const disk = memoryDisk(1000);
  const hw = rig(disk);
  hw.start();
  for (let slot = 0; slot < 32; slot++)
    put(hw, slot, { command: ata.ATA_READ_DMA_EXT, lba: slot, count: 1, prdt: sector() });
  hw.poke(r.PORT_CI, 0xffff_ffff);
  let steps = 1;
  while (hw.pci.step()) steps++;
  t.is(steps, 32);
  t.deepEqual(
    disk.calls,
    Array.from({ length: 32 }, (_, i) => `read ${i * 512}+512`),
  );
});

test('without bus mastering nothing runs', (t) => {
  const hw = rig();
  hw.start();
  hw.pci.configWrite(0x04, 2, 0x2);
  run(hw, 0, { command: ata.ATA_FLUSH_CACHE_EXT });
  t.is(hw.port(r.PORT_CI), 1);
  hw.pci.configWrite(0x04, 2, 0x6);
  while (hw.pci.step());
  t.is(hw.port(r.PORT_CI), 0);
});

test('COMRESET brings the device back and tells so in SERR and PxIS.PCS', (t) => {
  const hw = rig();
  hw.start();
  hw.poke(r.PORT_CMD, r.CMD_FRE);
  hw.poke(r.PORT_SCTL, 1);
  t.is(hw.port(r.PORT_SSTS), 0);
  hw.poke(r.PORT_SCTL, 0);
  t.is(hw.port(r.PORT_SSTS), 0x133);
  t.is(hw.port(r.PORT_TFD), 0x150);
  t.is(hw.port(r.PORT_IS) & r.IS_PCS, r.IS_PCS);
  hw.poke(r.PORT_SERR, r.SERR_DIAG_X);
  t.is(hw.port(r.PORT_IS) & r.IS_PCS, 0);
});

test('HBA reset stops all ports and keeps their base addresses', (t) => {
  const hw = rig();
  hw.start();
  hw.abar.write32(r.HBA_GHC, 2 ** 31 + r.GHC_IE);
  hw.abar.write32(r.HBA_GHC, 2 ** 31 + r.GHC_HR);
  t.is(hw.abar.read32(r.HBA_GHC), 2 ** 31);
  t.is(hw.port(r.PORT_CMD) & (r.CMD_ST | r.CMD_FRE | r.CMD_CR | r.CMD_FR), 0);
  t.is(hw.port(r.PORT_CLB), LIST);
  t.is(hw.port(r.PORT_SSTS), 0x133);
});

test('a software reset by two control FISes sends the signature again', (t) => {
  const hw = rig();
  hw.start();
  for (const [slot, control] of [
    [0, r.H2D_SRST],
    [1, 0],
  ] as const) {
    put(hw, slot, { command: 0 });
    const fis = new r.RegisterH2D(hw.view, TABLE + slot * 0x400);
    fis.flags = 0;
    fis.control = control;
    hw.poke(r.PORT_CI, 1 << slot);
    while (hw.pci.step());
  }
  t.is(hw.port(r.PORT_TFD), 0x150);
  t.is(hw.port(r.PORT_CI), 0);
});

test('whatever a driver writes into registers and memory, the model answers by its registers', (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  const hw = rig(memoryDisk(64));
  const known = [
    ata.ATA_READ_DMA_EXT,
    ata.ATA_WRITE_DMA_EXT,
    ata.ATA_DATA_SET_MANAGEMENT,
    ata.ATA_IDENTIFY,
  ];
  const noise = hw.bytes(TABLE, 0x8000);
  for (let round = 0; round < 3000; round++) {
    if (random(3) === 0) hw.start();
    put(hw, random(4), {
      command: random(4) === 0 ? random(256) : (known[random(known.length)] ?? 0),
      lba: random(80),
      count: random(8),
      features: random(3),
      prdt: sector(random(RAM), 1 + random(5000)),
    });
    for (let i = 0; i < 4; i++) noise[random(noise.length)] = random(256);
    if (random(4) === 0) hw.view.setUint32(LIST + 4 * random(32), random(2 ** 31), true);
    if (random(20) === 0) hw.poke(4 * random(32), random(2 ** 31) * 2);
    if (random(50) === 0) hw.abar.write32(4 * random(64), random(2 ** 31) * 2);
    hw.poke(r.PORT_CI, random(2 ** 31));
    let steps = 0;
    while (hw.pci.step() && steps < 100) steps++;
    if (steps === 100) t.fail('the model works without end');
  }
  hw.abar.write32(r.HBA_GHC, 2 ** 31 + r.GHC_HR);
  hw.poke(r.PORT_CLBU, 0);
  hw.poke(r.PORT_FBU, 0);
  hw.start();
  run(hw, 0, { command: ata.ATA_IDENTIFY, prdt: sector() });
  t.is(hw.port(r.PORT_CI), 0, 'and works again after a reset');
});

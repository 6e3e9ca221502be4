// The virtio block device's model alone: registers and rings poked as VIRTIO 1.2 draws them, and as a
// broken driver might.

import test from 'ava';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import * as r from '../../virtio-blk/regs.ts';
import { memoryDisk } from '../test-rig.ts';
import { createVirtioBlk } from './virtio-blk.ts';

const [DESC, AVAIL, USED, HEADER, DATA, STATUS] = [0x1000, 0x2000, 0x3000, 0x4000, 0x8000, 0x5000];
const SIZE = 8;

function rig(disk = memoryDisk(1000), accepted = 2 ** 32) {
  const ram = new SharedArrayBuffer(1 << 20);
  const view = new DataView(ram);
  const log: string[] = [];
  const pci = createVirtioBlk({ ram, disk, name: 'sdF0', log: (line) => log.push(line) });
  pci.configWrite(0x04, 2, 0x6);
  const bar = pci.registers(4);
  if (!bar) throw new Error('no BAR 4');
  const get = (field: r.CommonField) => bar.read(r.COMMON[field][0], r.COMMON[field][1]);
  const set = (field: r.CommonField, value: number) => {
    const [at, width] = r.COMMON[field];
    bar.write(at, width, value);
  };
  let interrupts = 0;
  pci.onInterrupt(() => interrupts++);
  const start = () => {
    set('deviceStatus', 0);
    set('deviceStatus', r.STATUS_ACKNOWLEDGE | r.STATUS_DRIVER);
    for (const word of [0, 1]) {
      set('driverFeatureSelect', word);
      set('driverFeature', word === 0 ? accepted % 2 ** 32 : Math.floor(accepted / 2 ** 32));
    }
    set('deviceStatus', get('deviceStatus') | r.STATUS_FEATURES_OK);
    set('queueSelect', 0);
    set('queueSize', SIZE);
    set('queueDesc', DESC);
    set('queueDriver', AVAIL);
    set('queueDevice', USED);
    set('queueEnable', 1);
    set('deviceStatus', get('deviceStatus') | r.STATUS_DRIVER_OK);
  };
  start();
  const settle = () => {
    bar.write(0x3000, 2, 0); // notify
    for (let i = 0; i < 100 && pci.step(); i++);
  };
  return { ram, view, pci, bar, get, set, log, start, settle, interrupts: () => interrupts };
}
type Rig = ReturnType<typeof rig>;

interface Desc {
  readonly addr: number;
  readonly len: number;
  readonly flags?: number;
  readonly next?: number;
}

function describe({ view }: Rig, index: number, { addr, len, flags = 0, next = 0 }: Desc): void {
  const at = DESC + index * 16;
  view.setUint32(at, addr % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(addr / 2 ** 32), true);
  view.setUint32(at + 8, len, true);
  view.setUint16(at + 12, flags, true);
  view.setUint16(at + 14, next, true);
}

function offer(it: Rig, head: number): void {
  const index = it.view.getUint16(AVAIL + 2, true);
  it.view.setUint16(AVAIL + 4 + 2 * (index % SIZE), head, true);
  it.view.setUint16(AVAIL + 2, index + 1, true);
  it.settle();
}

/** A request of three descriptors, as a driver that behaves makes it. Returns its status. */
function ask(it: Rig, what: { type: number; sector?: number; data: Desc }): number {
  it.view.setUint32(HEADER, what.type, true);
  it.view.setUint32(HEADER + 8, what.sector ?? 0, true);
  it.view.setUint8(STATUS, 0xff);
  describe(it, 0, { addr: HEADER, len: 16, flags: r.DESC_NEXT, next: 1 });
  describe(it, 1, { ...what.data, flags: (what.data.flags ?? 0) | r.DESC_NEXT, next: 2 });
  describe(it, 2, { addr: STATUS, len: 1, flags: r.DESC_WRITE });
  offer(it, 0);
  return it.view.getUint8(STATUS);
}

const needsReset = (it: Rig): boolean => (it.get('deviceStatus') & r.STATUS_NEEDS_RESET) !== 0;

test('a write is read back; each raises an interrupt and tells its bytes', (t) => {
  const it = rig();
  new Uint8Array(it.ram, DATA, 1024).fill(7);
  t.is(ask(it, { type: r.T_OUT, sector: 9, data: { addr: DATA, len: 1024 } }), r.S_OK);
  const data = { addr: DATA + 4096, len: 1024, flags: r.DESC_WRITE };
  t.is(ask(it, { type: r.T_IN, sector: 9, data }), r.S_OK);
  t.true(new Uint8Array(it.ram, DATA + 4096, 1024).every((byte) => byte === 7));
  t.is(it.view.getUint16(USED + 2, true), 2);
  t.deepEqual([it.view.getUint32(USED + 8, true), it.view.getUint32(USED + 16, true)], [1, 1025]);
  t.is(it.interrupts(), 2);
  t.is(it.bar.read(0x1000, 1), r.ISR_QUEUE);
  t.is(it.bar.read(0x1000, 1), 0, 'reading the ISR clears it');
});

test('get-id, write zeroes and discard; what it does not know is unsupported', (t) => {
  const disk = memoryDisk(1000);
  disk.bytes.fill(5);
  const it = rig(disk);
  const id = { addr: DATA, len: 20, flags: r.DESC_WRITE };
  t.is(ask(it, { type: r.T_GET_ID, data: id }), r.S_OK);
  t.is(Buffer.from(new Uint8Array(it.ram, DATA, 10)).toString(), 'ATOLL-sdF0');
  const range = (sector: number, count: number) => {
    new Uint8Array(it.ram, DATA, 16).fill(0);
    it.view.setUint32(DATA, sector, true);
    it.view.setUint32(DATA + 8, count, true);
    return { addr: DATA, len: 16 };
  };
  t.is(ask(it, { type: r.T_WRITE_ZEROES, data: range(10, 300) }), r.S_OK);
  t.is(ask(it, { type: r.T_FLUSH, data: { addr: DATA, len: 0 } }), r.S_OK);
  t.deepEqual([disk.bytes.indexOf(0), disk.bytes.lastIndexOf(0)], [5120, 310 * 512 - 1]);
  t.is(ask(it, { type: r.T_DISCARD, data: range(500, 4) }), r.S_OK);
  t.true(disk.calls.includes('trim 256000+2048'));
  t.is(ask(it, { type: r.T_DISCARD, data: range(999, 2) }), r.S_IOERR, 'beyond the end');
  t.is(ask(it, { type: 77, data: { addr: DATA, len: 8 } }), r.S_UNSUPP);
});

test('sectors beyond the end, parts of sectors and bad memory fail that request alone', (t) => {
  const it = rig();
  const into = { addr: DATA, len: 512, flags: r.DESC_WRITE };
  t.is(ask(it, { type: r.T_IN, sector: 1000, data: into }), r.S_IOERR);
  t.is(ask(it, { type: r.T_IN, sector: 1, data: { ...into, len: 511 } }), r.S_IOERR);
  t.is(ask(it, { type: r.T_IN, sector: 1, data: { ...into, addr: 2 ** 40 } }), r.S_IOERR);
  t.is(ask(it, { type: r.T_IN, sector: 1, data: into }), r.S_OK);
  t.false(needsReset(it));
});

const breaks = test.macro({
  exec(t, make: (it: Rig) => void) {
    const it = rig();
    make(it);
    t.true(needsReset(it));
    t.is(it.bar.read(0x1000, 1) & r.ISR_CONFIG, r.ISR_CONFIG);
    it.start();
    new DataView(it.ram).setUint16(AVAIL + 2, 0, true);
    const into = { addr: DATA, len: 512, flags: r.DESC_WRITE };
    t.is(ask(it, { type: r.T_IN, data: into }), r.S_OK, 'a reset helps');
  },
  title: (what) => `${what} makes the device ask for a reset`,
});
test('a head outside the table', breaks, (it) => offer(it, SIZE));
test('a chain that is a circle', breaks, (it) => {
  describe(it, 0, { addr: HEADER, len: 16, flags: r.DESC_NEXT, next: 0 });
  offer(it, 0);
});
test('a next outside the table', breaks, (it) => {
  describe(it, 0, { addr: HEADER, len: 16, flags: r.DESC_NEXT, next: 99 });
  offer(it, 0);
});
test('what is read behind what is written', breaks, (it) => {
  describe(it, 0, { addr: HEADER, len: 16, flags: r.DESC_NEXT | r.DESC_WRITE, next: 1 });
  describe(it, 1, { addr: HEADER, len: 16 });
  offer(it, 0);
});
test('no room for the header', breaks, (it) => {
  describe(it, 0, { addr: HEADER, len: 15, flags: r.DESC_NEXT, next: 1 });
  describe(it, 1, { addr: STATUS, len: 1, flags: r.DESC_WRITE });
  offer(it, 0);
});
test('an indirect table in an indirect table', breaks, (it) => {
  describe(it, 4, { addr: HEADER, len: 16, flags: r.DESC_INDIRECT });
  describe(it, 0, { addr: DESC + 64, len: 16, flags: r.DESC_INDIRECT });
  offer(it, 0);
});
test('an index that runs ahead of the ring', breaks, (it) => {
  it.view.setUint16(AVAIL + 2, 100, true);
  it.settle();
});
test('a ring outside memory', breaks, (it) => {
  it.set('deviceStatus', 0);
  it.set('deviceStatus', 3);
  it.set('driverFeatureSelect', 1);
  it.set('driverFeature', 1);
  it.set('deviceStatus', 11);
  it.set('queueDriver', 0xffff_fff0);
  it.set('queueEnable', 1);
  it.set('deviceStatus', 15);
  it.settle();
});

test('features that were not offered are not accepted, nor is a driver before VIRTIO 1.0', (t) => {
  const strange = rig(memoryDisk(8), 2 ** 32 + 2 ** r.F_RO);
  t.is(strange.get('deviceStatus') & r.STATUS_FEATURES_OK, 0);
  const legacy = rig(memoryDisk(8), 0);
  t.is(legacy.get('deviceStatus') & r.STATUS_FEATURES_OK, 0);
});

test('random rings never throw and never hang', (t) => {
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  for (let round = 0; round < 400; round++) {
    const it = rig(memoryDisk(64));
    for (let i = 0; i < SIZE; i++) {
      const addr = [HEADER, DATA, STATUS, DESC, random(2 ** 20), 2 ** 40][random(6)] ?? 0;
      const len = [1, 16, 512, 4096, random(2 ** 20)][random(5)] ?? 0;
      describe(it, i, { addr, len, flags: random(8), next: random(SIZE + 1) });
    }
    it.view.setUint32(HEADER, random(15), true);
    for (let i = 0; i < 6; i++) offer(it, random(SIZE));
  }
  t.pass();
});

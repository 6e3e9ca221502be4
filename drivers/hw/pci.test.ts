// Configuration space and base address registers.

import test from 'ava';
import { createAhciController } from './ahci/ahci.ts';
import { memoryDisk } from './test-rig.ts';

const controller = () =>
  createAhciController({ ram: new SharedArrayBuffer(1 << 20), disks: [memoryDisk(16)], device: 3 });

test('the class code is that of an AHCI controller', (t) => {
  const pci = controller();
  t.is(pci.configRead(0x08, 4) >>> 8, 0x010601);
  t.is(pci.configRead(0x0b, 1), 0x01);
  t.is(pci.configRead(0x0a, 1), 0x06);
  t.is(pci.device, 3);
});

test('all ones written to a BAR read back as its size; BARs that are not there as zero', (t) => {
  const pci = controller();
  pci.configWrite(0x24, 4, 0xffff_ffff);
  t.is(~pci.configRead(0x24, 4) + 1, 0x2000);
  pci.configWrite(0x24, 4, 0xfebf_1234);
  t.is(pci.configRead(0x24, 4), 0xfebf_0000);
  pci.configWrite(0x10, 4, 0xffff_ffff);
  t.is(pci.configRead(0x10, 4), 0);
  t.is(pci.bar(0), undefined);
});

test('identification is not written', (t) => {
  const pci = controller();
  const vendor = pci.configRead(0x00, 2);
  pci.configWrite(0x00, 4, 0x1234_5678);
  t.is(pci.configRead(0x00, 2), vendor);
});

test('registers answer only while memory decoding is on', (t) => {
  const pci = controller();
  const abar = pci.bar(5);
  t.is(abar?.read32(0x10), 0xffff_ffff);
  pci.configWrite(0x04, 2, 0x2);
  t.is(abar?.read32(0x10), 0x0001_0301);
});

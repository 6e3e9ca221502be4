// Throughput and latency of driver, model, write cache and image file in one thread.
// Run: node dist/drivers/ahci/driver.bench.js [directory for the image]

import * as fs from 'node:fs';
import * as path from 'node:path';
import { integersFrom } from '../../kernel/ipc/random.ts';
import { createAhciController } from '../hw/ahci/ahci.ts';
import { openDisk } from '../hw/disk/disk.ts';
import { createPciBus } from '../hw/pci.ts';
import { runTask, runTasks, uncounted } from '../hw/test-rig.ts';
import type { BlockRequest } from '../lib/request.ts';
import { startAhci } from './driver.ts';
import { ahciDmaSize } from './memory.ts';

const SIZE = 256 << 20;
const DATA = 0x80_0000;

const file = path.join(
  fs.mkdtempSync(path.join(process.argv[2] ?? '/tmp', 'atoll-bench-')),
  'disk.img',
);
fs.writeFileSync(file, new Uint8Array(0));
fs.truncateSync(file, SIZE);
const ram = new SharedArrayBuffer(64 << 20);
const disk = openDisk({ file, mode: 'rw' });
const pci = createAhciController({ ram, disks: [disk] });
const board = { ram, pci: createPciBus([pci]) };
const dma = { address: 0x1000, length: ahciDmaSize(1) };
const controller = runTask(
  pci,
  startAhci({ board, dma, log: console.error, stats: uncounted, after: () => () => undefined }),
);
const [sd] = controller.disks;
if (!sd) throw new Error('no disk');

const request = (op: 'read' | 'write', offset: number, length: number, slot = 0): BlockRequest => ({
  op,
  lba: offset / 512,
  count: length / 512,
  segments: [{ address: DATA + slot * length, length }],
});
const flush: BlockRequest = { op: 'flush', lba: 0, count: 0, segments: [] };

function measure(name: string, bytes: number, count: number, action: () => void): void {
  const start = performance.now();
  action();
  const ms = performance.now() - start;
  const rate = (bytes / 2 ** 20 / (ms / 1000)).toFixed(0);
  console.log(
    `${name.padEnd(46)} ${rate.padStart(6)} MiB/s ${((ms * 1000) / count).toFixed(1)} µs each`,
  );
}

function sequential(op: 'read' | 'write', length: number, atOnce: number): void {
  for (let at = 0; at < SIZE; at += length * atOnce)
    runTasks(
      pci,
      Array.from({ length: atOnce }, (_, i) => sd_(op, at + i * length, length, i)),
    );
}
const sd_ = (op: 'read' | 'write', offset: number, length: number, slot: number) =>
  (sd ?? never()).submit(request(op, offset, length, slot));
function never(): never {
  throw new Error('no disk');
}

const fd = fs.openSync(file, 'r+');
const host = new Uint8Array(ram, DATA, 1 << 20).fill(1);
measure('host: pwrite 1 MiB', SIZE, SIZE >> 20, () => {
  for (let at = 0; at < SIZE; at += 1 << 20) fs.writeSync(fd, host, 0, 1 << 20, at);
});
measure('host: pread 1 MiB', SIZE, SIZE >> 20, () => {
  for (let at = 0; at < SIZE; at += 1 << 20) fs.readSync(fd, host, 0, 1 << 20, at);
});
measure('write 256 MiB, 1 MiB requests', SIZE, SIZE >> 20, () => sequential('write', 1 << 20, 1));
measure('flush', 0, 1, () => runTask(pci, sd.submit(flush)));
measure('write 256 MiB, 64 KiB requests, 16 at once', SIZE, SIZE >> 16, () =>
  sequential('write', 65_536, 16),
);
measure('read 256 MiB, 1 MiB requests', SIZE, SIZE >> 20, () => sequential('read', 1 << 20, 1));
measure('read 256 MiB, 128 KiB requests', SIZE, SIZE >> 17, () => sequential('read', 1 << 17, 1));
measure('read 256 MiB, 4 KiB requests, 16 at once', SIZE, SIZE >> 12, () =>
  sequential('read', 4096, 16),
);
const random = integersFrom(1);
measure('random 4 KiB reads, one at a time', 4096 * 50_000, 50_000, () => {
  for (let i = 0; i < 50_000; i++) runTask(pci, sd_('read', random(SIZE / 4096) * 4096, 4096, 0));
});
measure('random 4 KiB writes, one at a time', 4096 * 50_000, 50_000, () => {
  for (let i = 0; i < 50_000; i++) runTask(pci, sd_('write', random(SIZE / 4096) * 4096, 4096, 0));
});
measure('4 KiB write and flush', 4096 * 200, 200, () => {
  for (let i = 0; i < 200; i++) {
    runTask(pci, sd_('write', i * 4096, 4096, 0));
    runTask(pci, sd.submit(flush));
  }
});
fs.rmSync(path.dirname(file), { recursive: true });

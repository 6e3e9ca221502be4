// The /dev/sd tree over the AHCI driver over the controller's model.

import test from 'ava';
import { S_IFBLK, S_IFMT } from '../../kernel/abi/constants.ts';
import { EINVAL, EROFS } from '../../kernel/abi/errno.ts';
import { FRAMES } from '../../kernel/abi/memlayout.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { startAhci } from '../ahci/driver.ts';
import { ahciDmaSize } from '../ahci/memory.ts';
import { createAhciController } from '../hw/ahci/ahci.ts';
import { createPciBus } from '../hw/pci.ts';
import { handClock, type MemoryDisk, memoryDisk, runTask, uncounted } from '../hw/test-rig.ts';
import { createSdServer, type SdFile } from './sd-server.ts';

const DATA = 0x100_0000;

/** A disk of 1000 sectors whose partition 1 is the sectors 100 to 299. */
function partitioned(readOnly = false): MemoryDisk {
  const disk = memoryDisk(1000, readOnly);
  const view = new DataView(disk.bytes.buffer);
  view.setUint16(510, 0xaa55, true);
  view.setUint8(446 + 4, 0x83);
  view.setUint32(446 + 8, 100, true);
  view.setUint32(446 + 12, 200, true);
  return disk;
}

function rig(disks: readonly MemoryDisk[]) {
  const ram = new SharedArrayBuffer(32 << 20);
  const log: string[] = [];
  const pci = createAhciController({ ram, disks });
  const run = <T>(task: Task<T>): T => runTask(pci, task);
  const dma = { address: 0x1000, length: ahciDmaSize(disks.length) };
  const options = { ram, log: (line: string) => log.push(line) };
  const { after } = handClock();
  const board = { ram, pci: createPciBus([pci]) };
  const controller = run(startAhci({ ...options, board, dma, after, stats: uncounted }));
  const server = run(createSdServer({ ...options, controller }));
  const { fs } = server;
  const file = (path: string): SdFile => {
    let at = fs.attach(undefined, { uname: '', aname: '', nUname: 0 });
    for (const name of path.split('/')) {
      const next = fs.walk(undefined, at, name);
      if (!next) throw new Error(`no ${name} in ${path}`);
      at = next;
    }
    return at;
  };
  const now = <T>(result: T | Task<T>): T =>
    typeof result === 'object' && result !== null && 'next' in result ? run(result) : (result as T);
  const read = (path: string, offset: number, length: number): Uint8Array => {
    const into = new Uint8Array(length);
    return into.subarray(0, now(fs.read(undefined, file(path), offset, into)));
  };
  const write = (path: string, offset: number, data: Uint8Array | string): number => {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    return now(fs.write?.(undefined, file(path), offset, bytes) ?? 0);
  };
  const text = (path: string) => new TextDecoder().decode(read(path, 0, 10_000));
  const names = (path: string): string[] => {
    const out: string[] = [];
    const add = ({ name }: { name: string }) => out.push(name) > 0;
    fs.readdir(undefined, file(path), 0, { add });
    return out.sort();
  };
  const bytes = (address: number, length: number) => new Uint8Array(ram, address, length);
  return { pci, server, fs, file, read, write, text, names, run, bytes, log, now };
}

test('a disk is a directory of ctl, raw, data, geometry and its parts', (t) => {
  const { names, fs, file } = rig([partitioned()]);
  t.deepEqual(names('sdC0'), ['.', '..', 'ctl', 'data', 'geometry', 'part', 'raw']);
  t.deepEqual(names('sdC0/part'), ['.', '..', '0', '1']);
  const attr = fs.getattr(undefined, file('sdC0/part/1'), 0);
  t.is(attr.mode & S_IFMT, S_IFBLK);
  t.is(attr.size, 200 * 512);
  t.is(attr.rdev, 0x801);
  t.is(fs.getattr(undefined, file('sdC0/data'), 0).size, 512_000);
});

test('ctl and geometry tell of the disk', (t) => {
  const { text } = rig([partitioned()]);
  t.regex(text('sdC0/ctl'), /^inquiry ATOLL VIRTUAL DISK\n/);
  t.regex(text('sdC0/ctl'), /\ngeometry 1000 512\ntable mbr\npart 1 100 300 0x83\n$/);
  t.regex(text('sdC0/geometry'), /^sectors 1000\nsecsize 512\n/);
});

test('raw, data and part/0 are the same disk, part/1 a part of it', (t) => {
  const { read, write } = rig([partitioned()]);
  write('sdC0/part/1', 0, new Uint8Array(1024).fill(7));
  for (const name of ['raw', 'data', 'part/0'])
    t.deepEqual(read(`sdC0/${name}`, 51_200, 1024), new Uint8Array(1024).fill(7));
  t.deepEqual(read('sdC0/raw', 51_199, 3), Uint8Array.of(0, 7, 7));
});

test('granted memory on sectors goes to the device without a copy', (t) => {
  const disk = partitioned();
  const { run, server, file, bytes } = rig([disk]);
  bytes(DATA, 8192).fill(0x3c);
  disk.calls.length = 0;
  const segments = [
    { address: DATA, length: 4096 },
    { address: DATA + 0x4000, length: 4096 },
  ];
  const data = file('sdC0/data');
  t.true(server.isData(data));
  t.false(server.isData(file('sdC0/ctl')));
  t.is(run(server.transfer(data, { op: 'read', offset: 0, segments })), 8192);
  t.deepEqual(disk.calls, ['read 0+8192']);
  t.is(bytes(DATA + 510, 1)[0], 0x55);
});

test('fsync of a file with data flushes the disk', (t) => {
  const disk = partitioned();
  const { fs, file, write, now } = rig([disk]);
  write('sdC0/part/1', 5, new TextEncoder().encode('hello'));
  t.is(disk.bytes[51_205], 0);
  now(fs.fsync?.(undefined, file('sdC0/part/1'), true));
  t.is(disk.bytes[51_205], 0x68);
});

test('fsync of the root flushes every disk', (t) => {
  const disks = [partitioned(), partitioned()];
  const { fs, write, now } = rig(disks);
  for (const name of ['sdC0', 'sdC1']) write(`${name}/raw`, 600, Uint8Array.of(0x77));
  now(fs.fsync?.(undefined, fs.attach(undefined, { uname: '', aname: '', nUname: 0 }), false));
  for (const disk of disks) t.is(disk.bytes[600], 0x77);
});

test('a partition table that was written shows after reread', (t) => {
  const disk = partitioned();
  const { write, names } = rig([disk]);
  const entry = new Uint8Array(16);
  entry[4] = 0x83;
  new DataView(entry.buffer).setUint32(8, 400, true);
  new DataView(entry.buffer).setUint32(12, 100, true);
  write('sdC0/raw', 446 + 16, entry);
  t.deepEqual(names('sdC0/part'), ['.', '..', '0', '1']);
  write('sdC0/ctl', 0, 'reread');
  t.deepEqual(names('sdC0/part'), ['.', '..', '0', '1', '2']);
});

const wrongCommand = test.macro({
  exec(t, command: string) {
    const { write } = rig([partitioned()]);
    t.like(
      t.throws(() => write('sdC0/ctl', 0, command)),
      { errno: EINVAL },
    );
  },
  title: (_, command: string) => `ctl refuses '${command}'`,
});
for (const command of [
  'format',
  'flush now',
  'trim',
  'trim 1',
  'trim 999 2',
  'trim -1 5',
  'trim 1e2 1',
  'trim 5 0',
])
  test(wrongCommand, command);

test('a write-protected disk is read, and refuses writes and trim', (t) => {
  const { read, write, text, fs, file } = rig([partitioned(true)]);
  t.is(read('sdC0/raw', 511, 1)[0], 0xaa);
  t.like(
    t.throws(() => write('sdC0/raw', 0, 'x')),
    { errno: EROFS },
  );
  t.like(
    t.throws(() => write('sdC0/ctl', 0, 'trim 1 1')),
    { errno: EROFS },
  );
  t.regex(text('sdC0/ctl'), /state read-only/);
  t.is(fs.getattr(undefined, file('sdC0/raw'), 0).mode & 0o777, 0o440);
});

test('without a controller the tree is empty', (t) => {
  const ram = new SharedArrayBuffer(FRAMES);
  const pci = createAhciController({ ram, disks: [undefined] });
  const server = runTask(pci, createSdServer({ controller: undefined, ram, log: () => {} }));
  const names: string[] = [];
  const add = ({ name }: { name: string }) => names.push(name) > 0;
  server.fs.readdir(
    undefined,
    server.fs.attach(undefined, { uname: '', aname: '', nUname: 0 }),
    0,
    { add },
  );
  t.deepEqual(names, ['.', '..']);
});

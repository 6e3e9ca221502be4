// Disks exported by NBD, judged by the host's own clients (libnbd, qemu), and by clients that break the
// protocol.

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { boot } from '../../index.ts';
import { makeExt4, tempDir } from '../testing/machine.ts';

const run = promisify(execFile);

/** Not execFileSync: the server lives in this process. undefined: the tool is missing. */
async function tool(name: string, ...args: string[]): Promise<string | undefined> {
  try {
    return (await run(name, args, { timeout: 60_000 })).stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

test('nbdinfo, nbdcopy and qemu-img read and write a disk on any controller', async (t) => {
  t.timeout(240_000);
  await using dir = await tempDir();
  const image = join(dir.path, 'disk.img');
  writeFileSync(image, new Uint8Array(4 << 20));
  const source = join(dir.path, 'source');
  const bytes = new Uint8Array(4 << 20).map((_, i) => (i * 7 + (i >> 9)) & 0xff);
  writeFileSync(source, bytes);
  await using os = await boot({ disks: [{ file: image, controller: 'virtio' }] });
  await using nbd = await os.exportNbd();
  const url = `nbd://127.0.0.1:${nbd.port}/sdF0`;
  const told = await tool('nbdinfo', '--json', url);
  if (told === undefined) {
    t.log('no libnbd here: skipped');
    return t.pass();
  }
  t.like(JSON.parse(told), {
    protocol: 'newstyle-fixed',
    structured: true,
    exports: [{ 'export-size': 4 << 20, is_read_only: false, can_flush: true, can_trim: true }],
  });
  t.regex((await tool('nbdinfo', '--list', `nbd://127.0.0.1:${nbd.port}`)) ?? '', /sdF0/);
  await tool('nbdcopy', '--flush', source, url);
  t.is(Buffer.compare(readFileSync(image), bytes), 0, 'a flush brings it to the image');
  const back = join(dir.path, 'back');
  await tool('nbdcopy', url, back);
  t.is(Buffer.compare(readFileSync(back), bytes), 0);
  const info = await tool('qemu-img', 'info', '--output=json', url);
  if (info !== undefined) t.is(JSON.parse(info)['virtual-size'], 4 << 20);
  await tool('qemu-img', 'convert', '-f', 'raw', '-O', 'raw', url, `${back}2`);
  if (info !== undefined) t.is(Buffer.compare(readFileSync(`${back}2`), bytes), 0);
});

test('block status tells what reads as zeroes', async (t) => {
  t.timeout(240_000);
  await using dir = await tempDir();
  const image = join(dir.path, 'disk.img');
  const bytes = new Uint8Array(4 << 20);
  bytes.fill(1, 1 << 20, (1 << 20) + (128 << 10));
  bytes[3 << 20] = 9;
  writeFileSync(image, bytes);
  await using os = await boot({ disks: [{ file: image }] });
  await using nbd = await os.exportNbd();
  const url = `nbd://127.0.0.1:${nbd.port}/sdC0`;
  const map = await tool('nbdinfo', '--json', '--map', url);
  if (map === undefined) {
    t.log('no libnbd here: skipped');
    return t.pass();
  }
  const stretches = JSON.parse(map) as { offset: number; length: number; type: number }[];
  t.deepEqual(
    stretches.map(({ offset, length, type }) => [offset, length, type]),
    [
      [0, 1 << 20, 2],
      [1 << 20, 128 << 10, 0],
      [(1 << 20) + (128 << 10), (2 << 20) - (128 << 10), 2],
      [3 << 20, 64 << 10, 0],
      [(3 << 20) + (64 << 10), (1 << 20) - (64 << 10), 2],
    ],
  );
  const copy = join(dir.path, 'copy');
  await tool('nbdcopy', url, copy);
  t.is(Buffer.compare(readFileSync(copy), bytes), 0);
  await tool('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', url, `${copy}.qcow2`);
  const compared = await tool(
    'qemu-img',
    'compare',
    '-f',
    'raw',
    '-F',
    'qcow2',
    url,
    `${copy}.qcow2`,
  );
  if (compared !== undefined) t.regex(compared, /identical/);
});

test('a disk with a mounted volume is read-only for others', async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 'disk.img');
  if (!(await makeExt4(image, 8))) return t.pass();
  await using os = await boot({ disks: [{ file: image }] });
  await using nbd = await os.exportNbd();
  const told = await tool('nbdinfo', '--json', `nbd://127.0.0.1:${nbd.port}/sdC0`);
  if (told === undefined) return t.pass();
  t.like(JSON.parse(told), { exports: [{ is_read_only: true }] });
});

test('clients that break the protocol are dropped, and the next one is served', async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 'disk.img');
  writeFileSync(image, new Uint8Array(1 << 20));
  await using os = await boot({ disks: [{ file: image, controller: 'ide' }] });
  await using nbd = await os.exportNbd();
  /** What comes back until the server hangs up, or nothing more is to come. */
  const send = (...pieces: Uint8Array[]): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const got: Buffer[] = [];
      const socket = connect(nbd.port, '127.0.0.1', () => socket.end(Buffer.concat(pieces)));
      socket.on('data', (piece) => got.push(piece));
      socket.on('close', () => resolve(Buffer.concat(got)));
      socket.on('error', reject);
    });
  const flags = Buffer.from([0, 0, 0, 3]);
  const option = (number: number, length: number, data = Buffer.alloc(0)) => {
    const head = Buffer.alloc(16);
    head.write('IHAVEOPT', 0);
    head.writeUInt32BE(number, 8);
    head.writeUInt32BE(length, 12);
    return Buffer.concat([head, data]);
  };
  const name = Buffer.from('sdD0');
  const request = (type: number, offset: bigint, length: number) => {
    const head = Buffer.alloc(28);
    head.writeUInt32BE(0x2560_9513, 0);
    head.writeUInt16BE(type, 6);
    head.writeBigUInt64BE(offset, 16);
    head.writeUInt32BE(length, 24);
    return head;
  };
  const negotiated = 18 + 10;
  t.is((await send(Buffer.alloc(4))).length, 18, 'oldstyle');
  t.is((await send(flags, Buffer.alloc(16))).length, 18, 'no option');
  t.is((await send(flags, option(1, 1 << 30))).length, 18, 'a name without end');
  t.is((await send(flags, option(1, 4, Buffer.from('sdZ9')))).length, 18, 'no such disk');
  const open = [flags, option(1, 4, name)];
  t.is((await send(...open, Buffer.alloc(28))).length, negotiated, 'no request');
  t.is((await send(...open, request(1, 0n, 2 ** 32 - 1))).length, negotiated, 'a write too long');
  const beyond = await send(...open, request(0, 2n ** 63n, 512), request(0, 0n, 512));
  t.is(beyond.readUInt32BE(negotiated + 4), 22, 'a read outside is EINVAL');
  t.is(beyond.length, negotiated + 16 + 16 + 512, 'and the next one is served');
});

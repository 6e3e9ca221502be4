// The yardsticks: the same work with bare Node on the host, and with the host's programs.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { median } from './row.ts';

/** Milliseconds that `body` takes. */
export function timed(body: () => void): number {
  const from = performance.now();
  body();
  return performance.now() - from;
}

export const MIB = 1024 * 1024;

/** MB/s of fs.readSync through the first `bytes` of a file, 1 MiB at a time. */
export function nodeReads(file: string, bytes: number): number {
  const fd = openSync(file, 'r');
  const into = new Uint8Array(MIB);
  const ms = timed(() => {
    for (let at = 0; at < bytes; at += MIB) readSync(fd, into, 0, MIB, at);
  });
  closeSync(fd);
  return bytes / ms / 1000;
}

/** Microseconds of each of `count` fs.readSync of 4 KiB at random places. */
export function nodeRandomReads(file: string, count: number): { meanUs: number; p50Us: number } {
  const pages = Math.floor(statSync(file).size / 4096);
  const fd = openSync(file, 'r');
  const into = new Uint8Array(4096);
  const us: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = Math.floor(Math.random() * pages) * 4096;
    us.push(timed(() => readSync(fd, into, 0, 4096, at)) * 1000);
  }
  closeSync(fd);
  return { meanUs: us.reduce((a, b) => a + b, 0) / count, p50Us: median(us) };
}

/** MB/s of fs.writeSync of 1 MiB and one fsync at the end. */
export function nodeWrites(file: string, bytes: number): number {
  const from = new Uint8Array(MIB).fill(7);
  const ms = timed(() => {
    const fd = openSync(file, 'w');
    for (let at = 0; at < bytes; at += MIB) writeSync(fd, from, 0, MIB, at);
    fsyncSync(fd);
    closeSync(fd);
  });
  rmSync(file);
  return bytes / ms / 1000;
}

/** Milliseconds of `count` fs.writeSync of 4 KiB at random places, and one fsync. */
export function nodeRandomWrites(file: string, of: { bytes: number; count: number }): number {
  const fd = openSync(file, 'w');
  ftruncateSync(fd, of.bytes);
  const from = new Uint8Array(4096).fill(7);
  const ms = timed(() => {
    for (let i = 0; i < of.count; i++) {
      writeSync(fd, from, 0, 4096, Math.floor(Math.random() * (of.bytes / 4096)) * 4096);
    }
    fsyncSync(fd);
  });
  closeSync(fd);
  rmSync(file);
  return ms;
}

const FIVE = new TextEncoder().encode('five\n');

/** Files of 5 bytes a second, made in one directory, which is left there. */
export function nodeCreates(directory: string, count: number): number {
  mkdirSync(directory, { recursive: true });
  const ms = timed(() => {
    for (let i = 0; i < count; i++) {
      const fd = openSync(join(directory, `bench.${i}`), 'wx');
      writeSync(fd, FIVE);
      closeSync(fd);
    }
  });
  return (count / ms) * 1000;
}

/** Microseconds of one fs.statSync of a name in the directory that nodeCreates left. */
export function nodeStats(directory: string, count: number): number {
  const ms = timed(() => {
    for (let i = 0; i < count; i++) statSync(join(directory, `bench.${i}`));
  });
  return (ms * 1000) / count;
}

/** Microseconds of one fs.fstatSync: the cheapest way of Node into its kernel. */
export function nodeCall(file: string, count: number): number {
  const fd = openSync(file, 'r');
  const ms = timed(() => {
    for (let i = 0; i < count; i++) fstatSync(fd);
  });
  closeSync(fd);
  return (ms * 1000) / count;
}

/** Milliseconds of a command of the host; undefined where it is missing. */
export function hostCommand(command: string, args: readonly string[]): number | undefined {
  let ran: ReturnType<typeof spawnSync> | undefined;
  const ms = timed(() => {
    ran = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  });
  return ran?.status === 0 ? ms : undefined;
}

/** Milliseconds for dash to start and wait for `count` processes of true; undefined without dash. */
export function dashSpawns(count: number): number | undefined {
  const loop = 'i=0; while [ $i -lt $1 ]; do /bin/true; i=$((i+1)); done';
  const empty = hostCommand('dash', [
    '-c',
    'i=0; while [ $i -lt $1 ]; do :; i=$((i+1)); done',
    'x',
    `${count}`,
  ]);
  const ms = hostCommand('dash', ['-c', loop, 'x', `${count}`]);
  return ms === undefined || empty === undefined ? undefined : ms - empty;
}

/** MB/s of two dd of the host with a pipe between them. */
export function ddPipe(bytes: number): number | undefined {
  const count = Math.ceil(bytes / 65536);
  const line = `dd if=/dev/zero bs=65536 count=${count} 2>/dev/null | dd of=/dev/null bs=65536 2>/dev/null`;
  const ms = hostCommand('sh', ['-c', line]);
  return ms === undefined ? undefined : bytes / ms / 1000;
}

/** MB/s of copying 1 MiB pieces of shared memory, as often as it takes for `bytes`. */
export function sharedCopies(bytes: number, span: number): number {
  const from = new Uint8Array(new SharedArrayBuffer(span)).fill(1);
  const into = new Uint8Array(new SharedArrayBuffer(MIB));
  const ms = timed(() => {
    for (let at = 0; at < bytes; at += MIB) {
      const place = at % span;
      into.set(from.subarray(place, place + MIB));
    }
  });
  return bytes / ms / 1000;
}

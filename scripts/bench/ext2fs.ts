// The yardstick ext2fs: libext2fs compiled to WebAssembly, as npm has it. Its disk is the image, read
// by the host's fs in the same thread: nothing is in its way.

import { closeSync, openSync, readSync } from 'node:fs';

/** What of `ext2fs` is used here; the package brings no types. */
interface Ext2fs {
  withMountedDisk<T>(disk: object, offset: number, body: (fs: Ext2Files) => Promise<T>): Promise<T>;
}

type Done<T> = (error: Error | null, value: T) => void;

interface Ext2Files {
  open(path: string, flags: string, done: Done<number>): void;
  read(fd: number, ...args: [Uint8Array, number, number, number, Done<number>]): void;
  close(fd: number, done: Done<undefined>): void;
}

const PACKAGE: string = 'ext2fs';

/** MB/s of reading a file of the image, 1 MiB at a time; or why that cannot be done. */
export async function ext2fsReads(
  image: string,
  of: { path: string; bytes: number },
): Promise<number | string> {
  let ext2fs: Ext2fs;
  try {
    ext2fs = ((await import(PACKAGE)) as { default: Ext2fs }).default;
  } catch {
    return 'ext2fs is not installed';
  }
  const fd = openSync(image, 'r');
  const disk = {
    read: async (into: Uint8Array, at: number, length: number, position: number) => ({
      bytesRead: readSync(fd, into, at, length, position),
      buffer: into,
    }),
    write: () => Promise.resolve(), // it sets the access time even of what is opened for reading
    flush: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
  try {
    return await ext2fs.withMountedDisk(disk, 0, (fs) => readAll(fs, of));
  } catch (error) {
    return `ext2fs: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    closeSync(fd);
  }
}

async function readAll(
  fs: Ext2Files,
  { path, bytes }: { path: string; bytes: number },
): Promise<number> {
  const MIB = 1024 * 1024;
  const into = Buffer.alloc(MIB);
  const fd = await told<number>((done) => fs.open(path, 'r', done));
  const from = performance.now();
  for (let at = 0; at < bytes; at += MIB) {
    const count = await told<number>((done) => fs.read(fd, into, 0, MIB, at, done));
    if (count !== MIB) throw new Error(`${count} bytes at ${at}`);
  }
  const ms = performance.now() - from;
  await told<undefined>((done) => fs.close(fd, done));
  return bytes / ms / 1000;
}

const told = <T>(ask: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    ask((error, value) => (error === null ? resolve(value) : reject(error)));
  });

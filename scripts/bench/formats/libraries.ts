// The yardsticks of npm: ext2fs (libext2fs in WebAssembly) and fatfs (JavaScript), in this process, over the
// image by node:fs. Both look like Node's fs with callbacks.

import { closeSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { median } from '../row.ts';
import { FIVE, type Figures, type Load, mbPerSecond, PAGE, perSecond } from './load.ts';

type Done<T> = (error: Error | null, value: T) => void;

/** What of Node's fs they have. */
export interface CallbackFs {
  open(path: string, flags: string, done: Done<number>): void;
  read(fd: number, ...args: [Uint8Array, number, number, number, Done<number>]): void;
  write(fd: number, ...args: [Uint8Array, number, number, number, Done<number>]): void;
  close(fd: number, done: Done<undefined>): void;
  mkdir(path: string, done: Done<undefined>): void;
}

export const told = <T>(ask: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    ask((error, value) => (error ? reject(error) : resolve(value)));
  });

interface Library {
  readonly name: string;
  readonly open: (image: OpenImage) => Promise<Mounted>;
  /** It works on so much less, for nobody would wait; its rates are what is compared. */
  readonly share: number;
}

const LIBRARIES: Readonly<Record<string, Library>> = {
  ext4: { name: 'ext2fs of npm', open: openExt2fs, share: 1 },
  fat32: { name: 'fatfs of npm', open: openFatfs, share: 1 / 32 },
};

interface Mounted {
  readonly fs: CallbackFs;
  /** Brings what it keeps in memory into the image. */
  flush(): Promise<void>;
}

/** What the library of the format does to a fresh image; undefined where there is none. */
export async function libraryFigures(
  format: string,
  { image, load }: { image: string; load: Load },
): Promise<{ name: string; figures: Figures } | undefined> {
  const library = LIBRARIES[format];
  if (library === undefined) return undefined;
  const disk = new OpenImage(image);
  const less = (count: number): number => Math.ceil(count * library.share);
  const bytes = Math.max(load.piece, less(load.bytes));
  const share = { ...load, bytes, accesses: less(load.accesses), files: less(load.files) };
  try {
    return { name: library.name, figures: await figuresOf(library, disk, share) };
  } finally {
    disk.close();
  }
}

/** The image as both packages want it: bytes at places. */
class OpenImage {
  readonly sizeBytes: number;
  readonly #fd: number;

  constructor(file: string) {
    this.#fd = openSync(file, 'r+');
    this.sizeBytes = statSync(file).size;
  }

  read(into: Uint8Array, position: number): number {
    return readSync(this.#fd, into, 0, into.length, position);
  }

  write(from: Uint8Array, position: number): number {
    return writeSync(this.#fd, from, 0, from.length, position);
  }

  flush(): void {
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The packages bring no types. */
interface Ext2fs {
  mount(disk: object, offset: number): Promise<CallbackFs>;
  umount(fs: CallbackFs): Promise<void>;
}

interface Fatfs {
  createFileSystem(volume: object, options: object, done: (error?: Error) => void): CallbackFs;
}

async function load<T>(name: string): Promise<T> {
  return ((await import(name)) as { default: T }).default;
}

async function openExt2fs(image: OpenImage): Promise<Mounted> {
  const ext2fs = await load<Ext2fs>('ext2fs');
  const part = (bytes: Uint8Array, at: number, length: number) => bytes.subarray(at, at + length);
  const disk = {
    read: async (into: Uint8Array, at: number, length: number, position: number) => ({
      bytesRead: image.read(part(into, at, length), position),
      buffer: into,
    }),
    write: async (from: Uint8Array, at: number, length: number, position: number) => ({
      bytesWritten: image.write(part(from, at, length), position),
      buffer: from,
    }),
    flush: async () => image.flush(),
    discard: async () => undefined,
  };
  const fs = await ext2fs.mount(disk, 0);
  return { fs, flush: () => ext2fs.umount(fs) };
}

async function openFatfs(image: OpenImage): Promise<Mounted> {
  const fatfs = await load<Fatfs>('fatfs');
  const sectorSize = 512;
  const volume = {
    sectorSize,
    numSectors: image.sizeBytes / sectorSize,
    readSectors(sector: number, into: Uint8Array, done: (error: Error | null) => void) {
      image.read(into, sector * sectorSize);
      done(null);
    },
    writeSectors(sector: number, from: Uint8Array, done: (error: Error | null) => void) {
      image.write(from, sector * sectorSize);
      done(null);
    },
  };
  const fs = await new Promise<CallbackFs>((resolve, reject) => {
    const made = fatfs.createFileSystem(volume, { noatime: true }, (error) => {
      if (error) reject(error);
      else queueMicrotask(() => resolve(made));
    });
  });
  return { fs, flush: async () => undefined };
}

async function figuresOf(library: Library, image: OpenImage, of: Load): Promise<Figures> {
  const { bytes, piece, accesses, files, rounds } = of;
  const reads = (size: number, places: readonly number[]) => (fs: CallbackFs) =>
    transfer(fs, 'read', { flags: 'r', size, places });
  const changes = (flags: string, size: number, places: readonly number[]) => (fs: CallbackFs) =>
    transfer(fs, 'write', { flags, size, places });
  /** What is written counts until it is in the image, as after an umount; the next mount does not count. */
  const times = async (way: 'read' | 'write', body: Body): Promise<number> => {
    const ms: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const mounted = await library.open(image);
      const from = performance.now();
      await body(mounted.fs, round);
      if (way === 'read') ms.push(performance.now() - from);
      await mounted.flush();
      image.flush();
      if (way === 'write') ms.push(performance.now() - from);
    }
    return median(ms);
  };
  const inOrder = Array.from({ length: bytes / piece }, (_, i) => i * piece);
  const anywhere = (): number[] =>
    Array.from({ length: accesses }, () => Math.floor(Math.random() * (bytes / PAGE)) * PAGE);
  const write = mbPerSecond(bytes, await times('write', changes('w', piece, inOrder)));
  const read = mbPerSecond(bytes, await times('read', reads(piece, inOrder)));
  const pread = perSecond(accesses, await times('read', (fs) => reads(PAGE, anywhere())(fs)));
  const pwrite = perSecond(
    accesses,
    await times('write', (fs) => changes('r+', PAGE, anywhere())(fs)),
  );
  const made = await times('write', async (fs, round) => {
    await told<undefined>((done) => fs.mkdir(`/many${round}`, done));
    for (let i = 0; i < files; i++) await makeFile(fs, `/many${round}/bench.${i}`);
  });
  return { write, read, cached: read, pread, hit: pread, pwrite, files: perSecond(files, made) };
}

type Body = (fs: CallbackFs, round: number) => Promise<void>;

async function transfer(
  fs: CallbackFs,
  way: 'read' | 'write',
  of: { flags: string; size: number; places: readonly number[] },
): Promise<void> {
  const bytes = Buffer.alloc(of.size, 7);
  const fd = await told<number>((done) => fs.open('/big', of.flags, done));
  for (const place of of.places) {
    const count = await told<number>((done) => fs[way](fd, bytes, 0, of.size, place, done));
    if (count !== of.size) throw new Error(`${way}: ${count} bytes at ${place}`);
  }
  await told<undefined>((done) => fs.close(fd, done));
}

async function makeFile(fs: CallbackFs, path: string): Promise<void> {
  const fd = await told<number>((done) => fs.open(path, 'wx', done));
  const bytes = Buffer.from(FIVE);
  await told<number>((done) => fs.write(fd, bytes, 0, bytes.length, 0, done));
  await told<undefined>((done) => fs.close(fd, done));
}

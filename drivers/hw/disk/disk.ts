// The media of disks: an image file (raw, sparse, or packed as .zst) attached read-write, read-only,
// or under an overlay in memory. A medium keeps what a power cut leaves; the drive's volatile cache
// is write-cache.ts.

import { EINVAL, EROFS, PosixError } from '../../../kernel/abi/errno.ts';
import { claimImage, HostFile } from './host-file.ts';
import { type Base, Overlay } from './overlay.ts';
import { type OverlayMemory, overlayMemory } from './overlay-memory.ts';
import type { Segments } from './segments.ts';
import { ZstImage } from './zst-image.ts';

export const SECTOR_SIZE = 512;

/** A medium. Offsets and lengths are bytes; the caller stays inside `sectorCount`. */
export interface Disk {
  readonly file: string;
  readonly sectorCount: number;
  readonly readOnly: boolean;
  /** What the user should know of the image, one line each. */
  readonly notes: readonly string[];
  readv(offset: number, segments: Segments): void;
  writev(offset: number, segments: Segments): void;
  /** Returns when all that was written is on the medium. */
  flush(): void;
  /** The range's content is no longer needed: it may read as zeroes or as before. */
  trim(offset: number, length: number): void;
  close(): void;
}

export interface DiskOptions {
  readonly file: string;
  /** `overlay`: writes stay in memory and end with the machine. */
  readonly mode: 'rw' | 'ro' | 'overlay';
  /** Where an overlay keeps what was written, if that is to outlive the disk object. */
  readonly overlay?: OverlayMemory | undefined;
}

/** An image that was opened, or unpacked; nothing of it was read or written yet. */
export interface Image {
  readonly options: DiskOptions;
  readonly content: HostFile | ZstImage;
  close(): void;
}

/** Opens an image and makes a disk of it; throws a PosixError that says what is wrong with it. */
export const openDisk = (options: DiskOptions): Disk => diskOf(openImage(options));

/** What takes time, and can be done before the disk is needed. */
export function openImage(options: DiskOptions): Image {
  const { file, mode } = options;
  if (file.endsWith('.zst')) {
    if (mode === 'rw')
      throw new PosixError(
        EROFS,
        `${file}: a .zst image cannot be written; attach it as an overlay`,
      );
    return { options, content: new ZstImage(file), close: () => {} };
  }
  const release = mode === 'rw' ? claimImage(file) : () => {};
  try {
    const content = new HostFile(file, mode === 'rw' ? 'r+' : 'r');
    const close = () => {
      release();
      content.close();
    };
    return { options, content, close };
  } catch (error) {
    release();
    throw error;
  }
}

/** The disk of an opened image, with the overlay as it is now. */
export function diskOf(image: Image): Disk {
  const { options, content } = image;
  try {
    if (options.mode === 'rw' && content instanceof HostFile) return writableDisk(image, content);
    return { ...memoryDisk(options, content), close: () => image.close() };
  } catch (error) {
    image.close();
    throw error;
  }
}

function writableDisk({ options, close }: Image, image: HostFile): Disk {
  return {
    ...describe(options.file, image.sizeBytes),
    readOnly: false,
    readv: (offset, segments) => image.readv(offset, segments),
    writev: (offset, segments) => image.writev(offset, segments),
    flush: () => image.sync(),
    trim: (offset, length) => zeroSmall(image, offset, length),
    close,
  };
}

/** A disk whose base is only read: its writes are refused or kept in an overlay. */
function memoryDisk(
  options: DiskOptions,
  image: Base & { sizeBytes: number },
): Omit<Disk, 'close'> {
  const { file, mode } = options;
  const common = { ...describe(file, image.sizeBytes), flush: () => {} };
  if (mode === 'ro') {
    const refuse = () => {
      throw new PosixError(EROFS, `${file}: is attached read-only`);
    };
    const readv: Disk['readv'] = (offset, segments) => image.readv(offset, segments);
    return { ...common, readOnly: true, readv, writev: refuse, trim: refuse };
  }
  const overlay = new Overlay(image, options.overlay ?? overlayMemory(image.sizeBytes));
  return {
    ...common,
    readOnly: false,
    readv: (offset, segments) => overlay.readv(offset, segments),
    writev: (offset, segments) => overlay.writev(offset, segments),
    trim: (offset, length) => overlay.trim(offset, length),
  };
}

function describe(file: string, sizeBytes: number): Pick<Disk, 'file' | 'sectorCount' | 'notes'> {
  if (sizeBytes === 0) throw new PosixError(EINVAL, `${file}: is empty`);
  const sectorCount = Math.floor(sizeBytes / SECTOR_SIZE);
  if (sectorCount === 0)
    throw new PosixError(EINVAL, `${file}: ${sizeBytes} bytes are less than a sector`);
  const rest = sizeBytes % SECTOR_SIZE;
  const notes = rest === 0 ? [] : [`${file}: the last ${rest} bytes are no whole sector: unused`];
  return { file, sectorCount, notes };
}

/** Trimmed ranges up to this size are zeroed: more would only fill a sparse file with zeroes. */
const ZERO_LIMIT = 1 << 20;
const zeroes = new Uint8Array(ZERO_LIMIT);

function zeroSmall(image: HostFile, offset: number, length: number): void {
  if (length <= ZERO_LIMIT) image.writev(offset, [zeroes.subarray(0, length)]);
}

// A part of a device, or of a medium, as one: an HFS Plus volume inside its wrapper. TN1150, "HFS Wrapper".

import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import type { BlockDevice, Piece } from '../lib/device.ts';
import type { Medium } from '../lib/medium.ts';
import type { Place } from './volume/volume.ts';

export class DeviceWindow implements BlockDevice {
  readonly #device: BlockDevice;
  readonly #offset: number;
  readonly sizeBytes: number;

  constructor(device: BlockDevice, { offset, sizeBytes }: Place) {
    this.#device = device;
    this.#offset = offset;
    this.sizeBytes = sizeBytes;
  }

  get sectorSize(): number {
    return this.#device.sectorSize;
  }

  get readOnly(): boolean {
    return this.#device.readOnly;
  }

  *read(pieces: readonly Piece[]): Task<void> {
    yield* this.#device.read(this.#inside(pieces));
  }

  *write(pieces: readonly Piece[]): Task<void> {
    yield* this.#device.write(this.#inside(pieces));
  }

  *flush(): Task<void> {
    yield* this.#device.flush();
  }

  #inside(pieces: readonly Piece[]): Piece[] {
    return pieces.map(({ offset, ref }) => {
      if (offset < 0 || offset + ref.length > this.sizeBytes)
        throw new PosixError(EIO, `transfer of ${ref.length} at ${offset} of ${this.sizeBytes}`);
      return { offset: offset + this.#offset, ref };
    });
  }
}

/** `place` lies inside the medium. */
export const mediumWindow = (medium: Medium, { offset, sizeBytes }: Place): Medium => ({
  sizeBytes,
  read: (at, length) => medium.read(offset + at, length),
  write: (at, bytes) => medium.write(offset + at, bytes),
  flush: () => medium.flush(),
});

// BlockDevice: the disk below a volume. Data moves between the medium and granted `ram`; nothing is
// copied on the way (DESIGN, "RAM and grants").

import type { GrantRef } from '../../kernel/ipc/grant.ts';
import type { Task } from '../../kernel/ipc/task.ts';

/** One transfer: bytes of the device, and the granted memory they go to or come from. */
export interface Piece {
  readonly offset: number; // bytes; a multiple of the sector size, as is the length
  readonly ref: GrantRef;
}

export interface BlockDevice {
  readonly sizeBytes: number;
  readonly sectorSize: number;
  readonly readOnly: boolean;
  /** Reads all pieces, many at once. Throws PosixError(EIO, …) when any of them failed. */
  read(pieces: readonly Piece[]): Task<void>;
  /** Writes all pieces, in any order. They are safe after the next `flush` only. */
  write(pieces: readonly Piece[]): Task<void>;
  /** All writes that were finished before are on the medium when this is over. */
  flush(): Task<void>;
}

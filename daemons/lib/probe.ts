// Reading the first sectors of a device before there is a block cache: what kind of volume is it?

import { EMEDIUMTYPE, PosixError } from '../../kernel/abi/errno.ts';
import { subgrant } from '../../kernel/ipc/grant.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { PROBE_SIZE } from './cache/layout.ts';
import type { MountRequest } from './mounted.ts';

/** The first 4 KiB of the device, as far as it goes; a copy. EMEDIUMTYPE when there is nothing. */
export function* readProbe({ ram, area, device }: MountRequest): Task<Uint8Array> {
  const size = Math.min(PROBE_SIZE, Math.floor(device.sizeBytes / device.sectorSize) * 512);
  if (size <= 0) throw new PosixError(EMEDIUMTYPE, 'the device is empty');
  const at = area.length - PROBE_SIZE;
  yield* device.read([{ offset: 0, ref: subgrant(area.grant, at, size) }]);
  return new Uint8Array(ram, area.address + at, size).slice();
}

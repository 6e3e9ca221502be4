// A medium of a repeatable run: every write and flush goes into the run's record.

import type { Recorder } from '../../../kernel/ipc/baton/record.ts';
import { type Disk, SECTOR_SIZE } from './disk.ts';

export function recorded(disk: Disk, port: number, recorder: Recorder | undefined): Disk {
  if (recorder === undefined) return disk;
  return {
    ...disk,
    writev(offset, segments) {
      const place = Math.floor(offset / SECTOR_SIZE);
      recorder.add({ kind: 'write', from: port, to: port, place }, ...segments);
      disk.writev(offset, segments);
    },
    flush() {
      recorder.add({ kind: 'flush', from: port, to: port, place: 0 });
      disk.flush();
    },
  };
}

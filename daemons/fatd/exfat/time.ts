// Times of exFAT: FAT's date and time, ten milliseconds, and the distance from UTC in quarters of an hour.
// exFAT specification 1.00, §7.4.5 to §7.4.10. Written as UTC.

import type { Timespec } from '../../../kernel/abi/stat.ts';
import { fromDos, toDos } from '../time.ts';

export interface ExFatTime {
  readonly stamp: number;
  readonly tenMs: number;
  readonly utcOffset: number;
}

const UTC = 0x80;
const QUARTER = 15 * 60;

export function toExFat(time: Timespec): ExFatTime {
  const { date, time: clock, tenth } = toDos(time);
  return { stamp: date * 0x1_0000 + clock, tenMs: tenth, utcOffset: UTC };
}

export function fromExFat({ stamp, tenMs, utcOffset }: ExFatTime): Timespec {
  const { sec, nsec } = fromDos({ date: stamp >>> 16, time: stamp & 0xffff, tenth: tenMs });
  if ((utcOffset & UTC) === 0) return { sec, nsec }; // local time, and nobody knows where
  const quarters = ((utcOffset & 0x7f) << 25) >> 25;
  return { sec: sec - quarters * QUARTER, nsec };
}

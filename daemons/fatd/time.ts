// Times as FAT keeps them: a date from 1980, two seconds, and ten milliseconds for the creation alone.
// The zone is not written down: taken as UTC. fatgen103, "Date and Time Formats".

import type { Timespec } from '../../kernel/abi/stat.ts';

const DAY = 86_400;
const FIRST = 315_532_800; // 1980-01-01
const LAST = 4_354_819_199; // 2107-12-31 23:59:59

export interface DosTime {
  readonly date: number;
  readonly time: number;
  readonly tenth: number; // units of 10 ms, 0..199
}

export function toDos({ sec, nsec }: Timespec): DosTime {
  const at = Math.max(FIRST, Math.min(LAST, sec));
  const { year, month, day } = civil(Math.floor(at / DAY));
  const second = at % DAY;
  const clock = { h: Math.floor(second / 3600), m: Math.floor(second / 60) % 60, s: second % 60 };
  return {
    date: ((year - 1980) << 9) | (month << 5) | day,
    time: (clock.h << 11) | (clock.m << 5) | (clock.s >> 1),
    tenth: (clock.s % 2) * 100 + Math.floor(nsec / 10_000_000),
  };
}

export function fromDos({ date, time, tenth }: DosTime): Timespec {
  if (date === 0) return { sec: FIRST, nsec: 0 };
  const month = Math.max(1, Math.min(12, (date >> 5) & 15));
  const day = Math.max(1, date & 31);
  const days = daysFrom(1980 + (date >> 9), month, day);
  const clock = (time >> 11) * 3600 + ((time >> 5) & 63) * 60 + (time & 31) * 2;
  const tenths = Math.min(199, tenth);
  return {
    sec: days * DAY + clock + Math.floor(tenths / 100),
    nsec: (tenths % 100) * 10_000_000,
  };
}

/** Days since 1970 of a date, by years that begin in March, so that the leap day comes last. */
function daysFrom(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civil(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const m = Math.floor((5 * dayOfYear + 2) / 153);
  const month = m < 10 ? m + 3 : m - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * m + 2) / 5) + 1,
  };
}

// Calendar time, UTC only: the fields of a moment, and strftime(3) formats (POSIX.1-2024, with the
// GNU flags `-`, `_`, `0`, `^`, `#` and %N).

import type { Timespec } from '../../../kernel/abi/stat.ts';

export const weekdayNames = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
];
export const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export interface Calendar {
  readonly year: number;
  readonly month: number; // 0..11
  readonly day: number; // 1..31
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number; // 0 = Sunday
  readonly yearDay: number; // 0..365
}

const DAY = 86400;

/** Days since 1970-01-01 of a date in the Gregorian calendar; months and days may overflow. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = year + Math.floor(month / 12);
  const m = ((month % 12) + 12) % 12;
  const before = (n: number): number =>
    n * 365 + Math.floor((n + 3) / 4) - Math.floor((n + 99) / 100) + Math.floor((n + 399) / 400);
  const starts = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
  const leapDay = m > 1 && isLeap(y) ? 1 : 0;
  return before(y) - before(1970) + (starts[m] ?? 0) + leapDay + day - 1;
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

export function calendar(sec: number): Calendar {
  const day = Math.floor(sec / DAY);
  const rest = sec - day * DAY;
  let year = 1970 + Math.floor(day / 365.2425);
  while (daysFromCivil(year, 0, 1) > day) year--;
  while (daysFromCivil(year + 1, 0, 1) <= day) year++;
  const yearDay = day - daysFromCivil(year, 0, 1);
  let month = 11;
  while (daysFromCivil(year, month, 1) > day) month--;
  return {
    year,
    month,
    day: day - daysFromCivil(year, month, 1) + 1,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    weekday: (((day + 4) % 7) + 7) % 7,
    yearDay,
  };
}

/** Formats a moment in UTC. Directives it does not know are copied. */
export function strftime(format: string, time: Timespec): string {
  const when = calendar(time.sec);
  return format.replace(/%([-_0^#+]*)(\d*)([EO]?)(:*)([A-Za-z%])/g, (whole, ...part: string[]) => {
    const [flags = '', width = '', , colons = '', letter = ''] = part;
    const text = field(letter, { when, time, colons, width });
    if (text === undefined) return whole;
    return adjusted(text, flags, width);
  });
}

/** As ctime(3) writes it. */
export const ctime = (sec: number): string => strftime('%a %b %e %H:%M:%S %Y', { sec, nsec: 0 });

interface FieldValue {
  readonly text: string;
  readonly pad: '0' | ' ' | '';
  readonly width: number;
}

function adjusted(value: FieldValue, flags: string, width: string): string {
  let pad = value.pad;
  if (flags.includes('-')) pad = '';
  else if (flags.includes('_')) pad = ' ';
  else if (flags.includes('0')) pad = '0';
  const size = flags.includes('-') ? 0 : Math.max(value.width, Number(width));
  let text = pad === '' && width === '' ? value.text : value.text.padStart(size, pad || ' ');
  if (flags.includes('^')) text = text.toUpperCase();
  if (flags.includes('#')) text = /[a-z]/.test(text) ? text.toUpperCase() : text.toLowerCase();
  return text;
}

interface Moment {
  readonly when: Calendar;
  readonly time: Timespec;
  readonly colons: string;
  readonly width: string;
}

const number = (value: number, width: number, pad: '0' | ' ' = '0'): FieldValue => ({
  text: String(value),
  pad,
  width,
});
const word = (text: string): FieldValue => ({ text, pad: '', width: 0 });

function field(letter: string, moment: Moment): FieldValue | undefined {
  const { when, time } = moment;
  const again = (format: string): FieldValue => word(strftime(format, time));
  switch (letter) {
    case '%':
      return word('%');
    case 'n':
      return word('\n');
    case 't':
      return word('\t');
    case 'a':
      return word((weekdayNames[when.weekday] ?? '').slice(0, 3));
    case 'A':
      return word(weekdayNames[when.weekday] ?? '');
    case 'b':
    case 'h':
      return word((monthNames[when.month] ?? '').slice(0, 3));
    case 'B':
      return word(monthNames[when.month] ?? '');
    case 'c':
      return again('%a %b %e %H:%M:%S %Y');
    case 'C':
      return number(Math.floor(when.year / 100), 2);
    case 'd':
      return number(when.day, 2);
    case 'D':
    case 'x':
      return again('%m/%d/%y');
    case 'e':
      return number(when.day, 2, ' ');
    case 'F':
      return again('%Y-%m-%d');
    case 'g':
      return number(isoWeek(when).year % 100, 2);
    case 'G':
      return number(isoWeek(when).year, 4);
    case 'H':
      return number(when.hour, 2);
    case 'I':
      return number(((when.hour + 11) % 12) + 1, 2);
    case 'j':
      return number(when.yearDay + 1, 3);
    case 'k':
      return number(when.hour, 2, ' ');
    case 'l':
      return number(((when.hour + 11) % 12) + 1, 2, ' ');
    case 'm':
      return number(when.month + 1, 2);
    case 'M':
      return number(when.minute, 2);
    case 'N':
      return nanoseconds(time.nsec, moment.width);
    case 'p':
      return word(when.hour < 12 ? 'AM' : 'PM');
    case 'P':
      return word(when.hour < 12 ? 'am' : 'pm');
    case 'q':
      return number(Math.floor(when.month / 3) + 1, 1);
    case 'r':
      return again('%I:%M:%S %p');
    case 'R':
      return again('%H:%M');
    case 's':
      return number(time.sec, 1);
    case 'S':
      return number(when.second, 2);
    case 'T':
    case 'X':
      return again('%H:%M:%S');
    case 'u':
      return number(((when.weekday + 6) % 7) + 1, 1);
    case 'U':
      return number(Math.floor((when.yearDay + 7 - when.weekday) / 7), 2);
    case 'V':
      return number(isoWeek(when).week, 2);
    case 'w':
      return number(when.weekday, 1);
    case 'W':
      return number(Math.floor((when.yearDay + 7 - ((when.weekday + 6) % 7)) / 7), 2);
    case 'y':
      return number(((when.year % 100) + 100) % 100, 2);
    case 'Y':
      return number(when.year, 4);
    case 'z':
      return word(['+0000', '+00:00', '+00:00:00', '+00'][moment.colons.length] ?? '+0000');
    case 'Z':
      return word('UTC');
    default:
      return undefined;
  }
}

/** %N has nine digits; a width cuts it to so many. */
function nanoseconds(nsec: number, width: string): FieldValue {
  const digits = String(nsec).padStart(9, '0');
  return word(width === '' ? digits : digits.slice(0, Number(width)).padEnd(Number(width), '0'));
}

/** ISO 8601 week: weeks begin on Monday, week 1 holds the first Thursday. */
function isoWeek(when: Calendar): { year: number; week: number } {
  const weekday = (when.weekday + 6) % 7;
  const week = Math.floor((when.yearDay - weekday + 10) / 7);
  if (week < 1) return { year: when.year - 1, week: weeksIn(when.year - 1) };
  if (week > weeksIn(when.year)) return { year: when.year + 1, week: 1 };
  return { year: when.year, week };
}

function weeksIn(year: number): number {
  const first = (((daysFromCivil(year, 0, 1) + 4) % 7) + 7) % 7;
  return first === 4 || (first === 3 && isLeap(year)) ? 53 : 52;
}

// Dates as people write them, for `date -d` and `touch -d`: @seconds, ISO 8601, `Jan 2 2020`,
// `yesterday`, `3 days ago`, `+2 hours`. UTC unless the text says otherwise.

import type { Timespec } from '../../../kernel/abi/stat.ts';
import { type Calendar, calendar, daysFromCivil, monthNames } from './date.ts';

type Parts = { -readonly [K in keyof Calendar]: Calendar[K] } & { nsec: number; offset: number };

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const unitSeconds: Readonly<Record<string, number>> = {
  second: 1,
  sec: 1,
  minute: 60,
  min: 60,
  hour: 3600,
  day: 86400,
  week: 604800,
  fortnight: 1209600,
};

/** Undefined when the text is no date. `now` is what relative dates start from. */
export function parseDate(text: string, now: Timespec): Timespec | undefined {
  const epoch = /^\s*@(-?\d+)(?:[.,](\d+))?\s*$/.exec(text);
  if (epoch !== null) return { sec: Number(epoch[1]), nsec: fraction(epoch[2]) };
  const parts: Parts = { ...calendar(now.sec), nsec: now.nsec, offset: 0 };
  let seconds = 0;
  let rest = text.trim().toLowerCase();
  if (rest === '') midnight(parts);
  for (let bound = 0; rest !== '' && bound < 40; bound++) {
    const taken = takeDate(rest, parts) ?? takeRelative(rest, parts);
    if (taken === undefined) return undefined;
    seconds += taken.seconds;
    rest = rest.slice(taken.length).replace(/^[\s,]+/, '');
  }
  return moment(parts, seconds);
}

const midnight = (parts: Parts): void => {
  Object.assign(parts, { hour: 0, minute: 0, second: 0, nsec: 0 });
};

const fraction = (digits = ''): number => Number(digits.slice(0, 9).padEnd(9, '0'));

function moment(parts: Parts, seconds: number): Timespec {
  const days = daysFromCivil(parts.year, parts.month, parts.day);
  const time = parts.hour * 3600 + parts.minute * 60 + parts.second - parts.offset;
  return { sec: days * 86400 + time + seconds, nsec: parts.nsec };
}

interface Taken {
  readonly length: number;
  readonly seconds: number;
}

/** A calendar date or a time of day at the start of `text`, put into `parts`. */
function takeDate(text: string, parts: Parts): Taken | undefined {
  const took = (match: RegExpExecArray): Taken => ({ length: match[0].length, seconds: 0 });
  const iso =
    /^(\d{4})-(\d{1,2})-(\d{1,2})(?:t(?=\d)|\b)/.exec(text) ??
    /^(\d{4})\/(\d{1,2})\/(\d{1,2})\b/.exec(text) ??
    /^(\d{4})(\d\d)(\d\d)\b/.exec(text);
  if (iso !== null) return setDate(parts, iso, [iso[1], iso[2], iso[3]]);
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})\b/.exec(text);
  if (american !== null) return setDate(parts, american, [american[3], american[1], american[2]]);
  const bare = /^(\d\d)(\d\d)(?=\s|$)/.exec(text);
  if (bare !== null && Number(bare[1]) < 24 && Number(bare[2]) < 60) {
    Object.assign(parts, { hour: Number(bare[1]), minute: Number(bare[2]), second: 0, nsec: 0 });
    return took(bare);
  }
  const clock = /^(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(am|pm)?/.exec(text);
  if (clock !== null) {
    const half = clock[5];
    const hour = half ? (Number(clock[1]) % 12) + (half === 'pm' ? 12 : 0) : Number(clock[1]);
    const minute = Number(clock[2]);
    const second = Number(clock[3] ?? 0);
    if (hour > 23 || minute > 59 || second > 60) return undefined;
    Object.assign(parts, { hour, minute, second, nsec: fraction(clock[4]) });
    return took(clock);
  }
  const zone = /^(?:utc|gmt|z)\b/.exec(text);
  if (zone !== null) return took(zone);
  const offset = /^([-+])(\d\d):?(\d\d)(?!\d|\s*[a-z])/.exec(text);
  if (offset !== null) {
    const size = Number(offset[2]) * 3600 + Number(offset[3]) * 60;
    parts.offset = offset[1] === '-' ? -size : size;
    return took(offset);
  }
  return takeNamedMonth(text, parts);
}

function takeNamedMonth(text: string, parts: Parts): Taken | undefined {
  const names = monthNames.map((name) => name.slice(0, 3).toLowerCase()).join('|');
  const dayFirst = new RegExp(`^(\\d{1,2})[-\\s](${names})[a-z]*(?:[-\\s,]+(\\d{4})\\b)?`).exec(
    text,
  );
  const monthFirst = new RegExp(
    `^(${names})[a-z]*\\s+(\\d{1,2})\\b(?!:)(?:(?:,|\\s)+(\\d{4})\\b(?!:))?`,
  ).exec(text);
  const match = dayFirst ?? monthFirst;
  if (match === null) return undefined;
  const name = (dayFirst ? match[2] : match[1]) ?? '';
  const day = dayFirst ? match[1] : match[2];
  const month = monthNames.findIndex((full) => full.toLowerCase().startsWith(name)) + 1;
  return setDate(parts, match, [match[3] ?? String(parts.year), String(month), day]);
}

function setDate(
  parts: Parts,
  match: RegExpExecArray,
  date: readonly (string | undefined)[],
): Taken | undefined {
  const [year = 0, month = 0, day = 0] = date.map(Number);
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  if (calendar(daysFromCivil(year, month - 1, day) * 86400).day !== day) return undefined;
  midnight(parts);
  Object.assign(parts, { year, month: month - 1, day });
  return { length: match[0].length, seconds: 0 };
}

/** Words and distances: `now`, `yesterday`, `next week`, `3 days ago`, `monday`. */
function takeRelative(text: string, parts: Parts): Taken | undefined {
  const word = /^(now|today|midnight|yesterday|tomorrow)\b/.exec(text);
  if (word !== null) {
    if (word[1] === 'midnight') midnight(parts);
    const day = word[1] === 'yesterday' ? -1 : word[1] === 'tomorrow' ? 1 : 0;
    return { length: word[0].length, seconds: day * 86400 };
  }
  const distance =
    /^([-+]?\s*\d+|next|last|this)?\s*(sec|second|min|minute|hour|day|week|fortnight|month|year)s?(\s+ago)?\b/.exec(
      text,
    );
  if (distance !== null) {
    const amounts: Readonly<Record<string, number>> = { next: 1, last: -1, this: 0 };
    const given = (distance[1] ?? '1').replace(/\s/g, '');
    const amount = (amounts[given] ?? Number(given)) * (distance[3] ? -1 : 1);
    const unit = distance[2] ?? '';
    if (unit === 'month') parts.month += amount;
    if (unit === 'year') parts.year += amount;
    return { length: distance[0].length, seconds: amount * (unitSeconds[unit] ?? 0) };
  }
  const named = /^(next\s+|last\s+)?(sun|mon|tue|wed|thu|fri|sat)[a-z]*\b/.exec(text);
  if (named === null) return undefined;
  midnight(parts);
  const ahead = (weekdays.indexOf(named[2] ?? '') - parts.weekday + 7) % 7;
  const turn =
    named[1]?.startsWith('next') && ahead === 0 ? 7 : named[1]?.startsWith('last') ? -7 : 0;
  return { length: named[0].length, seconds: (ahead + turn) * 86400 };
}

/** touch -t: [[CC]YY]MMDDhhmm[.ss] */
export function parseStamp(text: string, now: Timespec): Timespec | undefined {
  const match = /^(\d\d)?(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?$/.exec(text);
  if (match === null) return undefined;
  const [, first, second, month, day, hour, minute, seconds = '0'] = match;
  const short = Number(second ?? first);
  let year = calendar(now.sec).year;
  if (first !== undefined && second !== undefined) year = Number(first + second);
  else if (first !== undefined) year = short + (short < 69 ? 2000 : 1900);
  const [m, d, h, min, s] = [month, day, hour, minute, seconds].map(Number);
  if (m === undefined || d === undefined || h === undefined) return undefined;
  if (min === undefined || s === undefined) return undefined;
  if (m < 1 || m > 12 || d < 1 || d > 31 || h > 23 || min > 59 || s > 60) return undefined;
  return { sec: daysFromCivil(year, m - 1, d) * 86400 + h * 3600 + min * 60 + s, nsec: 0 };
}

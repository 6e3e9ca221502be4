// Dates as people write them, for `date -d` and `touch -d`, by the rules of GNU's "Date input formats": dates,
// times of day, zones, days of the week and distances in any order, each but the last kind at most once.

import type { Timespec } from '../../../kernel/abi/stat.ts';
import { calendar, daysFromCivil } from './date.ts';
import { type Token, tokensOf, type Unit } from './date-words.ts';

/** Undefined when the text is no date. `now` is what relative dates start from. */
export function parseDate(text: string, now: Timespec): Timespec | undefined {
  const epoch = /^\s*@\s*([-+]?\d+)(?:[.,](\d+))?\s*$/.exec(text);
  if (epoch !== null) return secondsOf(epoch[1] ?? '', epoch[2] ?? '');
  const tokens = tokensOf(text.replace(/^\s*TZ="[^"]*"/, ''));
  if (tokens === undefined) return undefined;
  const reader = new Reader(tokens, now);
  return reader.read() ? reader.moment() : undefined;
}

function secondsOf(whole: string, part: string): Timespec {
  const nsec = Number(part.slice(0, 9).padEnd(9, '0'));
  const sec = Number(whole);
  return whole.startsWith('-') && nsec > 0 ? { sec: sec - 1, nsec: 1e9 - nsec } : { sec, nsec };
}

type Numeral = Extract<Token, { kind: 'number' }>;

const MINUTES_MOST = 24 * 60;

class Reader {
  readonly #tokens: readonly Token[];
  readonly #now: Timespec;
  #at = 0;
  readonly #seen = { date: 0, time: 0, day: 0, zone: 0, distance: 0 };
  readonly #date: { year: number; month: number; day: number; yearDigits: number };
  #time = { hour: 0, minute: 0, second: 0, nsec: 0 };
  #weekday = { number: 0, ordinal: 0 };
  #zoneMinutes = 0;
  readonly #moved = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, nsec: 0 };

  constructor(tokens: readonly Token[], now: Timespec) {
    this.#tokens = tokens;
    this.#now = now;
    const { year, month, day } = calendar(now.sec);
    this.#date = { year, month, day, yearDigits: 0 };
  }

  /** False when there is something that is no part of a date, or two of one kind. */
  read(): boolean {
    while (this.#at < this.#tokens.length) if (!this.#item()) return false;
    const { date, time, day, zone } = this.#seen;
    return Math.max(date, time, day, zone) <= 1;
  }

  moment(): Timespec | undefined {
    const { year, month, day } = this.#date;
    const first = daysFromCivil(year, month, day);
    const back = calendar(first * 86_400);
    if (month < 0 || month > 11 || back.day !== day || back.month !== month) return undefined;
    const { hour, minute, second, nsec } = this.#clock();
    if (hour > 23 || minute > 59 || second > 59) return undefined;
    const moved = this.#moved;
    let days = first;
    if (this.#seen.day > 0 && this.#seen.date === 0) days += this.#toWeekday(back.weekday);
    if (moved.year !== 0 || moved.month !== 0 || moved.day !== 0) {
      const from = calendar(days * 86_400);
      days = daysFromCivil(from.year + moved.year, from.month + moved.month, from.day + moved.day);
    }
    const part = nsec + moved.nsec;
    const clock = (hour + moved.hour) * 3600 + (minute + moved.minute) * 60 + second + moved.second;
    const carried = Math.floor(part / 1e9);
    return {
      sec: days * 86_400 + clock - this.#zoneMinutes * 60 + carried,
      nsec: part - carried * 1e9,
    };
  }

  /** The time that was told; else midnight, but for distances alone, which begin now. */
  #clock(): { hour: number; minute: number; second: number; nsec: number } {
    const { date, time, day, distance } = this.#seen;
    if (time > 0) return this.#time;
    if (distance === 0 || date > 0 || day > 0) return { hour: 0, minute: 0, second: 0, nsec: 0 };
    return { ...calendar(this.#now.sec), nsec: this.#now.nsec };
  }

  #toWeekday(today: number): number {
    const { number, ordinal } = this.#weekday;
    const late = ordinal > 0 && today !== number ? 1 : 0;
    return ((number - today + 7) % 7) + 7 * (ordinal - late);
  }

  #item(): boolean {
    const token = this.#tokens[this.#at++];
    switch (token?.kind) {
      case 'number':
        return token.sign === 0 ? this.#number(token) : this.#distance(token.value, token.nsec);
      case 'month':
        return this.#monthFirst(token.value);
      case 'day':
        this.#mark(',');
        return this.#dayOfWeek(token.value, 0);
      case 'ordinal':
        return this.#counted(token.value);
      case 'unit':
        this.#at--;
        return this.#distance(1);
      case 'shift':
        return this.#move('day', token.value);
      case 'zone':
        return this.#zone(token.minutes);
      default:
        return false;
    }
  }

  #peek = (ahead = 0): Token | undefined => this.#tokens[this.#at + ahead];

  #mark(mark: string): boolean {
    const next = this.#peek();
    const is = next?.kind === 'mark' && next.mark === mark;
    if (is) this.#at++;
    return is;
  }

  /** The next token, when it is a number with or without a sign. */
  #take(signed: 'signed' | 'unsigned', ahead = 0): Numeral | undefined {
    const next = this.#peek(ahead);
    if (next?.kind !== 'number' || (next.sign !== 0) !== (signed === 'signed')) return undefined;
    this.#at += ahead + 1;
    return next;
  }

  #number(first: Numeral): boolean {
    const next = this.#peek();
    if (next?.kind === 'mark' && next.mark === ':') return this.#timeOfDay(first);
    if (next?.kind === 'mark' && next.mark === '/') return this.#slashes(first);
    if (first.nsec !== undefined)
      return next?.kind === 'unit' && this.#distance(first.value, first.nsec);
    switch (next?.kind) {
      case 'half':
        return this.#setTime(first, { hour: first.value, minute: 0, second: 0, nsec: 0 });
      case 'month':
        this.#at++;
        return this.#dayFirst(first, next.value);
      case 'day':
        this.#at++;
        return this.#dayOfWeek(next.value, first.value);
      case 'unit':
        return this.#distance(first.value);
      default:
        return this.#iso(first) ?? this.#bare(first);
    }
  }

  /** 2001-02-03, and the T behind it when a time follows. */
  #iso(first: Numeral): boolean | undefined {
    const [second, third] = [this.#peek(), this.#peek(1)];
    if (second?.kind !== 'number' || second.sign !== -1 || second.nsec !== undefined)
      return undefined;
    if (third?.kind !== 'number' || third.sign !== -1) return undefined;
    this.#at += 2;
    const [between, behind, end] = [this.#peek(), this.#peek(1), this.#peek(2)];
    if (between?.kind === 'zone' && between.name === 't' && behind?.kind === 'number') {
      const isTime =
        (end?.kind === 'mark' && end.mark === ':') || (end?.kind === 'number' && end.sign !== 0);
      if (!isTime) return false;
      this.#at++;
    }
    return this.#setDate({ year: first, month: -second.value, day: -third.value });
  }

  #slashes(first: Numeral): boolean {
    this.#at++;
    const second = this.#take('unsigned');
    if (second === undefined) return false;
    if (!this.#mark('/')) return this.#setDate({ month: first.value, day: second.value });
    const third = this.#take('unsigned');
    if (third === undefined) return false;
    return first.digits >= 4
      ? this.#setDate({ year: first, month: second.value, day: third.value })
      : this.#setDate({ year: third, month: first.value, day: second.value });
  }

  /** 3 Feb, 3 Feb 2001, 3-Feb-2001 */
  #dayFirst(day: Numeral, month: number): boolean {
    const next = this.#peek();
    const year = next?.kind === 'number' && next.sign <= 0 ? next : undefined;
    if (year !== undefined) this.#at++;
    return this.#setDate({ month: month + 1, day: day.value, ...(year ? { year } : {}) });
  }

  /** Feb 3, Feb 3, 2001, Feb-3-2001 */
  #monthFirst(month: number): boolean {
    const dashed = this.#peek();
    if (dashed?.kind === 'number' && dashed.sign === -1) {
      this.#at++;
      const year = this.#take('signed');
      return year !== undefined && this.#setDate({ month: month + 1, day: -dashed.value, year });
    }
    const day = this.#take('unsigned');
    if (day === undefined) return false;
    const hasYear = this.#mark(',');
    const year = hasYear ? this.#take('unsigned') : undefined;
    if (hasYear && year === undefined) return false;
    return this.#setDate({ month: month + 1, day: day.value, ...(year ? { year } : {}) });
  }

  #setDate({ year, month, day }: { year?: Numeral; month: number; day: number }): boolean {
    this.#seen.date++;
    Object.assign(this.#date, { month: month - 1, day });
    if (year !== undefined) this.#setYear(Math.abs(year.value), year.digits);
    return true;
  }

  #setYear(value: number, digits: number): void {
    const century = digits > 2 ? 0 : value < 69 ? 2000 : 1900;
    this.#date.year = value + century;
    this.#date.yearDigits = digits;
  }

  #timeOfDay(hour: Numeral): boolean {
    this.#at++;
    const minute = this.#take('unsigned');
    if (minute === undefined || minute.nsec !== undefined) return false;
    const second = this.#mark(':') ? this.#take('unsigned') : undefined;
    const time = {
      hour: hour.value,
      minute: minute.value,
      second: second?.value ?? 0,
      nsec: second?.nsec ?? 0,
    };
    return this.#setTime(hour, time);
  }

  /** What stands behind a time of day belongs to it: am, pm, or how far its zone is off. */
  #setTime(
    hour: Numeral,
    time: { hour: number; minute: number; second: number; nsec: number },
  ): boolean {
    this.#seen.time++;
    this.#time = time;
    const next = this.#peek();
    if (next?.kind === 'half') {
      this.#at++;
      if (hour.value < 1 || hour.value > 12) return false;
      this.#time.hour = (hour.value % 12) + next.value;
      return true;
    }
    const offset = this.#take('signed');
    return offset === undefined || this.#setZone(offset, 0);
  }

  #zone(minutes: number): boolean {
    const next = this.#peek();
    const isDistance = this.#peek(1)?.kind === 'unit';
    if (next?.kind === 'number' && next.sign !== 0 && !isDistance) {
      this.#at++;
      return this.#setZone(next, minutes);
    }
    this.#seen.zone++;
    this.#zoneMinutes = minutes;
    return true;
  }

  /** +1, +01, +0130, +1:30 */
  #setZone(offset: Numeral, from: number): boolean {
    const size = Math.abs(offset.value);
    const colon = this.#mark(':') ? this.#take('unsigned') : undefined;
    const whole = colon === undefined && offset.digits > 2;
    const minutes = whole
      ? Math.floor(size / 100) * 60 + (size % 100)
      : size * 60 + (colon?.value ?? 0);
    this.#seen.zone++;
    this.#zoneMinutes = from + minutes * offset.sign;
    return minutes <= MINUTES_MOST;
  }

  /** A number alone: the year that a date has not told, a date, or a time of day. */
  #bare({ value, digits }: Numeral): boolean {
    const { date, time, distance } = this.#seen;
    const offset = this.#peek(1)?.kind === 'unit' ? undefined : this.#take('signed');
    if (offset !== undefined) {
      this.#seen.time++;
      this.#time = { hour: value, minute: 0, second: 0, nsec: 0 };
      return this.#setZone(offset, 0);
    }
    if (date > 0 && this.#date.yearDigits === 0 && distance === 0 && (time > 0 || digits > 2)) {
      this.#setYear(value, digits);
      return true;
    }
    if (digits > 4) {
      this.#seen.date++;
      Object.assign(this.#date, { month: (Math.floor(value / 100) % 100) - 1, day: value % 100 });
      this.#setYear(Math.floor(value / 10_000), digits - 4);
      return true;
    }
    this.#seen.time++;
    const [hour, minute] = digits <= 2 ? [value, 0] : [Math.floor(value / 100), value % 100];
    this.#time = { hour, minute, second: 0, nsec: 0 };
    return true;
  }

  #counted(ordinal: number): boolean {
    const next = this.#peek();
    if (next?.kind !== 'day') return this.#distance(ordinal);
    this.#at++;
    return this.#dayOfWeek(next.value, ordinal);
  }

  #dayOfWeek(number: number, ordinal: number): boolean {
    this.#seen.day++;
    this.#weekday = { number, ordinal };
    return true;
  }

  /** So many of the unit that follows, back when `ago` does. */
  #distance(count: number, nsec?: number): boolean {
    const unit = this.#peek();
    if (unit?.kind !== 'unit' || (nsec !== undefined && unit.unit !== 'second')) return false;
    this.#at++;
    const next = this.#peek();
    const way = next?.kind === 'ago' ? next.value : 1;
    if (next?.kind === 'ago') this.#at++;
    this.#moved.nsec += way * (nsec ?? 0) * (count < 0 ? -1 : 1);
    return this.#move(unit.unit, way * count * unit.value);
  }

  #move(unit: Unit, count: number): boolean {
    this.#seen.distance++;
    this.#moved[unit] += count;
    return true;
  }
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

// The words and numbers that dates are written with: what `date -d` knows of English, and of zones.

import { monthNames, weekdayNames } from './date.ts';

export type Token =
  | {
      readonly kind: 'number';
      readonly value: number;
      readonly digits: number;
      readonly sign: 1 | -1 | 0;
      readonly nsec: number | undefined;
    }
  | { readonly kind: 'month' | 'day' | 'ordinal' | 'shift' | 'ago'; readonly value: number }
  | { readonly kind: 'half'; readonly value: 0 | 12 }
  | { readonly kind: 'zone'; readonly minutes: number; readonly name: string }
  | { readonly kind: 'unit'; readonly unit: Unit; readonly value: number }
  | { readonly kind: 'mark'; readonly mark: string };

export type Unit = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';

const units: Readonly<Record<string, readonly [Unit, number]>> = {
  year: ['year', 1],
  month: ['month', 1],
  fortnight: ['day', 14],
  week: ['day', 7],
  day: ['day', 1],
  hour: ['hour', 1],
  minute: ['minute', 1],
  min: ['minute', 1],
  second: ['second', 1],
  sec: ['second', 1],
};

/** A second is a unit, so there is no second of anything. */
const ordinals: Readonly<Record<string, number>> = {
  ...{ last: -1, this: 0, next: 1, first: 1, third: 3, fourth: 4, fifth: 5, sixth: 6, seventh: 7 },
  ...{ eighth: 8, ninth: 9, tenth: 10, eleventh: 11, twelfth: 12 },
};
const shifts: Readonly<Record<string, number>> = { yesterday: -1, today: 0, now: 0, tomorrow: 1 };
const moreDays: Readonly<Record<string, number>> = { tues: 2, wednes: 3, thur: 4, thurs: 4 };

/** Hours east of Greenwich. */
const zones: Readonly<Record<string, number>> = {
  ...{ gmt: 0, ut: 0, utc: 0, wet: 0, west: 1, bst: 1, art: -3, brt: -3, brst: -2, nst: -3.5 },
  ...{ ndt: -2.5, ast: -4, adt: -3, clt: -4, clst: -3, est: -5, edt: -4, cst: -6, cdt: -5 },
  ...{ mst: -7, mdt: -6, pst: -8, pdt: -7, akst: -9, akdt: -8, hst: -10, hast: -10, hadt: -9 },
  ...{ sst: -12, wat: 1, cet: 1, cest: 2, met: 1, mez: 1, mest: 2, mesz: 2, eet: 2, eest: 3 },
  ...{ cat: 2, sast: 2, eat: 3, msk: 3, msd: 4, ist: 5.5, sgt: 8, kst: 9, jst: 9, gst: 10 },
  ...{ nzst: 12, nzdt: 13 },
};
const EAST = 'abcdefghiklm';
const WEST = 'nopqrstuvwxy';

/** Undefined where a word is none that is known. */
export function tokensOf(text: string): Token[] | undefined {
  const out: Token[] = [];
  const lower = text.toLowerCase();
  for (let at = 0; at < lower.length; ) {
    const rest = lower.slice(at);
    const blank = /^(?:\s+|\([^()]*\)|[-+]\s*(?![\s\d]))/.exec(rest);
    const number = /^(?:([-+])\s*)?(\d+)(?:[.,](\d+))?/.exec(rest);
    const word = /^[a-z][a-z.]*/.exec(rest);
    if (blank !== null) at += blank[0].length;
    else if (number !== null) {
      const [whole, sign, digits = '', part] = number;
      const value = Number(digits) * (sign === '-' ? -1 : 1);
      const nsec = part === undefined ? undefined : Number(part.slice(0, 9).padEnd(9, '0'));
      out.push({
        kind: 'number',
        value,
        digits: digits.length,
        sign: sign === '-' ? -1 : sign ? 1 : 0,
        nsec,
      });
      at += whole.length;
    } else if (word !== null) {
      const token = tokenOf(word[0]) ?? tokenOf(word[0].replaceAll('.', ''));
      if (token === undefined) return undefined;
      out.push(token);
      at += word[0].length;
    } else {
      out.push({ kind: 'mark', mark: rest[0] ?? '' });
      at++;
    }
  }
  return out;
}

function tokenOf(word: string): Token | undefined {
  if (/^[ap]\.?m\.?$/.test(word)) return { kind: 'half', value: word.startsWith('p') ? 12 : 0 };
  const month = nameIn(monthNames, word === 'sept' ? 'sep' : word);
  if (month >= 0) return { kind: 'month', value: month };
  const day = moreDays[word] ?? nameIn(weekdayNames, word);
  if (day >= 0) return { kind: 'day', value: day };
  const hours = zones[word];
  if (hours !== undefined) return { kind: 'zone', minutes: hours * 60, name: word };
  const unit = units[word] ?? units[word.replace(/s$/, '')];
  if (unit !== undefined) return { kind: 'unit', unit: unit[0], value: unit[1] };
  const ordinal = ordinals[word];
  if (ordinal !== undefined) return { kind: 'ordinal', value: ordinal };
  const shift = shifts[word];
  if (shift !== undefined) return { kind: 'shift', value: shift };
  if (word === 'ago' || word === 'hence') return { kind: 'ago', value: word === 'ago' ? -1 : 1 };
  return military(word);
}

/** One letter is a zone: z, a to m without j to the east, n to y to the west. */
function military(letter: string): Token | undefined {
  if (letter === 'z') return { kind: 'zone', minutes: 0, name: letter };
  if (letter.length !== 1) return undefined;
  const [east, west] = [EAST.indexOf(letter), WEST.indexOf(letter)];
  if (east < 0 && west < 0) return undefined;
  return { kind: 'zone', minutes: (east >= 0 ? east + 1 : -west - 1) * 60, name: letter };
}

/** Whole, or three letters of it, with a period or without. */
const nameIn = (names: readonly string[], word: string): number =>
  names.findIndex((name) => {
    const lower = name.toLowerCase();
    return word === lower || (/^...\.?$/.test(word) && lower.startsWith(word.slice(0, 3)));
  });

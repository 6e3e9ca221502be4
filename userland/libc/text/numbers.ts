// Numbers in arguments and tables: sizes with suffixes (512, 4K, 1MB, 2GiB), human sizes (`-h`),
// counts, and durations of sleep(1).

const powers = 'KMGTPEZY';

/** `4K`, `2MB` (1000²), `1GiB`, `8` with optional `b` = 512, `w` = 2, `c` = 1; undefined if not one. */
export function parseSize(text: string): number | undefined {
  const match = /^\+?(\d+)(?:([kKmMGTPEZY])(B|iB)?|(b|c|w|B)?)$/.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]);
  if (match[2] !== undefined) {
    const power = powers.indexOf(match[2].toUpperCase()) + 1;
    return value * (match[3] === 'B' ? 1000 : 1024) ** power;
  }
  return value * (match[4] === 'b' ? 512 : match[4] === 'w' ? 2 : 1);
}

/** Non-negative whole number, or undefined. */
export const parseCount = (text: string): number | undefined =>
  /^\+?\d+$/.test(text.trim()) ? Number(text) : undefined;

/** A size as `ls -h` shows it: rounded up, one decimal below ten: `1.5K`, `12M`, `980`. */
export function humanSize(bytes: number, base: 1024 | 1000 = 1024): string {
  if (bytes < base) return String(bytes);
  let value = bytes;
  let power = 0;
  while (value >= base && power < powers.length) {
    value /= base;
    power++;
  }
  // What rounding up brings to the next power is shown in that power.
  const letter = (at: number): string => (base === 1000 && at === 1 ? 'k' : (powers[at - 1] ?? ''));
  const tenths = Math.ceil(value * 10 - 1e-9);
  if (tenths < 100) return `${(tenths / 10).toFixed(1)}${letter(power)}`;
  const whole = Math.ceil(value - 1e-9);
  if (whole < base || power === powers.length) return `${whole}${letter(power)}`;
  return `1.0${letter(power + 1)}`;
}

/** Seconds in `1.5`, `2m`, `3h`, `1d`, `infinity`; undefined if not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^\+?(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|inf(?:inity)?)([smhd]?)$/i.exec(text);
  if (match === null) return undefined;
  const value = /^inf/i.test(match[1] ?? '') ? Number.POSITIVE_INFINITY : Number(match[1]);
  const unit = { s: 1, m: 60, h: 3600, d: 86400 }[(match[2] ?? '').toLowerCase()] ?? 1;
  return value * unit;
}

/** A size as dd tells it: `1.0 kB`, `12 MB`, `1.5 MiB`; rounded to the nearest. */
export function humanDecimal(bytes: number, base: 1024 | 1000): string {
  const names =
    base === 1000 ? ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] : ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let power = 0;
  while (value >= base && power < names.length - 1) {
    value /= base;
    power++;
  }
  if (power === 0) return `${Math.round(value)} B`;
  const text = value < 9.95 ? value.toFixed(1) : String(Math.round(value));
  return `${text} ${names[power]}`;
}

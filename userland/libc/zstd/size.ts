// Sizes as zstd(1) shows them: three digits that mean something, and a binary unit.

const UNITS = [' B', ' KiB', ' MiB', ' GiB', ' TiB'] as const;

export function humanSize(bytes: number): { readonly value: string; readonly unit: string } {
  let power = 0;
  while (power + 1 < UNITS.length && bytes >= 1024 ** (power + 1)) power++;
  const value = bytes / 1024 ** power;
  const digits = value >= 100 || power === 0 ? 0 : value >= 10 ? 1 : value > 1 ? 2 : 3;
  return { value: value.toFixed(digits), unit: UNITS[power] ?? '' };
}

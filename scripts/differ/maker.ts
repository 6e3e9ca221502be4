// What the tables are made of: a maker gives a case of its program from random choices.

import type { Case } from './case.ts';
import { anyText, type Kind, textOf } from './inputs.ts';
import type { Random } from './random.ts';

export type Maker = (random: Random) => Omit<Case, 'program'>;
export type Table = Readonly<Record<string, Maker>>;

export interface On {
  readonly kind?: Kind;
  /** Takes one file, or reads standard input only. */
  readonly takes?: 'one' | 'input';
  /** Instead of texts of the kind. */
  readonly text?: (random: Random) => string;
}

/** A command line over files that may be standard input, two, or missing. */
export function onText(
  random: Random,
  words: readonly string[],
  on: On = {},
): Omit<Case, 'program'> {
  const make = (): string => {
    if (on.text !== undefined) return on.text(random);
    return on.kind === undefined || random.once(5) ? anyText(random) : textOf(random, on.kind);
  };
  const files = { f: make() };
  const shape = on.takes === 'input' ? 0 : random.below(on.takes === 'one' ? 3 : 10);
  if (shape === 0) return { files, words, stdin: 'f' };
  if (shape <= 4) return { files, words: [...words, 'f'] };
  if (shape === 5)
    return { files: { ...files, g: make() }, words: [...words, '-', 'g'], stdin: 'f' };
  if (shape === 6) return { files, words: [...words, 'missing', 'f'] };
  if (shape === 7) return { files, words: [...words, '-'], stdin: 'f' };
  return { files: { ...files, g: make() }, words: [...words, 'f', 'g'] };
}

/** A small number, as often as not one that matters. */
export const small = (random: Random): string =>
  String(random.pick([0, 1, 1, 2, 2, 3, 4, 5, 8, 20]));

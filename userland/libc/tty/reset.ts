// What brings a terminal back to where a person can work in it: sane settings, erase and kill as asked,
// and the sequences of a full reset (ECMA-48 RIS, DEC DECSTR; xterm's modes).

import { SANE, type Termios, VERASE, VINTR, VKILL } from '../../../kernel/abi/termios.ts';

/** RIS; out of the alternate screen; soft reset; insert mode and keypad off; the cursor is shown. */
export const RESET = '\x1bc\x1b[?1049l\x1b[!p\x1b[?3;4l\x1b[4l\x1b>\x1b[?25h';

export interface ControlKeys {
  readonly erase?: number | undefined;
  readonly interrupt?: number | undefined;
  readonly kill?: number | undefined;
}

/** Flags as they are at the beginning; the speed and what the keys are stays. */
export function sane(from: Termios): Termios {
  const { iflag, oflag, lflag } = SANE;
  const cc = from.cc.map((c, i) => (c === 0 ? (SANE.cc[i] ?? 0) : c));
  return { ...from, iflag, oflag, lflag, cc };
}

export function withKeys(termios: Termios, keys: ControlKeys): Termios {
  const cc = [...termios.cc];
  if (keys.erase !== undefined) cc[VERASE] = keys.erase;
  if (keys.interrupt !== undefined) cc[VINTR] = keys.interrupt;
  if (keys.kill !== undefined) cc[VKILL] = keys.kill;
  return { ...termios, cc };
}

// What a terminal does to output on its way (POSIX.1-2024 XBD §11.2.3), and where the cursor is
// afterwards, as far as line editing must know it.

import { OCRNL, ONLCR, OPOST } from '../../abi/termios.ts';

const BACKSPACE = 8;
const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const TAB_STOP = 8;

export class Output {
  /** Columns from the left, by what was written since the last return. */
  column = 0;

  /** The bytes that go to the screen for `from`. */
  process(from: Uint8Array, oflag: number): Uint8Array {
    if ((oflag & OPOST) === 0) {
      for (const byte of from) this.column = columnAfter(this.column, byte);
      return from.slice();
    }
    const out = new Uint8Array(from.length * 2);
    let at = 0;
    for (const byte of from) {
      if (byte === NEWLINE && oflag & ONLCR) {
        out[at++] = RETURN;
        this.column = 0;
      }
      out[at++] = byte === RETURN && oflag & OCRNL ? NEWLINE : byte;
      this.column = columnAfter(this.column, byte);
    }
    return out.slice(0, at);
  }
}

/** Where the cursor stands when `byte` was shown at `column`. */
export function columnAfter(column: number, byte: number): number {
  if (byte === TAB) return column - (column % TAB_STOP) + TAB_STOP;
  if (byte === RETURN) return 0;
  if (byte === BACKSPACE) return Math.max(0, column - 1);
  const continues = (byte & 0xc0) === 0x80; // of a UTF-8 sequence
  return byte < 32 || continues ? column : column + 1;
}

// What a terminal is set to (POSIX.1-2024 XBD §11.2, termios.h), with Linux's numbers and layout
// (asm-generic/termbits.h): four words of flags, the line, and the control characters.

import { bytes, le32, struct, u8 } from './struct.ts';

export const NCCS = 19;

/** struct termios of the kernel (asm-generic/termbits.h). */
export const TermiosBytes = struct('termios', 36, {
  c_iflag: le32(0),
  c_oflag: le32(4),
  c_cflag: le32(8),
  c_lflag: le32(12),
  c_line: u8(16),
  c_cc: bytes(17, NCCS),
});

export interface Termios {
  readonly iflag: number;
  readonly oflag: number;
  readonly cflag: number;
  readonly lflag: number;
  /** Control characters by VINTR, VEOF …; 0 = none. */
  readonly cc: readonly number[];
}

export interface Winsize {
  readonly columns: number;
  readonly rows: number;
}

// c_iflag
export const BRKINT = 0o2;
export const ISTRIP = 0o40;
export const INLCR = 0o100;
export const IGNCR = 0o200;
export const ICRNL = 0o400;
export const IXON = 0o2000;
export const IXANY = 0o4000;
export const IMAXBEL = 0o20000;
export const IUTF8 = 0o40000;

// c_oflag
export const OPOST = 0o1;
export const ONLCR = 0o4;
export const OCRNL = 0o10;

// c_cflag
export const CS8 = 0o60;
export const CREAD = 0o200;
export const HUPCL = 0o2000;
export const B38400 = 0o17;

// c_lflag
export const ISIG = 0o1;
export const ICANON = 0o2;
export const ECHO = 0o10;
export const ECHOE = 0o20;
export const ECHOK = 0o40;
export const ECHONL = 0o100;
export const NOFLSH = 0o200;
export const TOSTOP = 0o400;
export const ECHOCTL = 0o1000;
export const ECHOKE = 0o4000;
export const IEXTEN = 0o100000;

// c_cc
export const VINTR = 0;
export const VQUIT = 1;
export const VERASE = 2;
export const VKILL = 3;
export const VEOF = 4;
export const VTIME = 5;
export const VMIN = 6;
export const VSTART = 8;
export const VSTOP = 9;
export const VSUSP = 10;
export const VEOL = 11;
export const VREPRINT = 12;
export const VWERASE = 14;
export const VLNEXT = 15;
export const VEOL2 = 16;

// tcsetattr: at once; once all output is out; and what was typed ahead is forgotten.
export const TCSANOW = 0;
export const TCSADRAIN = 1;
export const TCSAFLUSH = 2;

// tcflush: input not read yet; output not written yet; both.
export const TCIFLUSH = 0;
export const TCOFLUSH = 1;
export const TCIOFLUSH = 2;

const ctrl = (letter: string): number => letter.charCodeAt(0) & 31;

/** A terminal as it comes: a person types lines. */
export const SANE: Termios = {
  iflag: ICRNL | IXON | IUTF8,
  oflag: OPOST | ONLCR,
  cflag: B38400 | CS8 | CREAD | HUPCL,
  lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
  cc: [
    ...[ctrl('C'), ctrl('\\'), 127, ctrl('U'), ctrl('D')],
    ...[0, 1, 0, ctrl('Q'), ctrl('S'), ctrl('Z')],
    ...[0, ctrl('R'), 0, ctrl('W'), ctrl('V'), 0, 0, 0],
  ],
};

/** cfmakeraw(3): bytes as they come, one by one. */
export const raw = (from: Termios): Termios => ({
  iflag: from.iflag & ~(BRKINT | ISTRIP | INLCR | IGNCR | ICRNL | IXON),
  oflag: from.oflag & ~OPOST,
  cflag: from.cflag | CS8,
  lflag: from.lflag & ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN),
  cc: from.cc.map((c, i) => (i === VMIN ? 1 : i === VTIME ? 0 : c)),
});

/** Writes the settings at the start of `view`; returns the bytes. */
export function putTermios(view: DataView, from: Termios): number {
  const to = new TermiosBytes(view);
  to.c_iflag = from.iflag;
  to.c_oflag = from.oflag;
  to.c_cflag = from.cflag;
  to.c_lflag = from.lflag;
  to.c_line = 0;
  to.c_cc = Uint8Array.from({ length: NCCS }, (_, i) => from.cc[i] ?? 0);
  return TermiosBytes.size;
}

export function getTermios(view: DataView): Termios {
  const from = new TermiosBytes(view);
  return {
    iflag: from.c_iflag,
    oflag: from.c_oflag,
    cflag: from.c_cflag,
    lflag: from.c_lflag,
    cc: [...from.c_cc],
  };
}

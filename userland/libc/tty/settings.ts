// The settings of a terminal by the names that stty has for them (POSIX.1-2024 XCU stty).

import {
  BRKINT,
  CREAD,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHONL,
  HUPCL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  IMAXBEL,
  INLCR,
  ISIG,
  ISTRIP,
  IUTF8,
  IXANY,
  IXON,
  NOFLSH,
  OCRNL,
  ONLCR,
  OPOST,
  TOSTOP,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VMIN,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VTIME,
  VWERASE,
} from '../../../kernel/abi/termios.ts';

export interface Flag {
  readonly field: 'iflag' | 'oflag' | 'cflag' | 'lflag';
  readonly bit: number;
}

const of = (field: Flag['field'], bits: Readonly<Record<string, number>>): Record<string, Flag> =>
  Object.fromEntries(Object.entries(bits).map(([name, bit]) => [name, { field, bit }]));

/** In the order in which `stty -a` shows them. */
export const flags: Readonly<Record<string, Flag>> = {
  ...of('cflag', { hupcl: HUPCL, cread: CREAD }),
  ...of('iflag', { brkint: BRKINT, istrip: ISTRIP, inlcr: INLCR, igncr: IGNCR, icrnl: ICRNL }),
  ...of('iflag', { ixon: IXON, ixany: IXANY, imaxbel: IMAXBEL, iutf8: IUTF8 }),
  ...of('oflag', { opost: OPOST, ocrnl: OCRNL, onlcr: ONLCR }),
  ...of('lflag', { isig: ISIG, icanon: ICANON, iexten: IEXTEN, echo: ECHO, echoe: ECHOE }),
  ...of('lflag', { echok: ECHOK, echonl: ECHONL, noflsh: NOFLSH, tostop: TOSTOP }),
  ...of('lflag', { echoctl: ECHOCTL, echoke: ECHOKE }),
};

/** Control characters, by their place in c_cc. */
export const characters: Readonly<Record<string, number>> = {
  ...{ intr: VINTR, quit: VQUIT, erase: VERASE, kill: VKILL, eof: VEOF, eol: VEOL, eol2: VEOL2 },
  ...{ start: VSTART, stop: VSTOP, susp: VSUSP, rprnt: VREPRINT, werase: VWERASE, lnext: VLNEXT },
};

export const numbers: Readonly<Record<string, number>> = { min: VMIN, time: VTIME };

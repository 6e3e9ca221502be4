// System calls on terminals and sessions (POSIX.1-2024 XBD §11, tcsetattr(), setsid()).

import { POLLHUP, SIGTTOU } from '../abi/constants.ts';
import { EINVAL, EIO, ENOTTY, EPERM, fail } from '../abi/errno.ts';
import { SYS } from '../abi/syscall.ts';
import {
  getTermios,
  putTermios,
  TCIFLUSH,
  TCIOFLUSH,
  TCSAFLUSH,
  TCSANOW,
  TermiosBytes,
} from '../abi/termios.ts';
import { encodeText } from '../abi/text.ts';
import { holdBackground } from '../fs/tty/access.ts';
import { PtyMaster } from '../fs/tty/pty.ts';
import type { Tty } from '../fs/tty/tty.ts';
import type { Process } from '../proc/process.ts';
import type { Call } from '../vfs/call.ts';
import { arg, type Calls, fdArg, putText, type Request } from './dispatch.ts';

export const terminalCalls: Calls = {
  *[SYS.setsid](call) {
    const { process, kernel } = call;
    if (kernel.processes.group(process.pid).length > 0) fail(EPERM);
    process.sid = process.pid;
    process.pgid = process.pid;
    return { r0: process.sid };
  },
  *[SYS.getsid](call, request) {
    const pid = arg(request, 0);
    return { r0: pid === 0 ? call.process.sid : call.kernel.processes.get(pid).sid };
  },
  *[SYS.tcgetpgrp](call, request) {
    return { r0: ownTerminal(call, request).foreground };
  },
  *[SYS.tcsetpgrp](call, request) {
    const tty = ownTerminal(call, request);
    const pgid = arg(request, 1);
    yield* holdBackground(call, tty, SIGTTOU);
    if (!(pgid > 0)) fail(EINVAL);
    const members = call.kernel.processes.all.filter((process) => process.pgid === pgid);
    if (!members.some((process) => process.sid === tty.session)) fail(EPERM);
    tty.foreground = pgid;
    return {};
  },
  *[SYS.tcgetsid](call, request) {
    return { r0: ownTerminal(call, request).session };
  },
  *[SYS.tcgetattr](call, request) {
    const tty = terminal(call, request);
    const { bytes } = request.room(TermiosBytes.size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { length: putTermios(view, tty.termios) };
  },
  *[SYS.tcsetattr](call, request) {
    const tty = terminal(call, request);
    const when = arg(request, 1);
    const { data } = request;
    if (!(when >= TCSANOW && when <= TCSAFLUSH) || data.length !== TermiosBytes.size) fail(EINVAL);
    const view = new DataView(data.slice().buffer);
    yield* holdBackground(call, tty, SIGTTOU);
    if (when === TCSAFLUSH) tty.flushInput();
    tty.termios = getTermios(view); // output is in order with this: there is none to wait for
    return {};
  },
  *[SYS.tcflush](call, request) {
    const tty = terminal(call, request);
    const queue = arg(request, 1);
    if (!(queue >= TCIFLUSH && queue <= TCIOFLUSH)) fail(EINVAL);
    yield* holdBackground(call, tty, SIGTTOU);
    if (queue === TCIFLUSH || queue === TCIOFLUSH) tty.flushInput();
    return {};
  },
  *[SYS.tcgetwinsize](call, request) {
    const { columns, rows } = terminal(call, request).size;
    return { r0: columns, r1: rows };
  },
  *[SYS.tcsetwinsize](call, request) {
    const tty = terminal(call, request);
    const [columns, rows] = [arg(request, 1), arg(request, 2)];
    if (!(isSize(columns) && isSize(rows))) fail(EINVAL);
    tty.resize({ columns, rows });
    return {};
  },
  *[SYS.ttyname](call, request) {
    return putText(request, encodeText(terminal(call, request).name));
  },
  *[SYS.ptsname](call, request) {
    const { stream } = call.file(fdArg(request));
    if (!(stream instanceof PtyMaster)) fail(ENOTTY);
    return putText(request, encodeText(stream.tty.name));
  },
  *[SYS.setControllingTerminal](call, request) {
    call.kernel.terminals.acquire(call.process, terminal(call, request));
    return {};
  },
};

const isSize = (cells: number): boolean => cells >= 0 && cells <= 0xffff;

/** The terminal of a descriptor: ENOTTY when it is none, EIO when the line was hung up. */
function terminal(call: Call, request: Request): Tty {
  const { stream } = call.file(fdArg(request));
  const tty = stream?.tty ?? fail(ENOTTY);
  if (!(stream instanceof PtyMaster) && stream && stream.poll() & POLLHUP) fail(EIO);
  return tty;
}

/** The caller's own terminal, or the one behind a master. */
function ownTerminal(call: Call, request: Request): Tty {
  const tty = terminal(call, request);
  const isMaster = call.process.file(fdArg(request)).stream instanceof PtyMaster;
  return isMaster || belongs(tty, call.process) ? tty : fail(ENOTTY);
}

const belongs = (tty: Tty, process: Process): boolean =>
  tty.session !== 0 && tty.session === process.sid;

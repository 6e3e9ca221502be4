// The system calls on terminals (TtyCalls in sys.ts) over the process's channel to the kernel.

import { SYS } from '../../../kernel/abi/syscall.ts';
import { getTermios, putTermios, type Termios, type Winsize } from '../../../kernel/abi/termios.ts';
import type { TtyCalls } from '../sys.ts';
import type { Channel } from './channel.ts';

export class TtyRuntime implements TtyCalls {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  getattr(fd: number): Termios {
    this.#channel.call(SYS.tcgetattr, 0, fd);
    return getTermios(this.#channel.view);
  }

  setattr(fd: number, when: number, termios: Termios): void {
    const length = putTermios(this.#channel.view, termios);
    this.#channel.call(SYS.tcsetattr, length, fd, when);
  }

  flush(fd: number, queue: number): void {
    this.#channel.call(SYS.tcflush, 0, fd, queue);
  }

  getpgrp(fd: number): number {
    return this.#channel.call(SYS.tcgetpgrp, 0, fd);
  }

  setpgrp(fd: number, pgid: number): void {
    this.#channel.call(SYS.tcsetpgrp, 0, fd, pgid);
  }

  getsid(fd: number): number {
    return this.#channel.call(SYS.tcgetsid, 0, fd);
  }

  getwinsize(fd: number): Winsize {
    this.#channel.call(SYS.tcgetwinsize, 0, fd);
    return { columns: this.#channel.r0, rows: this.#channel.r1 };
  }

  setwinsize(fd: number, { columns, rows }: Winsize): void {
    this.#channel.call(SYS.tcsetwinsize, 0, fd, columns, rows);
  }

  name(fd: number): string {
    this.#channel.call(SYS.ttyname, 0, fd);
    return this.#channel.text();
  }

  ptsname(fd: number): string {
    this.#channel.call(SYS.ptsname, 0, fd);
    return this.#channel.text();
  }

  acquire(fd: number): void {
    this.#channel.call(SYS.setControllingTerminal, 0, fd);
  }
}

// The system calls on limits and use (ResourceCalls in sys.ts) over the process's channel.

import { SYS } from '../../../kernel/abi/syscall.ts';
import type { ResourceCalls, Rlimit } from '../sys.ts';
import type { Channel } from './channel.ts';

export class ResourceRuntime implements ResourceCalls {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  getrlimit(resource: number): Rlimit {
    this.#channel.call(SYS.getrlimit, 0, resource);
    return { soft: this.#channel.r0, hard: this.#channel.r1 };
  }

  setrlimit(resource: number, { soft, hard }: Rlimit): void {
    this.#channel.call(SYS.setrlimit, 0, resource, soft, hard);
  }

  getpriority(pid: number): number {
    return this.#channel.call(SYS.getpriority, 0, pid);
  }

  setpriority(pid: number, nice: number): void {
    this.#channel.call(SYS.setpriority, 0, pid, nice);
  }

  getrusage(who: 'self' | 'children'): { userMs: number; systemMs: number } {
    this.#channel.call(SYS.getrusage, 0, who === 'self' ? 0 : 1);
    return { userMs: this.#channel.r0, systemMs: this.#channel.r1 };
  }

  getgroups(): number[] {
    this.#channel.call(SYS.getgroups, 0);
    const { view, length } = this.#channel;
    return Array.from({ length: length / 4 }, (_, i) => view.getUint32(i * 4, true));
  }

  setgroups(groups: readonly number[]): void {
    groups.forEach((group, i) => {
      this.#channel.view.setUint32(i * 4, group, true);
    });
    this.#channel.call(SYS.setgroups, groups.length * 4);
  }

  trace(pid: number, fd: number, follow: 'follow' | 'alone'): void {
    this.#channel.call(SYS.trace, 0, pid, fd, follow === 'follow' ? 1 : 0);
  }
}

// What a process may use at most (POSIX.1-2024 getrlimit()), with Linux's defaults. Enforced are open
// files, processes, file sizes, CPU time and, for WASI programs, memory; the others are remembered.

import {
  OPEN_MAX,
  RLIM_NLIMITS,
  RLIMIT_CORE,
  RLIMIT_NOFILE,
  RLIMIT_STACK,
} from '../abi/constants.ts';
import { EINVAL, EPERM, fail } from '../abi/errno.ts';

export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

const NONE = Number.POSITIVE_INFINITY;
const DEFAULTS: Readonly<Record<number, Limit>> = {
  [RLIMIT_STACK]: { soft: 8 * 1024 * 1024, hard: NONE },
  [RLIMIT_CORE]: { soft: 0, hard: NONE },
  [RLIMIT_NOFILE]: { soft: OPEN_MAX, hard: OPEN_MAX },
};

export class Limits {
  readonly #limits: Limit[];

  constructor(from: Limits | undefined) {
    this.#limits = Array.from(
      { length: RLIM_NLIMITS },
      (_, resource) => from?.get(resource) ?? DEFAULTS[resource] ?? { soft: NONE, hard: NONE },
    );
  }

  /** Throws EINVAL when there is no such resource. */
  get(resource: number): Limit {
    return this.#limits[resource] ?? fail(EINVAL);
  }

  soft(resource: number): number {
    return this.get(resource).soft;
  }

  /** Only root raises a hard limit, and nobody that of open files above what the system has. */
  set(resource: number, limit: Limit, uid: number): void {
    const before = this.get(resource);
    const { soft, hard } = limit;
    if (!(soft >= 0 && hard >= 0) || soft > hard) fail(EINVAL);
    if (hard > before.hard && uid !== 0) fail(EPERM);
    if (resource === RLIMIT_NOFILE && hard > OPEN_MAX) fail(EPERM);
    this.#limits[resource] = { soft, hard };
  }
}

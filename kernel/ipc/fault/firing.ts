// A hit of a point, and what a rule that fires makes of it, with everything left to chance decided.

import { ENOMEM, ENOSPC, type Errno } from '../../abi/errno.ts';
import type { Action, ActionName } from '../../abi/fault/rule.ts';

/** What is known of a hit. */
export interface Hit {
  readonly lba?: number;
  /** Bytes. */
  readonly len?: number;
  readonly pid?: number;
  readonly pgrp?: number;
  readonly path?: string;
  /** Whether the place has this tag: asked only when a rule names one. */
  readonly tagged?: (tag: string) => boolean;
  /** Sectors of the disk, for `misdirect`. */
  readonly sectors?: number;
}

/** What happens to a hit. */
export class Firing {
  /** The rule that fired first: what it makes bad is healed with it. */
  readonly uid: number;
  readonly actions: readonly Action[];

  constructor(uid: number, actions: readonly Action[]) {
    this.uid = uid;
    this.actions = actions;
  }

  has(name: ActionName): boolean {
    return this.actions.some((action) => action.do === name);
  }

  find<N extends ActionName>(name: N): Extract<Action, { do: N }> | undefined {
    const found = this.actions.find((action) => action.do === name);
    return found as Extract<Action, { do: N }> | undefined;
  }

  /** The error that the hit ends with, if it does. */
  get errno(): Errno | undefined {
    if (this.has('oom')) return ENOMEM;
    return this.find('err')?.errno ?? (this.has('full') ? ENOSPC : undefined);
  }

  /** Milliseconds by which the hit is held up. */
  get delayMs(): number {
    return this.find('delay')?.ms ?? 0;
  }
}

/** The action with its chance decided. `random` gives 0..below-1. */
export function decide(action: Action, hit: Hit, random: (below: number) => number): Action {
  switch (action.do) {
    case 'delay': {
      const { ms, jitterMs } = action;
      const off = jitterMs === 0 ? 0 : random(2 * jitterMs + 1) - jitterMs;
      return { do: 'delay', ms: Math.max(0, ms + off), jitterMs: 0 };
    }
    case 'flip':
      return { do: 'flip', bit: action.bit ?? random(Math.max(1, (hit.len ?? 0) * 8)) };
    case 'misdirect':
      return { do: 'misdirect', lba: action.lba ?? random(Math.max(1, hit.sectors ?? 1)) };
    case 'short':
      return { do: 'short', bytes: action.bytes ?? Math.floor((hit.len ?? 0) / 2) };
    default:
      return action;
  }
}

/** `lba=8 len=512`: what a log says of a hit. */
export function describeHit({ lba, len, pid, path }: Hit): string {
  const words = [
    ...(lba === undefined ? [] : [` lba=${lba}`]),
    ...(len === undefined ? [] : [` len=${len}`]),
    ...(pid === undefined || pid === 0 ? [] : [` pid=${pid}`]),
    ...(path === undefined ? [] : [` path=${path.slice(0, 60)}`]),
  ];
  return words.join('');
}

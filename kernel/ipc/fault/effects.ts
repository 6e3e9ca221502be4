// What a firing does beyond its hit: states, rules switched off, servers paused, the power, and the
// end of the worker that met it. `kill` is the kernel's, which follows the log.

import { segmentsOf } from '../../abi/fault/points.ts';
import type { Action, PowerChoice } from '../../abi/fault/rule.ts';
import { SEAT_BOARD, SEAT_KERNEL } from '../../abi/memlayout.ts';
import { Bell, waitForEnd } from '../wait.ts';
import { draw } from './chance.ts';
import { HEAD, nameHash, PAUSED, RULE } from './layout.ts';

const POWER_CHOICES: readonly PowerChoice[] = ['none', 'all', 'prefix', 'subset', 'torn'];

/** Who met the fault. */
export interface Place {
  readonly head: Int32Array;
  readonly ram: SharedArrayBuffer;
  readonly seat: number;
}

export function carryOut(
  place: Place,
  action: Action,
  at: { name: string; slot: Int32Array },
): void {
  const { head, seat } = place;
  const [kind, service] = segmentsOf(at.name);
  switch (action.do) {
    case 'goto':
      Atomics.store(head, HEAD.state, nameHash(action.state));
      return;
    case 'off':
      Atomics.store(at.slot, RULE.on, 0);
      return;
    case 'pause':
      setPaused(head, action.service, 'paused');
      return;
    case 'resume':
      setPaused(head, action.service, 'running');
      return;
    case 'power':
      Atomics.store(head, HEAD.powerSeed, draw(at.slot) | 0);
      if (kind !== 'blk') cutPower(place, action.choice);
      return;
    case 'crash':
      if (kind !== 'blk' && seat !== SEAT_KERNEL) throw new Error(`fault at ${at.name}: crash`);
      return;
    case 'hang':
      // A drive hangs by itself, a call in the kernel; a server with its whole worker.
      if (kind === 'ipc' && service !== 'kernel' && seat !== SEAT_KERNEL) stop(place);
      return;
    default:
      return;
  }
}

/** What ends a drive, once its command has gone as far as the other actions let it. */
export function endAfter(place: Place, actions: readonly Action[], name: string): void {
  for (const action of actions) {
    if (action.do === 'power') cutPower(place, action.choice);
    if (action.do === 'crash') throw new Error(`fault at ${name}: crash`);
  }
}

/** The board sees it and ends all workers; until then nobody who knows does anything more. */
function cutPower(place: Place, choice: PowerChoice): void {
  const { head, ram } = place;
  Atomics.compareExchange(head, HEAD.power, 0, 1 + POWER_CHOICES.indexOf(choice));
  new Bell(ram, SEAT_BOARD).ring();
  stop(place);
}

/** Whether the power is cut: what the volatile caches keep. */
export function powerCut(head: Int32Array): PowerChoice | undefined {
  return POWER_CHOICES[Atomics.load(head, HEAD.power) - 1];
}

/** Never returns: the worker is ended from outside. */
export function stop({ ram, seat }: Pick<Place, 'ram' | 'seat'>): void {
  waitForEnd(ram, seat);
}

export function isPaused(head: Int32Array, service: string): boolean {
  const hash = nameHash(service);
  for (let i = 0; i < PAUSED; i++) if (Atomics.load(head, HEAD.paused + i) === hash) return true;
  return false;
}

function setPaused(head: Int32Array, service: string, to: 'paused' | 'running'): void {
  const hash = nameHash(service);
  if (to === 'paused' && isPaused(head, service)) return;
  for (let i = 0; i < PAUSED; i++) {
    if (to === 'running') Atomics.compareExchange(head, HEAD.paused + i, hash, 0);
    else if (Atomics.compareExchange(head, HEAD.paused + i, 0, hash) === 0) return;
  }
}

// /proc/ipc, /proc/hops and /proc/counters: who talks to whom, how often a worker had to be woken for
// it, and what every layer has done since power-on (kernel/ipc/trace-events.ts).

import { SEAT_BOARD } from '../abi/memlayout.ts';
import type { Ring } from '../ipc/ring.ts';
import { readCounters } from '../ipc/trace.ts';
import type { Kernel } from '../kernel.ts';

/** Every ring between two workers: slots in use, bytes of a slot, messages ever. */
export function ipc(kernel: Kernel): string {
  const rows = ringsOf(kernel).map(({ name, ring }) => [
    name,
    `${ring.producer}→${ring.consumer}`,
    `${ring.queued}/${ring.slots}`,
    String(ring.slotSize),
    String(ring.total),
  ]);
  return table(['ring', 'seats', 'queued', 'slot', 'total'], rows);
}

/** Each worker: bells that it rang, those that had to wake somebody, how often it slept itself. */
export function hops(kernel: Kernel): string {
  const rows = seatsOf(kernel).map(({ seat, name }) => {
    const { bells, wakes, sleeps, messages } = readCounters(kernel.ram, seat);
    return [String(seat), name, ...[bells, wakes, sleeps, messages].map(String)];
  });
  return table(['seat', 'worker', 'bells', 'wakes', 'sleeps', 'messages'], rows);
}

/** The sums of all workers, a line each. */
export function counters(kernel: Kernel): string {
  const all = Object.entries(readCounters(kernel.ram));
  return all.map(([name, count]) => `${name} ${count}\n`).join('');
}

function ringsOf({ link, volumes, workers }: Kernel): { name: string; ring: Ring }[] {
  const ofSeats = workers.seats.flatMap(({ seat, process, requests, replies }) => {
    const name = process ? `${process.name}[${process.pid}]` : `warm ${seat}`;
    return [
      { name: `${name} calls`, ring: requests },
      { name: `${name} replies`, ring: replies },
    ];
  });
  return [...link.rings, ...volumes.servers.flatMap(({ rings }) => rings), ...ofSeats];
}

function seatsOf({ seat, volumes, workers }: Kernel): { seat: number; name: string }[] {
  const workersOf = volumes.servers.filter(({ runHere }) => runHere === undefined);
  const servers = workersOf.map((one) => ({
    seat: one.seat,
    name: `${one.name} ${one.superblock.source}`,
  }));
  const processes = workers.seats.map((one) => ({
    seat: one.seat,
    name: one.process ? `${one.process.name}[${one.process.pid}]` : 'warm',
  }));
  const fixed = [
    { seat: SEAT_BOARD, name: 'board' },
    { seat, name: 'kernel' },
  ];
  return [...fixed, ...servers, ...processes];
}

/** Columns as wide as their widest cell, two blanks between them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

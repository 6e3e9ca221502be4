// A server as the supervisor knows it: a driver or a volume, in a worker of its own, or a volume in
// the kernel's (in-kernel.ts). A worker may be replaced at any time; seat, rings, pid and what the kernel knows of its files stay.

import type { Executor } from '../ipc/executor.ts';
import type { Ring } from '../ipc/ring.ts';
import type { FidLedger } from '../ninep/ledger.ts';
import type { RingTransport } from '../ninep/transport-ring.ts';
import type { Process } from '../proc/process.ts';
import type { Superblock } from '../vfs/inode.ts';
import type { ServerRole } from './spares.ts';

export interface Server {
  readonly role: ServerRole;
  readonly seat: number;
  /** Its program, ext4fs; and which of those that run it is, ext4fs_0. A driver is the only one. */
  name: string;
  instance: string;
  /** None when the kernel serves it itself. */
  readonly process: Process | undefined;
  readonly transport: RingTransport;
  readonly ledger: FidLedger;
  readonly superblock: Superblock;
  readonly rings: readonly { readonly name: string; readonly ring: Ring }[];
  /** Rings of the sessions that it serves, and of those in which it is the client. */
  readonly served: readonly Ring[];
  readonly used: readonly Ring[];
  /** What its next worker is told. */
  readonly orders: (server: Server) => object;
  /** Runs it in the kernel's own worker; undefined: it has one of its own. */
  readonly runHere: ((server: Server) => Executor) | undefined;
  guest: Executor | undefined;
  /** Messages that had been sent by way of `used` before it began. */
  readonly usedBefore: number;
  /** Its workers ended before they took or sent anything: there is no daemon. */
  missing: boolean;
  /** Gives back what it held; run once it is stopped and its worker has ended. */
  readonly release: () => void;
  state: 'starting' | 'running' | 'stopped' | 'restarting' | 'ending';
  /** Why its worker was told to end; undefined: it was not. */
  ending: Ending | undefined;
  /** Workers before this one. */
  restarts: number;
  /** When it failed by itself, lately. */
  failures: number[];
  /** It failed too often once already. */
  degraded: boolean;
  /** Since when nobody answers; and how long that took the last time. */
  downSinceMs: number | undefined;
  lastPauseMs: number;
  /** Gives the table of fids back that its worker was started with. */
  releaseFids: () => void;
}

export interface Ending {
  /** 'failed': by itself; counts against it, and against what it was doing. */
  readonly cause: 'failed' | 'ordered';
  readonly why: string;
}

/** As the log names it: `ext4fs_0 sdC0`; a driver has one name. */
export const nameOf = ({
  instance,
  superblock,
}: Pick<Server, 'instance' | 'superblock'>): string =>
  instance === superblock.source ? instance : `${instance} ${superblock.source}`;

/** Requests that it has sent: the first of each pair of rings carries them. */
export const sentBy = (used: readonly Ring[]): number => used[0]?.total ?? 0;

/** Whether any of its workers came so far as to take or send a message. */
export const hasSpoken = ({ served, used, usedBefore }: Server): boolean =>
  (served[0]?.taken ?? 0) > 0 || sentBy(used) !== usedBefore;

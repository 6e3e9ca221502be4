// A server in a worker of its own, as the supervisor knows it: a driver or a volume. The worker may
// be replaced at any time; seat, rings, pid and what the kernel knows of its files stay.

import type { Ring } from '../ipc/ring.ts';
import type { FidLedger } from '../ninep/ledger.ts';
import type { RingTransport } from '../ninep/transport-ring.ts';
import type { Process } from '../proc/process.ts';
import type { Superblock } from '../vfs/inode.ts';
import type { ServerRole } from './spares.ts';

export interface Server {
  readonly role: ServerRole;
  readonly seat: number;
  readonly process: Process;
  readonly transport: RingTransport;
  readonly ledger: FidLedger;
  readonly superblock: Superblock;
  readonly rings: readonly { readonly name: string; readonly ring: Ring }[];
  /** Rings of the sessions that it serves, and of those in which it is the client. */
  readonly served: readonly Ring[];
  readonly used: readonly Ring[];
  /** What its next worker is told. */
  readonly orders: (server: Server) => object;
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

/** As the log names it: `ext4fs sdC0`; a driver has one name. */
export const nameOf = ({ process, superblock }: Pick<Server, 'process' | 'superblock'>): string =>
  process.name === superblock.source ? process.name : `${process.name} ${superblock.source}`;

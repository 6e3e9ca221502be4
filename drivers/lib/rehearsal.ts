// What a driver's spare does while it waits for a driver to die: it drives a controller of the same kind
// with a disk in memory, and serves it to a client in the same thread. The code of model and driver is
// compiled then, and whoever waits for the spare once it has orders need not wait for that, too.

import type { Board, DriverBoard } from '../../kernel/abi/board.ts';
import { O_RDWR } from '../../kernel/abi/constants.ts';
import { type ControllerName, diskName } from '../../kernel/abi/disk/controllers.ts';
import { DISK_STATS_BYTES } from '../../kernel/abi/disk/stats.ts';
import { assert } from '../../kernel/abi/errno.ts';
import { FRAMES, PAGE_SIZE } from '../../kernel/abi/memlayout.ts';
import type { DriverConfig } from '../../kernel/abi/seat-config.ts';
import { Executor } from '../../kernel/ipc/executor.ts';
import { GRANT_READ, GRANT_WRITE, GrantTable, subgrant } from '../../kernel/ipc/grant.ts';
import { Ring, ringSize } from '../../kernel/ipc/ring.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { NinepClient } from '../../kernel/ninep/client.ts';
import { RingTransport } from '../../kernel/ninep/transport-ring.ts';
import { NOFID, NONUNAME, P9_VERSION } from '../../kernel/ninep/types.ts';
import type { StartDriver } from './sd-disk.ts';
import { openController } from './worker.ts';

const SEAT = 2;
const DMA = { address: FRAMES, length: 1 << 20 };
const DATA = { address: DMA.address + DMA.length, length: 64 << 10 };
const STATS = DATA.address + DATA.length;
const RINGS = STATS + DISK_STATS_BYTES;
const SHAPE = { slots: 16, slotSize: 8192, producer: SEAT, consumer: SEAT };
const RING_BYTES = Math.ceil(ringSize(SHAPE) / PAGE_SIZE) * PAGE_SIZE;
/** The memory that it takes. */
const REHEARSAL_RAM = RINGS + 3 * RING_BYTES;

/** Lives of a driver, and rounds of transfers in each; `wanted` is asked before every round. */
const LIVES = 2;
const ROUNDS = 4;
/** Transfers of a round, asked for at once. */
const PIECES = 8;
const TURNS_MAX = 100_000;

export interface RehearsalStage {
  readonly controller: ControllerName;
  readonly start: StartDriver;
  /** A board whose bus has one such controller, with a disk of at least a MiB. */
  readonly board: (parts: Pick<Board, 'ram' | 'seat'>) => DriverBoard;
}

export function rehearseDriver(stage: RehearsalStage, wanted: () => boolean): void {
  for (let life = 0; life < LIVES && !wanted(); life++) {
    const ram = new SharedArrayBuffer(REHEARSAL_RAM);
    const { controller, start } = stage;
    const board = stage.board({ ram, seat: SEAT });
    const rings = [0, 1, 2].map((n) => Ring.format(ram, RINGS + n * RING_BYTES, SHAPE));
    const [requests, replies, log] = rings;
    assert(requests && replies && log, 'three rings');
    const onBug = (error: unknown): never => {
      throw error;
    };
    const executor = new Executor({ ram, seat: SEAT, clock: board.clock, onBug });
    const session = { name: 'rehearsal', requests: RINGS, replies: RINGS + RING_BYTES };
    const config: DriverConfig = {
      ...{ controller, dma: DMA, sessions: [session], log: RINGS + 2 * RING_BYTES, stats: STATS },
    };
    openController({ board, config, start, executor });
    const grants = new GrantTable(ram);
    const client = new NinepClient(new RingTransport({ executor, grants, requests, replies }));
    drive(executor, use({ client, grants, name: diskName(controller, 0), wanted }));
  }
}

interface Use {
  readonly client: NinepClient;
  readonly grants: GrantTable;
  readonly name: string;
  readonly wanted: () => boolean;
}

function* use({ client, grants, name, wanted }: Use): Task<void> {
  const [root, fid] = [client.takeFid(), client.takeFid()];
  const nobody = { uname: '', nUname: NONUNAME, afid: NOFID };
  yield* client.rpc<'Tversion'>({ name: 'Tversion', msize: 8160, version: P9_VERSION });
  yield* client.rpc<'Tattach'>({ name: 'Tattach', fid: root, aname: '', ...nobody });
  yield* client.rpc<'Twalk'>({ name: 'Twalk', fid: root, newfid: fid, wname: [name, 'data'] });
  yield* client.rpc<'Tlopen'>({ name: 'Tlopen', fid, flags: O_RDWR });
  const all = grants.grant({
    owner: SEAT,
    delegate: -1,
    rights: GRANT_READ | GRANT_WRITE,
    segments: [DATA],
  });
  const length = DATA.length / PIECES;
  for (let round = 0; round < ROUNDS && !wanted(); round++) {
    for (const op of ['Twrite', 'Tread'] as const) {
      yield* client.all(
        Array.from({ length: PIECES }, (_, i) => {
          // Neighbours, which are merged, and some that are none.
          const offset = i * length + (i % 3 === 2 ? DATA.length : 0) + round * 4096;
          const body = { fid, offset, count: length };
          const grant = subgrant(all, i * length, length);
          return op === 'Tread'
            ? { message: { name: op, ...body }, grant }
            : { message: { name: op, ...body, data: new Uint8Array(0) }, grant };
        }),
      );
    }
    yield* client.rpc<'Tfsync'>({ name: 'Tfsync', fid, datasync: 0 });
  }
}

/** Turns the loop until the task is over, or nothing happens any more: it is only a rehearsal. */
function drive(executor: Executor, task: Task<void>): void {
  const running = { ended: false };
  const whole = function* (): Task<void> {
    try {
      yield* task;
    } finally {
      running.ended = true;
    }
  };
  executor.start(whole(), 'rehearsal');
  for (let turns = 0; turns < TURNS_MAX && !running.ended; turns++) executor.turn();
}

// The main program of a volume: opens its disk, mounts it by its format, serves it until
// the kernel unmounts it. A volume that cannot be mounted answers its attach with the reason.

import type { Board } from '../../kernel/abi/board.ts';
import { daemonOf } from '../../kernel/abi/disk/daemons.ts';
import { EINVAL, EMEDIUMTYPE, type Errno, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { getFids } from '../../kernel/abi/fid-table.ts';
import type { VolumeConfig } from '../../kernel/abi/seat-config.ts';
import type { Executor } from '../../kernel/ipc/executor.ts';
import { FaultGate } from '../../kernel/ipc/fault/gate.ts';
import { Places } from '../../kernel/ipc/fault/places.ts';
import { GrantReader } from '../../kernel/ipc/grant.ts';
import { ringLogger } from '../../kernel/ipc/log-ring.ts';
import { Ring } from '../../kernel/ipc/ring.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import { NinepClient } from '../../kernel/ninep/client.ts';
import { byName, FidLedger } from '../../kernel/ninep/ledger.ts';
import { MessageFaults } from '../../kernel/ninep/message-faults.ts';
import { RingTransport } from '../../kernel/ninep/transport-ring.ts';
import { openDiskClient } from './disk-client.ts';
import type { FormatRegistry, MountedVolume, MountRequest, VolumeHooks } from './mounted.ts';
import { refuseAll } from './serve/refuse.ts';
import { VolumeServer } from './serve/serve.ts';

export interface VolumeMainOptions {
  readonly board: Board;
  readonly executor: Executor;
  readonly config: VolumeConfig;
  readonly formats: FormatRegistry;
}

/** Starts the volume's tasks on the executor, whose loop the caller runs. */
export function volumeMain(options: VolumeMainOptions): void {
  options.executor.start(serveVolume(options), `volume ${options.config.name}`);
}

function* serveVolume(options: VolumeMainOptions): Task<void> {
  const { board, executor, config } = options;
  const { ram } = board;
  const log = ringLogger(executor, new Ring(ram, config.log));
  const requests = new Ring(ram, config.kernel.requests);
  const replies = new Ring(ram, config.kernel.replies);
  const unfinished = new Set<number>();
  const say = (line: string) => log(`${config.name}: ${line}`);
  const gate = new FaultGate(board);
  const blocks = gate.allocation('blocks');
  const inodes = gate.allocation('inodes');
  const hooks: VolumeHooks = {
    unfinished: (ino) => void unfinished.add(ino),
    refuses: (pool) => (pool === 'blocks' ? blocks(0) : inodes(0)),
    label: (labels) => {
      const lost = new Places(ram).setLabels(config.name, labels);
      if (lost > 0) say(`${lost} of ${labels.length} labels for faults found no room`);
    },
  };
  let volume: MountedVolume;
  let faults: MessageFaults;
  try {
    volume = yield* mountVolume(options, { hooks, gate, log: say });
    volume.engine.cache.refuses = gate.allocation('cache');
    faults = new MessageFaults({ gate, service: daemonOf(volume.format), executor });
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    say(`not mounted: ${error.message}`);
    refuseAll({ executor, requests, replies, errno: error.errno });
    return;
  }
  new VolumeServer({
    ...{ executor, requests, replies, volume, unfinished, faults },
    grants: new GrantReader(ram, board.seat),
    log: (line) => say(line),
    onUnmounted: () => say('unmounted'),
    fids: getFids(new DataView(ram), config.fids.address, config.fids.count),
  });
}

function* mountVolume(
  { board, executor, config, formats }: VolumeMainOptions,
  { hooks, gate, log }: Pick<MountRequest, 'hooks' | 'log'> & { gate: FaultGate },
): Task<MountedVolume> {
  const { ram, clock } = board;
  const { area, grant } = config;
  const transport = new RingTransport({
    executor,
    requests: new Ring(ram, config.driver.requests),
    replies: new Ring(ram, config.driver.replies),
    faults: new MessageFaults({ gate, service: config.name, executor }),
    recovery: {
      ledger: new FidLedger('names'),
      replay: byName,
      onPoison: ({ name }) => log(`disk: ${name} killed the driver again and again: given up`),
    },
  });
  const device = yield* openDiskClient({
    client: new NinepClient(transport),
    path: config.source,
    readOnly: config.readOnly,
  });
  const request: MountRequest = {
    ...{ executor, ram, clock, device, hooks, log, readOnly: config.readOnly },
    area: { ...area, grant: { ...grant, offset: 0, length: area.length } },
    random: (into) => board.random(into),
    options: config.options.split(',').filter((word) => word !== ''),
    resume: config.lives > 0,
  };
  return yield* mountByType(config.type, formats, request);
}

/** Mounts as the named format, or as the first one that knows the volume. */
export function* mountByType(
  type: string,
  formats: FormatRegistry,
  request: MountRequest,
): Task<MountedVolume> {
  if (type !== '' && type !== 'auto') {
    const mount = formats[type];
    if (mount === undefined) throw new PosixError(EINVAL, `unknown file system type '${type}'`);
    return yield* named(type, mount(request));
  }
  for (const [name, mount] of Object.entries(formats)) {
    try {
      return yield* named(name, mount(request));
    } catch (error) {
      if (!(error instanceof PosixError) || error.errno !== EMEDIUMTYPE) throw error;
    }
  }
  throw new PosixError(EMEDIUMTYPE, 'no file system that is known here');
}

/** What goes wrong names the format, and has words of its own. */
function* named(format: string, mounting: Task<MountedVolume>): Task<MountedVolume> {
  try {
    return yield* mounting;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    throw new PosixError(
      error.errno,
      `${format}: ${error.message || strerror(error.errno as Errno)}`,
    );
  }
}

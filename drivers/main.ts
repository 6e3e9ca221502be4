// The driver's role: which controller its worker drives is told with its orders.

import type { DriverBoard } from '../kernel/abi/board.ts';
import type { ControllerName } from '../kernel/abi/disk/controllers.ts';
import type { DriverConfig } from '../kernel/abi/seat-config.ts';
import { startAhci } from './ahci/driver.ts';
import { startIde } from './ide/driver.ts';
import { type RehearsalStage, rehearseDriver } from './lib/rehearsal.ts';
import type { StartDriver } from './lib/sd-disk.ts';
import { serveController } from './lib/worker.ts';
import { startVirtioBlk } from './virtio-blk/driver.ts';

const DRIVERS: Readonly<Record<ControllerName, StartDriver>> = {
  ahci: startAhci,
  ide: startIde,
  virtio: startVirtioBlk,
};

/** Drives each kind of controller that the machine has, on boards that are made for it. */
export function rehearse(wanted: () => boolean, stages: readonly RehearsalBoard[] = []): void {
  for (const { controller, board } of stages) {
    rehearseDriver({ controller, board, start: DRIVERS[controller] }, wanted);
  }
}

type RehearsalBoard = Omit<RehearsalStage, 'start'>;

export function main(board: DriverBoard, config: DriverConfig): void {
  serveController({ board, config, start: DRIVERS[config.controller] });
}

// A volume mounted over an image in memory, and a client that has attached to it.

import { TestClient } from './client.ts';
import { Machine, type MachineOptions } from './machine.ts';

export interface Booted {
  readonly machine: Machine;
  readonly fs: TestClient;
}

export function bootVolume(options: MachineOptions): Booted {
  const machine = new Machine(options);
  machine.mount();
  const fs = new TestClient(machine);
  fs.attach();
  return { machine, fs };
}

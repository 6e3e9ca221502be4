// A machine whose processes can run probes.

import { readFileSync } from 'node:fs';
import { powerUp } from '../../../drivers/hw/machine.ts';
import { Atoll } from '../../../host/atoll.ts';

const built = (path: string): string => new URL(`../../../${path}`, import.meta.url).href;

export async function bootProbes(options: {
  image: string;
  memBytes?: number;
  cpus?: number;
}): Promise<Atoll> {
  const { image, ...rest } = options;
  const log: string[] = [];
  const machine = powerUp({
    modules: {
      kernel: built('kernel/main.js'),
      driver: built('drivers/main.js'),
      volume: built('daemons/main.js'),
      process: built('scripts/testing/probes/role.js'),
    },
    bootArchive: readFileSync(new URL('../../../boot.cpio', import.meta.url)),
    disks: [{ file: image, mode: 'rw' }],
    ...rest,
    onLog: (line) => log.push(line),
  });
  await machine.booted;
  return new Atoll(machine, log, {});
}

/** Runs a probe to its end: what it wrote, as JSON. Throws what it told on standard error. */
export async function probe<T>(os: Atoll, ...argv: readonly (string | number)[]): Promise<T> {
  const { stdout, stderr, status } = await os.exec(`/bin/true ${argv.join(' ')}`);
  if (status !== 0) throw new Error(`${argv.join(' ')}: status ${status}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

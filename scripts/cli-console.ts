// `atoll` at a terminal: the boot log, then the machine's console until its shell ends.

import { attachConsole, terminalSink } from '../drivers/hw/console.ts';
import { Atoll } from '../host/atoll.ts';
import { moreImages, startMachine } from '../host/boot.ts';
import type { NbdServer } from '../host/nbd/server.ts';
import type { CommandLine } from './cli-options.ts';
import { exportDisks } from './cli-run.ts';

/** One volume of each kind, behind the prompt: the boot does not wait for them. */
async function plugIn(system: Atoll, log: string[]): Promise<void> {
  for (const file of moreImages()) {
    try {
      await system.attachDisk(file);
    } catch (error) {
      log.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      return; // the machine ends meanwhile
    }
  }
}

export async function runConsole(line: CommandLine): Promise<number> {
  const { disks, mem, cpus, trace, faults, daemons } = line;
  let booted = false;
  const log: string[] = [];
  const machine = startMachine(
    {
      ...(disks.length === 0 ? {} : { disks }),
      ...(mem === undefined ? {} : { mem }),
      ...(cpus === undefined ? {} : { cpus }),
      ...(trace === undefined ? {} : { trace }),
      ...(faults === undefined ? {} : { faults }),
      ...(daemons === undefined ? {} : { daemons }),
    },
    {
      ...{ interactive: true, console: terminalSink() },
      onLog: (text) => {
        log.push(text);
        // In raw mode a line ends with both.
        if (!booted) process.stdout.write(`${text}\r\n`);
      },
    },
  );
  const system = new Atoll(machine, log, {});
  let status: number | undefined; // the host's signal has the last word
  const detach = attachConsole(machine, (wanted) => {
    status = wanted;
    void system.shutdown().catch(() => machine.powerOff());
  });
  let nbd: NbdServer | undefined;
  machine.booted.then(
    async () => {
      booted = true;
      nbd = await exportDisks(system, line);
      if (disks.length === 0) await plugIn(system, log);
    },
    () => {},
  );
  const reason = await machine.ended;
  detach();
  await nbd?.close();
  const { traceComplaint } = machine;
  if (traceComplaint !== undefined) process.stderr.write(`atoll: ${traceComplaint}\n`);
  if (reason === '') return status ?? machine.exitStatus;
  process.stderr.write(`atoll: ${reason}\n`);
  return 1;
}

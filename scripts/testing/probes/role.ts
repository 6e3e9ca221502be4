// A process's worker for tests and measurements: `true PROBE ARGUMENTS…` runs a probe (one module of this folder's
// table) instead of true(1), with the same system calls; every other program is what it always is.

import type { Board } from '../../../kernel/abi/board.ts';
import type { ProcessConfig } from '../../../kernel/abi/seat-config.ts';
import { type Start, SYS } from '../../../kernel/abi/syscall.ts';
import { loadProgram } from '../../../userland/bin/load.ts';
import { Channel, ProcessDied } from '../../../userland/libc/runtime/channel.ts';
import { lastWords, Runtime } from '../../../userland/libc/runtime/runtime.ts';
import type { Program } from '../../../userland/libc/sys.ts';
import { probes } from './probes.ts';

await loadProgram('sh');

export async function main(board: Board, config: ProcessConfig): Promise<void> {
  const channel = new Channel(board, config);
  for (;;) await live(board, channel);
}

async function live(board: Board, channel: Channel): Promise<void> {
  channel.revive();
  try {
    channel.call(SYS.ready, 0);
    const start = JSON.parse(channel.text()) as Start;
    const sys = new Runtime(board, channel, start);
    const program = programOf(start) ?? (await loadProgram(start.program));
    run(sys, program);
  } catch (error) {
    if (!(error instanceof ProcessDied)) throw error;
  }
}

const programOf = ({ program, argv }: Start): Program | undefined =>
  program === 'true' ? probes[argv[1] ?? ''] : undefined;

function run(sys: Runtime, program: Program | undefined): void {
  try {
    sys.exit(program?.(sys) ?? 127);
  } catch (error) {
    if (error instanceof ProcessDied) throw error;
    lastWords(sys, `${sys.argv.join(' ')}: ${error instanceof Error ? error.stack : error}\n`);
    sys.exit(70);
  }
}

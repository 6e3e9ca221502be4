#!/usr/bin/env node
// The command `atoll`: boots a machine and runs a script or a prompt in it.

import { readFileSync } from 'node:fs';
import { packageFile } from '../host/code.ts';
import { type CommandLine, readCommandLine, USAGE, UsageError } from './cli-options.ts';

process.exitCode = await main(process.argv.slice(2));
// Nothing is left to wait for; a terminal or pipe that stays open must not keep us.
await Promise.all([drained(process.stdout), drained(process.stderr)]);
process.exit();

async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(readCommandLine(args));
  } catch (error) {
    const usage = error instanceof UsageError;
    process.stderr.write(`atoll: ${error instanceof Error ? error.message : error}\n`);
    if (usage) process.stderr.write("Try 'atoll --help' for more information.\n");
    return usage ? 2 : 1;
  }
}

async function run(line: CommandLine): Promise<number> {
  const { work } = line;
  if (work.kind === 'help') process.stdout.write(USAGE);
  else if (work.kind === 'version') process.stdout.write(`atoll ${version()}\n`);
  else if (work.kind === 'summary') {
    const { summarize } = await import('./trace/summary.ts');
    process.stdout.write(await summarize(work.file, work.calls));
  } else if (work.kind === 'stdin' && process.stdin.isTTY) {
    return await (await import('./cli-console.ts')).runConsole(line);
  } else return await (await import('./cli-run.ts')).runScript(line);
  return 0;
}

function version(): string {
  const manifest = readFileSync(packageFile('package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}

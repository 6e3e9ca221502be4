// What a shell makes of a snippet, in a booted machine or on the host: the same arguments, standard
// input, and an empty directory to work in.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Atoll } from '../../../index.ts';

export interface Outcome {
  readonly stdout: string;
  readonly status: number | string;
  readonly complains: boolean;
}

const args = ['sh', 'A1', 'b 2', ''];
const stdin = 'line1\nline2\n';
/** A shell that hangs is told by its end. */
const timeout = 180_000;

const text = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString('latin1');
};

let count = 0;

export async function inAtoll(os: Atoll, snippet: string): Promise<Outcome> {
  const cwd = `/tmp/s${count++}`;
  await os.fs.mkdir(cwd);
  const child = await os.spawn('/bin/sh', ['-c', snippet, ...args], { cwd, stdin, timeout });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const exit = await child.exit;
  return {
    stdout: stdout.replaceAll(cwd, 'CWD'),
    status: exit.signal ?? exit.status ?? -1,
    complains: stderr !== '',
  };
}

export async function inHost(shell: string, snippet: string): Promise<Outcome> {
  const cwd = await mkdtemp(join(tmpdir(), 'shell-'));
  const env = { PATH: '/usr/bin:/bin', HOME: '/root', LC_ALL: 'C.UTF-8' };
  const child = spawn(shell, ['-c', snippet, ...args], { cwd, env, timeout });
  child.stdin.on('error', () => {}); // it need not read its input
  child.stdin.end(stdin);
  const exit = new Promise<number | string>((resolve) => {
    child.on('close', (status, signal) => resolve(signal ?? status ?? -1));
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const status = await exit;
  await rm(cwd, { recursive: true });
  return { stdout: stdout.replaceAll(cwd, 'CWD'), status, complains: stderr !== '' };
}

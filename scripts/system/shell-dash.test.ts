// The shell against dash: every snippet of shell-snippets.txt runs in one booted machine and in the
// host's dash; standard output and exit status must be equal, and an error must be an error in both.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { randomScript } from './shell-random.ts';

interface Outcome {
  readonly stdout: string;
  readonly status: number | string;
  readonly complains: boolean;
}

const args = ['sh', 'A1', 'b 2', ''];
const stdin = 'line1\nline2\n';

test('the shell does what dash does', async (t) => {
  if (spawnSync('dash', ['-c', ':']).status !== 0) {
    t.log('no dash here: skipped');
    t.pass();
    return;
  }
  const file = new URL('../../../scripts/system/shell-snippets.txt', import.meta.url);
  const snippets = (await readFile(file, 'utf8')).split(/^%%\n/m);
  const only = process.env['SNIPPET'];
  await using os = await boot({ disks: [] });
  t.true(snippets.length >= 300);
  for (const [i, snippet] of snippets.entries()) {
    if (only !== undefined && Number(only) !== i) continue;
    const [ours, dash] = await Promise.all([inAtoll(os, snippet, i), inDash(snippet)]);
    t.deepEqual(ours, dash, `snippet ${i} (SNIPPET=${i} runs it alone):\n${snippet}`);
  }
});

test('random expansions, patterns, arithmetic and printf come out as in dash', async (t) => {
  if (spawnSync('dash', ['-c', ':']).status !== 0) {
    t.log('no dash here: skipped');
    t.pass();
    return;
  }
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  t.log(`SEED=${seed}`);
  await using os = await boot({ disks: [] });
  const script = randomScript(seed, 600);
  const [ours, dash] = await Promise.all([inAtoll(os, script, 0), inDash(script)]);
  const expected = dash.stdout.split('\n');
  const at = ours.stdout.split('\n').findIndex((line, i) => line !== expected[i]);
  t.is(ours.stdout.split('\n')[at], expected[at]);
  t.is(ours.stdout, dash.stdout);
});

const text = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString('latin1');
};

async function inAtoll(os: Atoll, snippet: string, i: number): Promise<Outcome> {
  const cwd = `/tmp/s${i}`;
  await os.fs.mkdir(cwd);
  const child = await os.spawn('/bin/sh', ['-c', snippet, ...args], {
    cwd,
    stdin,
    timeout: 20_000,
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const exit = await child.exit;
  return {
    stdout: stdout.replaceAll(cwd, 'CWD'),
    status: exit.signal ?? exit.status ?? -1,
    complains: stderr !== '',
  };
}

async function inDash(snippet: string): Promise<Outcome> {
  const cwd = await mkdtemp(join(tmpdir(), 'dash-'));
  const env = { PATH: '/usr/bin:/bin', HOME: '/root', LC_ALL: 'C.UTF-8' };
  const child = spawn('dash', ['-c', snippet, ...args], { cwd, env });
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

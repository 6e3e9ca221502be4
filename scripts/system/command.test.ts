// Claims about the command `atoll`: streams, status and signals pass through; wrong use says so.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

const command = fileURLToPath(new URL('../atoll.js', import.meta.url));

function atoll(args: readonly string[], input = '') {
  const { stdout, stderr, status } = spawnSync(process.execPath, [command, ...args], {
    ...{ input, encoding: 'utf8', timeout: 60_000 },
  });
  return { stdout, stderr, status };
}

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'atoll-command-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

const runs = test.macro({
  exec(
    t,
    args: readonly string[],
    expected: { stdout?: string; stderr?: string; status: number; input?: string },
  ) {
    const { input, ...rest } = expected;
    t.deepEqual(atoll(args, input), { stdout: '', stderr: '', ...rest });
  },
  title: (title, args: readonly string[]) => title ?? `atoll ${args.join(' ')}`,
});

test(runs, ['-c', 'echo $0 $1 "$2"; exit 7', 'name', 'a', 'b c'], {
  ...{ stdout: 'name a b c\n', status: 7 },
});
test(runs, ['-c', 'cat; echo e >&2'], { input: 'in', stdout: 'in', stderr: 'e\n', status: 0 });
test(runs, ['-ec', 'false; echo no'], { status: 1 });
test(runs, ['-c', 'kill -TERM $$'], { status: 143 });
test('commands on standard input', runs, [], {
  input: 'echo hi\nexit 4\n',
  stdout: 'hi\n',
  status: 4,
});
test(runs, ['--mem', '16M', '--cpus', '1', '-c', 'echo small | cat'], {
  stdout: 'small\n',
  status: 0,
});
const hint = "Try 'atoll --help' for more information.\n";
test(runs, ['--foo', '-c', 'x'], { stderr: `atoll: unknown option '--foo'\n${hint}`, status: 2 });
test(runs, ['--mem', 'much'], {
  ...{ stderr: `atoll: --mem 'much': want a size such as 256M\n${hint}`, status: 2 },
});
test(runs, ['--cpus', '0'], {
  ...{ stderr: `atoll: --cpus '0': want a number from 1\n${hint}`, status: 2 },
});
test(runs, ['-c'], { stderr: `atoll: -c needs a script\n${hint}`, status: 2 });
test(runs, ['--mem', '1M', '-c', 'true'], {
  ...{ stderr: 'atoll: memory of 1 MiB: the board takes 16 to 4096 MiB\n', status: 1 },
});
test(runs, ['/no/such/file'], {
  ...{ stderr: 'atoll: /no/such/file: No such file or directory\n', status: 127 },
});

test('a file of the host is run with its arguments, a long one too', (t) => {
  const script = join(folder(t), 'script');
  writeFileSync(script, '#!/bin/sh\necho "$0" "$@"\nexit 5\n');
  t.deepEqual(atoll([script, 'a', 'b c']), { stdout: `${script} a b c\n`, stderr: '', status: 5 });
  writeFileSync(script, `${`# ${'x'.repeat(98)}\n`.repeat(2000)}echo "$1"; exit 6\n`);
  t.deepEqual(atoll([script, 'a']), { stdout: 'a\n', stderr: '', status: 6 });
});

test('an image that is none is named with its reason, and stays as it is', (t) => {
  const at = folder(t);
  const [empty, noise, locked] = ['empty', 'noise', 'locked'].map((name) => join(at, name));
  const bytes = Buffer.alloc(1 << 20, 'no file system ');
  writeFileSync(empty ?? '', '');
  writeFileSync(noise ?? '', bytes);
  writeFileSync(locked ?? '', bytes, { mode: 0o444 });
  const disks = [`${at}/missing`, empty, noise, locked].flatMap((file) => ['--disk', file ?? '']);
  const { stdout, stderr, status } = atoll([...disks, '-c', 'ls /mnt; echo on']);
  t.is(status, 0);
  t.is(stdout, 'on\n');
  t.regex(stderr, /^atoll: sdC0: .*missing: no such file/m);
  t.regex(stderr, /^atoll: sdC1: .*empty: is empty/m);
  t.regex(stderr, /^atoll: sdC2: not mounted: /m);
  t.regex(stderr, /^atoll: sdC3: .*write-protected/m);
  t.deepEqual(readFileSync(noise ?? ''), bytes);
});

test('a reader that goes away ends an endless writer', (t) => {
  const line = `"${process.execPath}" "${command}" -c yes | head -n 2; echo "\${PIPESTATUS[0]}"`;
  const { stdout } = spawnSync('bash', ['-c', line], { encoding: 'utf8', timeout: 60_000 });
  t.is(stdout, 'y\ny\n141\n');
});

test('a signal to the command is a signal to the script', async (t) => {
  const script = 'trap "echo got; exit 9" TERM; echo ready; while :; do sleep 1; done';
  const child = spawn(process.execPath, [command, '-c', script]);
  let out = '';
  child.stdout.on('data', (piece) => {
    if (out === '') child.kill('SIGTERM');
    out += piece;
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  t.is(out, 'ready\ngot\n');
  t.is(status, 9);
});

test('megabytes pass through unchanged', (t) => {
  const input = Buffer.from(new Uint8Array(5_000_000).map((_, i) => (i * 131) >> 3));
  const { stdout } = spawnSync(process.execPath, [command, '-c', 'cat | cat'], {
    ...{ input, timeout: 60_000, maxBuffer: 1 << 26 },
  });
  t.true(stdout.equals(input));
});

// mkfs.fat, fatlabel and fsck.fat as programs: their options, what they print, their exit status.

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { fsckFatFile, haveDosfstools } from '../../../scripts/testing/dosfstools.ts';
import { programs } from '../../bin/registry.ts';
import { runOnHost } from '../../libc/testing/host-sys.ts';

const dir = mkdtempSync(join(tmpdir(), 'atoll-fat-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

function run(...argv: readonly string[]): { stdout: string; status: number } {
  writeFileSync(`${dir}/empty`, '');
  const ran = runOnHost({ programs, argv, cwd: dir, stdin: `${dir}/empty`, env: { PATH: '' } });
  return { stdout: ran.stdout.toString(), status: ran.status };
}

test('a volume is made, named, damaged, checked and repaired', (t) => {
  const file = `${dir}/a.img`;
  t.is(
    run('mkfs.fat', '-C', '-F', '16', '-n', 'first', '-i', '12ab34cd', 'a.img', '9000').status,
    0,
  );
  t.is(readFileSync(file).length, 9000 * 1024);
  t.deepEqual(run('fatlabel', 'a.img'), { stdout: 'FIRST\n', status: 0 });
  t.deepEqual(run('fatlabel', '-i', 'a.img'), { stdout: '12ab34cd\n', status: 0 });
  t.is(run('fatlabel', 'a.img', 'Other').status, 0);
  t.is(run('fatlabel', 'a.img').stdout, 'OTHER\n');
  t.regex(run('fsck.fat', 'a.img').stdout, /^a\.img: 0 files, 0 directories, 0\/\d+ clusters\n$/);
  if (haveDosfstools()) t.is(fsckFatFile(file), '');
  const bytes = readFileSync(file);
  const fat = bytes.readUInt16LE(14) * 512; // behind the reserved sectors
  bytes.writeUInt16LE(0xffff, fat + 20);
  writeFileSync(file, bytes);
  const looked = run('fsck.fat', '-n', 'a.img');
  t.regex(looked.stdout, /the FATs differ in 1 sectors\n1 clusters in 1 chains are lost\n/);
  t.is(looked.status, 4);
  t.is(Buffer.compare(readFileSync(file), bytes), 0, '-n writes nothing');
  t.is(run('fsck.fat', '-a', '-f', 'a.img').status, 1);
  t.regex(run('fsck.fat', '-v', 'a.img').stdout, /^\/FSCK0000\.REC\na\.img: 1 files/);
  t.is(run('fsck.fat', 'a.img').status, 0);
  if (haveDosfstools()) t.is(fsckFatFile(file), '');
});

test('what cannot be is refused before anything is written', (t) => {
  writeFileSync(`${dir}/b.img`, '');
  truncateSync(`${dir}/b.img`, 1 << 20);
  for (const args of [
    ['-F', '16'],
    ['-n', 'too long a label'],
    ['-S', '1000'],
    ['-s', '3'],
    ['-F', '7'],
  ]) {
    t.is(run('mkfs.fat', ...args, 'b.img').status, 1, args.join(' '));
  }
  t.true(readFileSync(`${dir}/b.img`).every((byte) => byte === 0));
  t.is(run('fsck.fat', 'b.img').status, 8);
});

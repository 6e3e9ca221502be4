// mkfs.exfat, exfatlabel and fsck.exfat as programs: their options, what they print, their exit status.

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { fsckExFatFile, haveExfatprogs } from '../../../scripts/testing/exfatprogs.ts';
import { programs } from '../../bin/registry.ts';
import { runOnHost } from '../../libc/testing/host-sys.ts';

const dir = mkdtempSync(join(tmpdir(), 'atoll-exfat-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

function run(...argv: readonly string[]): { stdout: string; status: number } {
  writeFileSync(`${dir}/empty`, '');
  const ran = runOnHost({ programs, argv, cwd: dir, stdin: `${dir}/empty`, env: { PATH: '' } });
  return { stdout: ran.stdout.toString(), status: ran.status };
}

test('a volume is made, named, damaged, checked and repaired', (t) => {
  const file = `${dir}/a.img`;
  writeFileSync(file, '');
  truncateSync(file, 9 << 20);
  t.regex(
    run('mkfs.exfat', '-v', '-L', 'First', '-i', '12ab34cd', '-c', '4K', 'a.img').stdout,
    /^a\.img: exFAT, \d+ clusters of 4096 bytes/,
  );
  t.deepEqual(run('exfatlabel', 'a.img'), { stdout: 'label: First\n', status: 0 });
  t.deepEqual(run('exfatlabel', '-i', 'a.img'), {
    stdout: 'volume serial : 0x12ab34cd\n',
    status: 0,
  });
  t.is(run('exfatlabel', 'a.img', 'Other').status, 0);
  t.is(run('exfatlabel', '-i', 'a.img', '0x1').status, 0);
  t.is(run('exfatlabel', 'a.img').stdout, 'label: Other\n');
  t.regex(run('blkid', '-p', 'a.img').stdout, /LABEL="Other" UUID="0000-0001".*TYPE="exfat"/);
  t.regex(
    run('fsck.exfat', 'a.img').stdout,
    /^a\.img: 0 files, 0 directories, \d+\/\d+ clusters\n$/,
  );
  if (haveExfatprogs()) t.is(fsckExFatFile(file), '');
  const bytes = readFileSync(file);
  bytes[106] = 2; // VolumeDirty
  writeFileSync(file, bytes);
  t.deepEqual(
    [run('fsck.exfat', '-n', 'a.img').status, Buffer.compare(readFileSync(file), bytes)],
    [4, 0],
  );
  t.is(run('fsck.exfat', '-y', 'a.img').status, 1);
  t.is(run('fsck.exfat', 'a.img').status, 0);
});

test('what cannot be is refused before anything is written', (t) => {
  writeFileSync(`${dir}/b.img`, '');
  truncateSync(`${dir}/b.img`, 4 << 20);
  for (const args of [
    ['-L', 'too long a label'],
    ['-L', 'a:b'],
    ['-c', '1000'],
    ['-c', '64M'],
    ['-s', '8K'],
    ['-c', '512', '-s', '4096'],
  ]) {
    t.is(run('mkfs.exfat', ...args, 'b.img').status, 1, args.join(' '));
  }
  t.true(readFileSync(`${dir}/b.img`).every((byte) => byte === 0));
  t.is(run('fsck.exfat', 'b.img').status, 8);
});

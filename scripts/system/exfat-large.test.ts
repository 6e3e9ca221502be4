// A file beyond 4 GiB on exFAT: its size, what is written at both of its ends and what was never written, by
// the whole machine; fsck.exfat is content. The image has holes, so that all of it costs little.

import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { boot } from '../../index.ts';
import { fsckExFatFile, haveExfatprogs } from '../testing/exfatprogs.ts';
import { tempDir } from '../testing/machine.ts';

const GIB = 2 ** 30;

test('a file of 5 GiB is made, told of, read at its end and cut, without writing zeroes', async (t) => {
  if (!haveExfatprogs()) return t.pass('no exfatprogs here: skipped');
  await using dir = await tempDir();
  const image = join(dir.path, 'large.img');
  writeFileSync(image, '');
  truncateSync(image, 8 * GIB);
  await using os = await boot({ disks: [{ file: image }] });
  const script = `set -e
    mkfs.exfat -L Large /dev/sd/sdC0/data; mkdir /tmp/m; mount /dev/sd/sdC0/data /tmp/m; cd /tmp/m
    echo begin > big; truncate -s 5368709121 big; stat -c %s big; head -c 5 big; echo
    tail -c 1000 big | tr -d '\\0' | wc -c
    truncate -s 4294967300 big; stat -c %s big; df -k . | tail -n 1 | wc -l; grep sdC0 /proc/mounts
    cd /; umount /tmp/m; mount -t exfat /dev/sd/sdC0/data /tmp/m; stat -c %s /tmp/m/big
    fsck.exfat -n /dev/sd/sdC0/data`;
  const { stdout, stderr, status } = await os.exec(script);
  t.is(status, 4, stderr); // it is mounted, and says so
  t.regex(
    stdout,
    /^5368709121\nbegin\n0\n4294967300\n1\n.*\/tmp\/m exfat .*\n4294967300\nthe volume was not unmounted\n/s,
  );
  await os.exec('cd /; umount /tmp/m');
  await os.shutdown();
  t.is(fsckExFatFile(image), '');
});

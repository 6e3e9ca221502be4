// blkid against the host's, on an image of each kind that a tool of the host or our own mkfs makes.

import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { host } from '../../scripts/testing/machine.ts';
import { programs } from '../bin/registry.ts';
import { runOnHost } from '../libc/testing/host-sys.ts';

const dir = mkdtempSync(join(tmpdir(), 'atoll-blkid-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

/** In the directory of the images; undefined where the host has no such tool. */
function ours(...argv: readonly string[]): { stdout: string; status: number } {
  writeFileSync(`${dir}/empty`, '');
  const ran = runOnHost({ programs, argv, cwd: dir, stdin: `${dir}/empty`, env: { PATH: '' } });
  return { stdout: ran.stdout.toString(), status: ran.status };
}

const inDir = (script: string): boolean =>
  host('sh', ['-c', `cd ${dir} && { ${script}; } > /dev/null 2>&1`])?.status === 0;

function image(name: string, mib: number): void {
  appendFileSync(`${dir}/${name}`, '');
  truncateSync(`${dir}/${name}`, mib << 20);
}

const identified = test.macro({
  exec(t, name: string, mib: number, make: string) {
    image(name, mib);
    const made = make.startsWith('ours ')
      ? ours(...make.split(' ').slice(1), name).status === 0
      : inDir(`${make} ${name}`);
    if (!made) {
      t.log(`no ${make.split(' ')[0]} here: skipped`);
      return t.pass();
    }
    for (const options of [
      [],
      ['-o', 'export'],
      ['-s', 'UUID', '-o', 'value'],
      ['-t', 'TYPE=ext4'],
    ]) {
      const theirs = host('sh', [
        '-c',
        `cd ${dir} && blkid -c /dev/null "$@"`,
        'sh',
        ...options,
        name,
      ]);
      if (theirs === undefined || theirs.status === 127) return t.pass('no blkid here: skipped');
      t.deepEqual(ours('blkid', ...options, name), {
        stdout: theirs.stdout,
        status: theirs.status ?? -1,
      });
    }
  },
  title: (_, name: string, __, make: string) => `${name}: ${make}`,
});

test(identified, 'two', 4, 'mke2fs -q -F -t ext2 -L second');
test(identified, 'three', 4, 'mke2fs -q -F -t ext3');
test(identified, 'four', 4, `mke2fs -q -F -t ext4 -L 'a "strange" $name'`);
test(
  identified,
  'journal',
  4,
  'mke2fs -q -F -t ext4 -O ^extent,^64bit,^flex_bg,^metadata_csum,^dir_nlink,^extra_isize,^huge_file',
);
test(identified, 'four-64k', 32, 'mke2fs -q -F -t ext4 -b 65536');
test(identified, 'our-four', 4, 'ours mkfs.ext4 -q -L ours');
test(identified, 'fat12', 2, 'mkfs.fat -F 12 -n TWELVE');
test(identified, 'fat16', 16, 'mkfs.fat -F 16');
test(identified, 'fat32', 40, 'mkfs.fat -F 32 -n THIRTYTWO');
test(identified, 'fat4k', 40, 'mkfs.fat -S 4096 -n BIG');
test(identified, 'exfat', 8, 'mkfs.exfat -L label');
test(identified, 'hfs', 4, 'hformat -l Volume');
test(identified, 'our-hfs', 4, 'ours mkfs.hfs -q -v Ours');
test(identified, 'hfsplus', 8, 'ours mkfs.hfsplus -q -v Greens');
test(identified, 'hfsx', 8, 'ours mkfs.hfsplus -q -s -J');
test(identified, 'gpt', 8, 'sgdisk -n 1:2048:4000 -n 2:6000:8000');
test(identified, 'mbr', 8, `printf '2048,2000\\n5000,,S\\n' | sfdisk -q`);
test(identified, 'nothing', 1, 'true');

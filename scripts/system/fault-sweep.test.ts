// Every error path of a `cp -r` onto ext4, one after the other: each allocation and each command of
// the disk fails in a run of its own. No run hangs, crashes or leaks; what is not on the disk is told,
// with a message and a status.

import { join } from 'node:path';
import test from 'ava';
import { atoll, fsck, makeExt4, tempDir } from '../testing/machine.ts';

/** Hits that are failed of each point; ATOLL_SWEEP_HITS=10000 means all of them. */
const HITS = Number(process.env['ATOLL_SWEEP_HITS'] ?? 2);

/** Points and actions. */
const SWEEPS = [
  'alloc.frames oom',
  'alloc.pages oom',
  'alloc.grants oom',
  'alloc.files oom',
  'alloc.fids oom',
  'alloc.seats oom',
  'alloc.cache oom',
  'alloc.blocks full',
  'alloc.inodes full',
  'blk.sdC0.read err EIO',
  'blk.sdC0.write err EIO',
  'blk.sdC0.write torn 512, err EIO',
  'blk.sdC0.flush err EIO',
  'ipc.ext4fs.Twrite short',
];

/** `before` gives each run a volume that was mounted afresh; `after` looks whether what was told is so. */
const script = `
  mkdir /tmp/s; seq 1 3000 > /tmp/s/a; echo b > /tmp/s/b; mkdir /tmp/s/d; echo c > /tmp/s/d/c
  before='umount /mnt/sdC0; mount /dev/sd/sdC0/part/0 /mnt/sdC0 && rm -rf /mnt/sdC0/t && sync'
  after='[ $STATUS != 0 ] || { echo 3 > /proc/sys/vm/drop_caches; diff -r /tmp/s /mnt/sdC0/t; }'
  held() { sh -c "$before"; sleep .3; awk '/MemFree/ { print int($2 / 8192) }' /proc/meminfo; }
  held > /tmp/first
  ${SWEEPS.map((sweep) => `fault sweep -b "$before" -a "$after" -t 30 -n 1-${HITS} ${sweep} -- sh -c 'cp -r /tmp/s /mnt/sdC0/t && sync'; echo "ended $?"`).join('\n')}
  held > /tmp/last
  echo held $(cat /tmp/first) $(cat /tmp/last)
  umount /mnt/sdC0; mount /dev/sd/sdC0/part/0 /mnt/sdC0; cp -r /tmp/s /mnt/sdC0/t && sync && diff -r /tmp/s /mnt/sdC0/t && echo whole
`;

test('cp -r with each allocation and each disk command failing: told each time, nothing hangs or leaks', async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  if (!(await makeExt4(image, 64))) {
    t.log('no e2fsprogs here: skipped');
    return t.pass();
  }
  t.timeout(7_200_000);
  const command = ['--disk', image, '-c', script];
  const { stdout, stderr, status } = await atoll(command, { minutes: HITS > 10 ? 110 : 2 });
  const ends = [...stdout.matchAll(/^ended (\d+)$/gm)].map(([, end]) => end);
  const told = `${stdout}${stderr}`;
  t.deepEqual(
    ends,
    SWEEPS.map(() => '0'),
    told,
  );
  const runs = [...stdout.matchAll(/^(?:alloc|blk|ipc)\..*: (\d+) hits, .*$/gm)];
  for (const [line] of runs) t.log(line);
  t.true(runs.filter(([, hits]) => Number(hits) > 0).length >= SWEEPS.length - 1, told);
  const [, first, last] = /^held (\d+) (\d+)$/m.exec(stdout) ?? [];
  t.true(Math.abs(Number(first) - Number(last)) <= 1, `memory in 8 MiB: ${first}, then ${last}`);
  t.regex(stdout, /^whole$/m);
  t.notRegex(told, /kernel: bug/);
  t.is(status, 0, told);
  t.is(fsck(image), '');
});

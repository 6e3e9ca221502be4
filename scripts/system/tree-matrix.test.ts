// Each file system on every controller, side by side in one machine: a tree of files (ATOLL_FILES=1000) goes
// in while the drivers are killed, what one disk holds is copied to the next; the checkers are content, and
// tools of others copy the same bytes out.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { FormatName } from '../../daemons/lib/conformance/abilities.ts';
import { type Atoll, boot } from '../../index.ts';
import { CONTROLLERS, diskName } from '../../kernel/abi/disk/controllers.ts';
import { host, tempDir } from '../testing/machine.ts';
import { VOLUMES } from '../testing/volumes.ts';

const FORMATS: readonly FormatName[] = ['ext4', 'fat32', 'hfs', 'hfs+'];
const FILES = Number(process.env['ATOLL_FILES'] ?? 200);
const IN_A_FOLDER = 25;
const FOLDERS = Math.ceil(FILES / IN_A_FOLDER);
const MIB = 40;

const DISKS = CONTROLLERS.map((controller) => ({ controller, disk: diskName(controller, 0) }));

/** Files in folders of four, some of them large, and a megabyte that nothing could guess. */
const FILL = `
set -e
mkdir /tmp/t; cd /tmp/t
for d in $(seq ${FOLDERS}); do
  mkdir -p $((d % 4))/$d; cd $((d % 4))/$d
  for n in $(seq ${IN_A_FOLDER}); do echo "file $n of $d" > $n; done
  seq $((d * 3000)) > 3
  cd ../..
done
dd if=/dev/urandom of=big bs=64K count=20 2> /dev/null
find . -type f | wc -l`;

const SUMS = 'find . -type f | LC_ALL=C sort | xargs sha256sum';

const holds = test.macro({
  async exec(t, format: FormatName) {
    t.timeout(600_000);
    await using dir = await tempDir();
    const disks = DISKS.map((one) => ({ ...one, file: join(dir.path, `${one.disk}.img`) }));
    for (const { file } of disks) {
      if (await VOLUMES[format].make(file, MIB)) continue;
      t.log('no mkfs for it here: skipped');
      return t.pass();
    }
    let sums: string;
    {
      await using os = await boot({ disks });
      sums = await fillAll(t, os);
      await os.shutdown();
    }
    for (const { file, disk } of disks) {
      t.is(VOLUMES[format].check(file), '', disk);
      const out = join(dir.path, `out-${disk}`);
      await mkdir(out);
      if (!VOLUMES[format].extract(file, out)) t.log(`nobody else here reads ${format}`);
      else t.is(host('sh', ['-c', `cd ${out}/t && ${SUMS}`])?.stdout, sums, `by others, ${disk}`);
    }
  },
  title: (_, format: FormatName) =>
    `${format} on each controller: ${FILES} files are whole, though drivers were killed as they were written`,
});
// Serial: each is a machine of its own, with four workers that want the cores.
for (const format of FORMATS) test.serial(holds, format);

/** Fills the disks; the sums of what each then holds. */
async function fillAll(t: ExecutionContext, os: Atoll): Promise<string> {
  const run = async (script: string): Promise<string> => {
    const { status, stdout, stderr } = await os.exec(script);
    t.deepEqual([status, stderr], [0, ''], script);
    return stdout;
  };
  t.is(await run(FILL), `${FOLDERS * IN_A_FOLDER + 1}\n`);
  t.is(await run('ls /dev/sd'), 'sdC0\nsdD0\nsdF0\nsdctl\n');
  const copies = DISKS.map(({ disk }) => `cp -r /tmp/t /mnt/${disk}/t &`).join(' ');
  const copied = run(`cd /; ${copies} wait; sync`);
  await killInTurn(os);
  await copied;
  const wanted = await run(`cd /tmp/t; ${SUMS}`);
  for (const { disk } of DISKS) {
    const found = await run(`echo 3 > /proc/sys/vm/drop_caches; cd /mnt/${disk}/t; ${SUMS}`);
    t.is(found, wanted, disk);
  }
  await run('cp -r /mnt/sdF0/t/1 /mnt/sdC0/u && diff -r /tmp/t/1 /mnt/sdC0/u && rm -r /mnt/sdC0/u');
  t.is(await run('cat /dev/sd/sdctl'), DISKS.map((d) => `${d.disk} ${d.controller}\n`).join(''));
  const columns = /^ *(\d+) +0 (sd\w+) (\d+) \d+ (\d+) \d+ (\d+) \d+ (\d+) \d+ 0 /gm;
  const counted = [...(await run('cat /proc/diskstats')).matchAll(columns)];
  t.deepEqual(
    counted.map(([, major, disk]) => `${major} ${disk}`),
    ['8 sdC0', '3 sdD0', '252 sdF0'],
  );
  for (const [line, , , reads, readSectors, writes, writeSectors] of counted) {
    t.true(Number(readSectors) >= Number(reads) && Number(reads) > 20, line);
    t.true(Number(writeSectors) > (1.2 * 2 ** 20) / 512 && Number(writes) > 10, line);
  }
  return wanted;
}

/** Each driver is killed, the next one when the one before runs again. */
async function killInTurn(os: Atoll): Promise<void> {
  for (const { controller } of DISKS) {
    await os.exec(`kill -9 $(pgrep '^${controller}')`);
    while (!os.log.some((line) => line.includes(`${controller}: runs again`))) await os.pause(5);
  }
}

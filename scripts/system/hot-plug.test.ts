// Disks that are plugged in and pulled out while programs write to them: who has files there gets EIO, and
// what was fsynced is there when the disk is back.

import { join } from 'node:path';
import test from 'ava';
import { type Atoll, boot } from '../../index.ts';
import { diskName } from '../../kernel/abi/disk/controllers.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';

/** Appends lines to a log and fsyncs each, until one fails; how many were safe, and the error. */
async function write(
  os: Atoll,
  { disk, busy }: { disk: string; busy: () => void },
): Promise<{ safe: number; code: unknown }> {
  const log = await os.fs.open(`/mnt/${disk}/log`, 'a');
  for (let safe = 0; ; safe++) {
    try {
      await log.write(`line ${safe}\n`);
      await log.sync();
    } catch (error) {
      await log.close().catch(() => undefined); // it tells the same error again
      return { safe, code: (error as { code?: unknown }).code };
    }
    if (safe === 2) busy();
  }
}

async function run(os: Atoll, script: string): Promise<string> {
  const { status, stdout, stderr } = await os.exec(script);
  if (status !== 0) throw new Error(`${script}: ${status} ${stderr}`);
  return stdout;
}

const pulledOut = test.macro({
  async exec(t, controller: 'ahci' | 'virtio') {
    t.timeout(240_000);
    await using dir = await tempDir();
    const [first, second] = [join(dir.path, 'first.img'), join(dir.path, 'second.img')];
    if (!(await makeExt4(first, 8)) || !(await makeExt4(second, 16))) {
      t.log('no mkfs.ext4 here: skipped');
      return t.pass();
    }
    {
      await using os = await boot({ disks: [{ file: first, controller }] });
      const [sd0, sd1] = [diskName(controller, 0), diskName(controller, 1)];
      t.is(await os.attachDisk({ file: second, controller }), sd1);
      t.is(
        await run(os, `disk; df /mnt/${sd1} | tail -1 | cut -d " " -f 1`),
        `${sd0} ${controller}\n${sd1} ${controller}\n/dev/sd/${sd1}/part/0\n`,
      );
      await t.throwsAsync(os.attachDisk({ file: second, controller }), { code: 'EBUSY' });
      let safe = 0;
      for (let round = 0; round < 3; round++) {
        const begun = os.log.length;
        let writing: ReturnType<typeof write> | undefined;
        await new Promise<void>((busy) => {
          writing = write(os, { disk: sd1, busy });
        });
        if (round === 1) await run(os, `disk detach ${sd1}`);
        else if (round === 2) await run(os, `echo detach > /dev/sd/${sd1}/ctl`);
        else await os.detachDisk(sd1);
        const written = await writing;
        t.is(written?.code, 'EIO');
        safe += written?.safe ?? 0;
        t.like(await os.exec(`cat /mnt/${sd1}/log; ls /dev/sd`), {
          stdout: `${sd0}\nsdctl\n`,
        });
        const said = os.log.slice(begun).map((line) => line.replace(/^.*\] /, ''));
        const underWay =
          /write-back of \d+ bytes at \d+ failed|: the (disk was pulled out|(port|device) is gone)$/;
        t.deepEqual(
          said.filter((line) => !underWay.test(line)),
          [
            `ext4fs_1 ${sd1}: its disk is pulled out, what it served fails with EIO`,
            `${sd1}: was pulled out`,
          ],
        );
        if (round === 0) await run(os, `kill -9 $(pgrep '^${controller}')`);
        await run(os, `disk attach ${sd1}`);
        const lines = (await run(os, `cat /mnt/${sd1}/log`)).split('\n').length - 1;
        t.true(lines >= safe && lines <= safe + 1, `${lines} lines, ${safe} of them fsynced`);
        safe = lines;
      }
      const { stderr } = await os.exec(
        `disk detach sdC9; disk attach sdD0; disk attach ${sd1}; disk eject`,
      );
      t.deepEqual(stderr.match(/disk: .*/g), [
        'disk: cannot detach sdC9: No such device or address',
        'disk: cannot attach sdD0: No such device or address',
        `disk: cannot attach ${sd1}: Device or resource busy`,
        "disk: unknown command 'eject'",
      ]);
      await os.shutdown();
    }
    t.is(fsck(first), '');
    t.is(fsck(second), '');
  },
  title: (_, controller) =>
    `a disk of ${controller} that is pulled out under a writer gives EIO, and has all that was fsynced when it is back`,
});
test(pulledOut, 'ahci');
test(pulledOut, 'virtio');

test('a controller without disks gets its driver with the first one; an IDE disk stays where it is', async (t) => {
  t.timeout(120_000);
  await using dir = await tempDir();
  const [ide, sata] = [join(dir.path, 'ide.img'), join(dir.path, 'sata.img')];
  if (!(await makeExt4(ide, 8)) || !(await makeExt4(sata, 8))) return t.pass();
  const hashes: (string | undefined)[] = [];
  for (let i = 0; i < 2; i++) {
    const mode = 'overlay';
    await using os = await boot({ disks: [{ file: ide, controller: 'ide', mode }], seed: 7 });
    t.is(await os.attachDisk({ file: sata, mode }), 'sdC0');
    await os.fs.writeFile('/mnt/sdC0/f', 'text');
    await os.exec('sync');
    await t.throwsAsync(os.detachDisk('sdD0'), { code: 'EOPNOTSUPP' });
    const more = { file: sata, mode, controller: 'ide' } as const;
    await t.throwsAsync(os.attachDisk(more), { message: /ide: disks are not plugged in/ });
    await os.detachDisk('sdC0');
    await t.throwsAsync(os.fs.readFile('/mnt/sdC0/f'), { code: 'EIO' });
    await os.fs.writeFile('/dev/sd/sdctl', 'attach sdC0');
    t.is(await os.fs.readFile('/mnt/sdC0/f', 'utf8'), 'text');
    await os.shutdown();
    hashes.push(os.hash);
  }
  t.is(hashes[0], hashes[1], 'a repeatable run repeats it');
});

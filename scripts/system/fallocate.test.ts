// Claims about reserving room and punching holes on a booted machine: what programs and the library see,
// on ext4 and on tmpfs, through the page cache; e2fsck finds the volume whole.

import { join } from 'node:path';
import test from 'ava';
import { boot } from '../../index.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';

const MIB = 2 ** 20;

test('room is reserved, taken away and zeroed, as programs see it', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'disk');
  if (!(await makeExt4(file, 64))) return t.pass('no mke2fs here: skipped');
  await using os = await boot({ disks: [{ file }] });
  const run = async (script: string): Promise<string> => {
    const { stdout, stderr, status } = await os.exec(`cd /mnt/sdC0; ${script}`);
    return `${stdout}${stderr}${status === 0 ? '' : `status ${status}\n`}`;
  };
  t.is(await run('fallocate -l 4M f; stat -c "%s %b" f'), `${4 * MIB} 8192\n`);
  t.is(await run('fallocate -n -l 8M f; stat -c "%s %b" f'), `${4 * MIB} 16384\n`);
  t.is(await run('cmp -n 4M f /dev/zero && echo zeroes'), 'zeroes\n');
  await run('yes 0123456789abcde | head -c 1M > g; cp g h; md5sum g > sums');
  t.is(await run('fallocate -p -o 100K -l 200K g; stat -c "%s" g'), `${MIB}\n`);
  t.is(await run('cmp -n 102400 g h; cmp -i 307200 g h && echo same'), 'same\n');
  t.is(
    await run('tail -c +102401 g | head -c 204800 | cmp -n 204800 - /dev/zero && echo hole'),
    'hole\n',
  );
  t.is(
    await run(
      'sync; fallocate -z -o 10001 -l 50001 g; head -c 10001 g | cmp -n 10001 - h && echo before',
    ),
    'before\n',
  );
  t.is(
    await run(
      'tail -c +60003 g | head -c 1000 | od -c | head -1 | cut -c9-24; tail -c +60003 h | head -c 1000 | od -c | head -1 | cut -c9-24 | uniq | wc -l',
    ),
    `${await run('tail -c +60003 h | head -c 1000 | od -c | head -1 | cut -c9-24')}1\n`,
  );
  t.is(
    await run('head -c 1M /dev/zero > z; sync; fallocate -d z; stat -c "%s %b" z'),
    `${MIB} 0\n`,
  );
  t.is(await run('cp g g2; cmp g g2 && stat -c %b g2'), await run('stat -c %b g2'));
  t.regex(await run('fallocate -l 1G f'), /No space left on device\nstatus 1/);
  t.regex(await run('fallocate -l 0 f'), /invalid length/);
  t.regex(await run('fallocate -l 1M /proc/mounts'), /status 1/);
  t.is(await run('rm f g h z g2 sums; ls'), 'lost+found\n');
  await os.shutdown();
  t.is(fsck(file), '');
});

test('the library reserves, punches and finds holes, on ext4 and on tmpfs', async (t) => {
  await using dir = await tempDir();
  const file = join(dir.path, 'disk');
  const made = await makeExt4(file, 32);
  await using os = await boot(made ? { disks: [{ file }] } : {});
  for (const at of made ? ['/mnt/sdC0/f', '/tmp/f'] : ['/tmp/f']) {
    const handle = await os.fs.open(at, 'w+');
    await handle.write(new Uint8Array(MIB).fill(7), 0, MIB, 0);
    await handle.allocate({ offset: 256 * 1024, length: 256 * 1024 }, 'punch');
    t.is(await handle.seek(0, 'data'), 0);
    t.is(await handle.seek(0, 'hole'), 256 * 1024);
    t.is(await handle.seek(300 * 1024, 'data'), 512 * 1024);
    t.is(await handle.seek(600 * 1024, 'hole'), MIB);
    await t.throwsAsync(handle.seek(MIB, 'data'), { code: 'ENXIO' });
    const zeroes = new Uint8Array(1000);
    await handle.read(zeroes, 0, 1000, 400 * 1024);
    t.true(zeroes.every((byte) => byte === 0));
    await handle.allocate({ offset: 0, length: 4 * MIB });
    t.is((await handle.stat()).size, 4 * MIB);
    await handle.allocate({ offset: 0, length: 100_000 }, 'zero');
    t.is(
      (await os.fs.readFile(at)).findIndex((byte) => byte !== 0),
      100_000,
    );
    await t.throwsAsync(handle.allocate({ offset: 0, length: 0 }), { code: 'EINVAL' });
    await handle.close();
    const reader = await os.fs.open(at, 'r');
    await t.throwsAsync(reader.allocate({ offset: 0, length: 1 }), { code: 'EBADF' });
    await reader.close();
  }
  await os.shutdown();
  if (made) t.is(fsck(file), '');
});

// Files without names: deleted in many steps, or kept by who has them open, or left by a power cut.

import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { boot } from '../../index.ts';
import { atoll, fsck, host, makeExt4, startAtoll, tempDir } from '../testing/machine.ts';

/** Blocks that do not touch each other: an extent for each, far more than one step frees. */
const EXTENTS = 6000;

/** An image with the file, made once for all tests; undefined where mkfs.ext4 is not installed. */
const made = (async () => {
  const dir = await tempDir();
  const image = join(dir.path, 'scattered.img');
  if (!(await makeExt4(image, 64, ['-b', '1024']))) return undefined;
  await writeScatteredFile(image);
  return { dir, image, problems: fsck(image) };
})();
test.after.always(async () => (await made)?.dir[Symbol.asyncDispose]());

async function writeScatteredFile(image: string): Promise<void> {
  await using os = await boot({ disks: [{ file: image }] });
  await using file = await os.fs.open('/mnt/sdC0/f', 'w');
  const byte = Uint8Array.of(1);
  for (let i = 0; i < EXTENTS; i++) await file.write(byte, { position: i * 2048 });
}

const ends = test.macro({
  async exec(t, script: string, end: 'exit' | 'power cut') {
    await using dir = await tempDir();
    const image = join(dir.path, 't.img');
    const scattered = await made;
    if (scattered === undefined) {
      t.log('no e2fsprogs here: skipped');
      return t.pass();
    }
    t.is(scattered.problems, '');
    await copyFile(scattered.image, image);
    if (end === 'exit') t.like(await atoll(['--disk', image, '-c', script]), { status: 0 });
    else {
      const child = startAtoll(['--disk', image, '-c', `${script}; sync; echo ready; sleep 100`]);
      for await (const piece of child.stdout ?? []) {
        if (String(piece).includes('ready')) break;
      }
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      t.is((await atoll(['--disk', image, '-c', 'ls /mnt/sdC0'])).stdout, 'lost+found\n');
    }
    t.is(fsck(image), '');
    const header = host('dumpe2fs', ['-h', image])?.stdout ?? '';
    t.notRegex(header, /First orphan inode/);
  },
  title: (title) => title ?? '',
});
test('a scattered file is deleted to its end', ends, 'rm /mnt/sdC0/f', 'exit');
test(
  'one that is open lives until it is closed',
  ends,
  'exec 3< /mnt/sdC0/f; rm /mnt/sdC0/f; sync; test $(wc -c <&3) -gt 12000000; exec 3<&-',
  'exit',
);
test(
  'one that is open at a power cut is deleted at the next mount',
  ends,
  'exec 3< /mnt/sdC0/f; rm /mnt/sdC0/f',
  'power cut',
);
test('one that is being deleted at a power cut too', ends, 'rm /mnt/sdC0/f', 'power cut');
test(
  'a truncation goes on beside the deletion of a file that is open',
  ends,
  'exec 3<> /mnt/sdC0/f; : > /mnt/sdC0/f; rm /mnt/sdC0/f; echo x >&3; exec 3>&-',
  'exit',
);

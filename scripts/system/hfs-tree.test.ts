// A tree of files (ATOLL_FOLDERS=10: of 1,000) goes onto HFS and HFS Plus and comes out equal, through the caches and past them; the
// check finds nothing, and hfsutils and 7-Zip read the same bytes.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { newVolume, problemsOf } from '../../daemons/hfsd/testing.ts';
import { boot } from '../../index.ts';
import { have, withImage } from '../testing/hfs-tools.ts';
import { tempDir } from '../testing/machine.ts';

const FOLDERS = Number(process.env['ATOLL_FOLDERS'] ?? 2);

const FILL = `set -e
mkdir /tmp/t; cd /tmp/t
for d in ${Array.from({ length: FOLDERS }, (_, i) => i).join(' ')}; do
  mkdir "folder $d"
  (cd "folder $d"; seq $((d * 20000)) $((d * 20000 + 19999)) | split -a 3 -l 200)
done
for disk in sdC0 sdC1; do cp -r /tmp/t /mnt/$disk/t; done
sync; echo 3 > /proc/sys/vm/drop_caches
for at in /tmp /mnt/sdC0 /mnt/sdC1; do (cd $at/t; (ls -R; cat */*) | cksum); done | sort -u | wc -l
find /mnt/sdC1/t -type f | wc -l; rm -r /mnt/sdC1/t/"folder 0"`;

/** What split puts into the file with this number in a folder. */
const content = (folder: number, file: number): string =>
  Array.from({ length: 200 }, (_, i) => `${folder * 20_000 + file * 200 + i}\n`).join('');

test(`a tree of ${FOLDERS}00 files goes in and comes out, for us and for others`, async (t) => {
  await using dir = await tempDir();
  const [hfs, plus] = [join(dir.path, 'hfs.img'), join(dir.path, 'plus.img')];
  writeFileSync(hfs, newVolume({ kind: 'hfs', sizeBytes: 16 << 20 }));
  writeFileSync(plus, newVolume({ kind: 'hfs+', sizeBytes: 24 << 20, journalBytes: 1 << 20 }));
  {
    await using os = await boot({ disks: [{ file: hfs }, { file: plus }] });
    t.like(await os.exec(FILL), { status: 0, stderr: '', stdout: `1\n${FOLDERS}00\n` });
    await os.shutdown();
  }
  const images = [hfs, plus].map((file) => new Uint8Array(readFileSync(file)));
  for (const image of images) t.deepEqual(problemsOf(image), []);
  const [classic = new Uint8Array(0), other = new Uint8Array(0)] = images;
  const due = createHash('sha256');
  for (let i = 0; i < 100; i++) due.update(content(1, i));
  const sum = due.digest('hex');
  if (have('hcopy')) {
    const script = `hmount image > /dev/null; hls -1 ':t:folder 1' > list; mkdir out
      hcopy -r ':t:folder 1:*' out; cat out/* | sha256sum; wc -l < list`;
    t.is(`${withImage(classic, script)}`.replace(/\s+-?\s*/g, ' ').trim(), `${sum} 100`);
  }
  if (have('7z')) {
    const script =
      "7z x -oout image 'Test/t/folder 1' > /dev/null; cat out/Test/t/folder?1/* | sha256sum";
    t.is(`${withImage(other, script)}`.slice(0, 64), sum);
  }
});

// The atoll process killed in the middle of writing, which to its disk is a power cut: the next boot
// replays the journal, e2fsck finds nothing, and what was fsynced is whole.

import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { integersFrom } from '../../kernel/ipc/random.ts';
import { testSeed } from '../../kernel/ipc/testing/seed.ts';
import { atoll, fsck, host, makeExt4, sha256, startAtoll, tempDir } from '../testing/machine.ts';

const ROUNDS = Number(process.env['ATOLL_ROUNDS'] ?? 4);

/** Writes files for ever; says `done NAME` when one is on the disk. Other work goes on beside it. */
const script = (round: number): string => `
  cd /mnt/sdC0 || exit 9
  (while :; do seq 1 3000 > noise; mv noise moved; mkdir -p d/e; ln -f moved d/e/l; rm -r d; done) &
  i=0
  while :; do
    seq $i $((i * 37 + 900)) | dd of=r${round}-$i conv=fsync status=none && echo done r${round}-$i
    i=$((i + 1))
  done`;

function contents(name: string): string {
  const i = Number(name.split('-')[1]);
  const lines = Array.from({ length: i * 37 + 900 - i + 1 }, (_, k) => `${i + k}\n`);
  return lines.join('');
}

/** Runs the script until `kills` files are safe, then kills the process; the names of the safe ones. */
async function runAndKill(image: string, round: number, afterFiles: number): Promise<string[]> {
  const child = startAtoll(['--disk', image, '-c', script(round)]);
  const ended = new Promise((resolve) => child.once('close', resolve));
  let text = '';
  for await (const piece of child.stdout ?? []) {
    text += String(piece);
    if (text.split('\n').length > afterFiles) child.kill('SIGKILL');
  }
  await ended;
  return [...text.matchAll(/^done (\S+)$/gm)].map(([, name = '']) => name);
}

test('killed while writing: the journal is replayed, all is clean, what was fsynced is whole', async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  if (!(await makeExt4(image, 64))) {
    t.log('no e2fsprogs here: skipped');
    return t.pass();
  }
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const random = integersFrom(seed);
  const safe: string[] = [];
  let replays = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const names = await runAndKill(image, round, 1 + random(12));
    t.true(names.length > 0);
    safe.push(...names);
    const header = host('dumpe2fs', ['-h', image])?.stdout ?? '';
    if (header.includes('needs_recovery')) replays++;
    const theirs = join(dir.path, 'theirs.img');
    await copyFile(image, theirs);
    host('e2fsck', ['-fy', theirs]);
    const sums = (await atoll(['--disk', image, '-c', 'cd /mnt/sdC0 && sha256sum r*'])).stdout;
    for (const name of safe) {
      t.true(sums.includes(`${sha256(contents(name))}  ${name}\n`), `${name} in round ${round}`);
      const dumped = host('debugfs', ['-R', `cat ${name}`, theirs])?.stdout;
      t.is(dumped, contents(name), `${name} by debugfs in round ${round}`);
    }
    t.is(fsck(image), '', `round ${round}`);
  }
  t.true(replays > 0);
  t.log(`${safe.length} files were safe, ${replays} of ${ROUNDS} images needed recovery`);
});

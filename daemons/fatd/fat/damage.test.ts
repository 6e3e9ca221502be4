// Damaged volumes: bytes of boot sector, table and directories are changed at random, and the volume is
// mounted, walked and written to. Whatever comes is an errno; nothing hangs, nothing throws anything else.

import test from 'ava';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { integersFrom } from '../../../kernel/ipc/random.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { haveDosfstools, mkfsFat } from '../../../scripts/testing/dosfstools.ts';
import { bootVolume } from '../../lib/testing/boot.ts';
import { TestClient } from '../../lib/testing/client.ts';
import { Machine } from '../../lib/testing/machine.ts';
import { mountFat } from './mount.ts';
import { openVolume } from './volume/geometry.ts';

const ROUNDS = Number(process.env['ATOLL_MUTATIONS'] ?? 60);
const SEED = testSeed();

const OUTCOMES = /^no such file|^a short write|^behind the end/;

/** What a client that meets a damaged volume may see: an errno, or a missing name. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    const allowed = error instanceof PosixError || OUTCOMES.test((error as Error).message);
    if (!allowed) throw error;
  }
}

function fill(image: Uint8Array): void {
  const { fs } = bootVolume({ format: mountFat, image });
  for (const dir of ['a', 'a/A folder with a long name', 'b']) fs.mkdir(dir);
  for (const name of ['file', 'a/another file', 'a/A folder with a long name/deep', 'b/B.TXT']) {
    const fid = fs.create(name);
    fs.write(fid, 0, new Uint8Array(9000).fill(7));
    fs.clunk(fid);
  }
  fs.detach();
}

/** Changes some bytes of the structures; data is left alone. */
function damage(image: Uint8Array, random: (below: number) => number): void {
  const { fatStart, rootStart, dataStart } = openVolume(image, image.length);
  for (let i = random(6); i >= 0; i--) {
    const places = [
      random(90),
      fatStart + random(200),
      rootStart + random(512),
      dataStart + random(6000),
    ];
    const at = places[random(places.length)] ?? 0;
    image[at] = random(3) === 0 ? 0xff : random(256);
  }
}

function use(image: Uint8Array): void {
  const machine = new Machine({ format: mountFat, image, cacheBytes: 1 << 20 });
  attempt(() => {
    machine.mount();
    const fs = new TestClient(machine);
    fs.attach();
    const walk = (dir: string, depth: number): void => {
      for (const name of fs.list(dir)) {
        const path = `${dir}/${name}`;
        attempt(() => {
          const fid = fs.open(path, 0);
          fs.getattr(fid);
          fs.read(fid, 0, 100_000);
          fs.clunk(fid);
        });
        if (depth < 4) attempt(() => walk(path, depth + 1));
      }
    };
    attempt(() => walk('', 0));
    for (const dir of ['', 'a', 'b']) {
      attempt(() => fs.write(fs.create(`${dir}/new file`), 20_000, new Uint8Array(5000)));
      attempt(() => fs.mkdir(`${dir}/new directory`));
      attempt(() => fs.rename(`${dir}/new file`, 'b/moved'));
    }
    attempt(() => fs.unlink('file'));
    attempt(() => fs.unlink('a/another file'));
    attempt(() => fs.truncate(fs.open('b/B.TXT'), 100));
    attempt(() => fs.unlink('b', 'directory'));
    attempt(() => fs.detach());
  });
}

const survives = test.macro({
  exec(t, sizeBytes: number, bits: string) {
    if (!haveDosfstools()) {
      t.log('no dosfstools here: skipped');
      return t.pass();
    }
    t.log(`ATOLL_SEED=${SEED}`);
    const golden = mkfsFat(sizeBytes, ['-F', bits]);
    fill(golden);
    const random = integersFrom(SEED + sizeBytes);
    for (let i = 0; i < ROUNDS; i++) {
      const image = golden.slice();
      damage(image, random);
      t.notThrows(() => use(image), `round ${i}`);
    }
  },
  title: (_, _size: number, bits: string) =>
    `a damaged FAT${bits} volume answers errnos and goes on`,
});
test(survives, 1440 * 1024, '12');
test(survives, 9 << 20, '16');
test(survives, 34 << 20, '32');

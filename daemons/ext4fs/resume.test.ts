// A volume's worker dies and another one takes over its block cache: what was answered is there,
// and reaches the disk, though nobody had synced it.

import test, { type ExecutionContext } from 'ava';
import { fsck, haveE2fsprogs, mke2fs } from '../../scripts/testing/e2fsprogs.ts';
import { TestClient } from '../lib/testing/client.ts';
import { Machine } from '../lib/testing/machine.ts';
import { mountExt4 } from './mount.ts';
import { seeded } from './testing.ts';

const SEED = Number(process.env['ATOLL_SEED'] ?? 92);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function use(machine: Machine): TestClient {
  machine.mount();
  const fs = new TestClient(machine);
  fs.attach();
  return fs;
}

function check(t: ExecutionContext, fs: TestClient, files: ReadonlyMap<string, Uint8Array>): void {
  t.deepEqual(fs.list('/'), [...files.keys(), 'lost+found'].sort());
  for (const [name, data] of files) {
    const fid = fs.open(name, 0);
    t.true(same(fs.read(fid), data), name);
    fs.clunk(fid);
  }
}

const resumes = test.macro({
  exec(t, args: string[]) {
    if (!haveE2fsprogs()) {
      t.log('no e2fsprogs here: skipped');
      return t.pass();
    }
    t.log(`seed ${SEED} (ATOLL_SEED)`);
    const random = seeded(SEED);
    const image = mke2fs(16 << 20, args);
    const files = new Map<string, Uint8Array>();
    const options = { image, format: mountExt4, cacheBytes: 2 << 20 };
    let machine = new Machine(options);
    let fs = use(machine);
    for (let life = 0; life < 8; life++) {
      for (let i = 0; i < 20; i++) {
        const name = `f${random() % 30}`;
        if (files.has(name) && random() % 2 === 0) {
          fs.unlink(name);
          files.delete(name);
          continue;
        }
        const fid = files.has(name) ? fs.open(name) : fs.create(name);
        const data = new Uint8Array(1 + (random() % 9000)).fill(random());
        fs.truncate(fid, 0);
        fs.write(fid, 0, data);
        files.set(name, data);
        if (random() % 9 === 0) fs.fsync(fid);
        if (random() % 17 === 0) machine.advance(6000);
        fs.clunk(fid);
      }
      machine = new Machine({ ...options, after: machine }); // the worker dies
      fs = use(machine);
      check(t, fs, files);
    }
    const late = new Machine({ image: image.slice(), format: mountExt4 }); // and now the power
    check(t, use(late), files);
    fs.detach();
    t.is(fsck(image).status, 0, fsck(image).output);
  },
  title: (_, args: string[]) =>
    `the next worker goes on where the last one died: ${args.join(' ')}`,
});
test(resumes, ['-t', 'ext4', '-b', '1024', '-J', 'size=1']);
test(resumes, ['-t', 'ext4', '-b', '4096', '-J', 'size=4']);
test(resumes, ['-t', 'ext2', '-b', '1024']);

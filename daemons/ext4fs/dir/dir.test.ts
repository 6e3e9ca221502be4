// Large directories: cost of an operation, scans that others change meanwhile, all index shapes.

import test, { type ExecutionContext } from 'ava';
import { AT_REMOVEDIR } from '../../../kernel/ninep/types.ts';
import { debugfs, fsck, haveE2fsprogs, mke2fs } from '../../../scripts/testing/e2fsprogs.ts';
import { without } from '../../../scripts/testing/skip.ts';
import { seeded, TestFs, TestImage } from '../testing.ts';
import { hashName, hashVersion } from './hash.ts';

const COUNT = Number(process.env['ATOLL_DIR_ENTRIES'] ?? 30_000);

const missing = without('e2fsprogs', haveE2fsprogs);

const mount = (sizeBytes: number, args: string[]): TestFs =>
  new TestFs(new TestImage(mke2fs(sizeBytes, args)));

const clean = (t: ExecutionContext, mounted: TestFs): void => {
  mounted.unmount();
  const { status, output } = fsck(mounted.image.bytes);
  t.is(status, 0, output);
};

test(`a directory of ${COUNT} names changes few blocks for each, however large it is`, (t) => {
  if (missing(t)) return;
  const mounted = mount(128 << 20, ['-t', 'ext4', '-b', '4096', '-N', `${COUNT + 2000}`]);
  const { fs, image } = mounted;
  mounted.mkdir('/d');
  const dir = mounted.at('/d');
  const name = (i: number): string => `some-file-${i}.txt`;
  let most = 0;
  for (let i = 0; i < COUNT; i++) {
    const request = { name: name(i), flags: 0, mode: 0o644, gid: 0 };
    mounted.run((tx) => fs.create(tx, dir, request));
    most = Math.max(most, image.lastEdits);
  }
  t.true(most <= 16, `${most} blocks changed by one create`);
  const names = mounted.list(dir, 500).map((entry) => entry.name);
  t.is(names.length, COUNT);
  t.is(new Set(names).size, COUNT);
  for (let i = 0; i < COUNT; i += 997) t.truthy(mounted.run((tx) => fs.walk(tx, dir, name(i))));
  t.is(
    mounted.run((tx) => fs.walk(tx, dir, 'not there')),
    undefined,
  );
  t.true(image.runs < image.requests + COUNT / 10, 'few requests miss a block');
  clean(t, mounted);
  most = 0;
  for (let i = 0; i < COUNT; i++) {
    mounted.run((tx) => fs.unlink(tx, dir, name(i), 0));
    most = Math.max(most, image.lastEdits);
  }
  t.true(most <= 8, `${most} blocks changed by one unlink`);
  t.deepEqual(mounted.names(dir), []);
  mounted.unlink('/d', AT_REMOVEDIR);
  clean(t, mounted);
});

const scans = test.macro({
  exec(t, args: string[]) {
    if (missing(t)) return;
    const seed = Number(process.env['ATOLL_SEED'] ?? Date.now() % 1_000_000);
    t.log(`ATOLL_SEED=${seed}`);
    const random = seeded(seed);
    const mounted = mount(32 << 20, args);
    const { fs } = mounted;
    mounted.mkdir('/d');
    const dir = mounted.at('/d');
    for (let round = 0; round < 12; round++) {
      const kept = new Set<string>();
      for (let i = 0; i < round * 12; i++) {
        kept.add(`kept-${round}-${i}`);
        mounted.create(`/d/kept-${round}-${i}`);
      }
      const seen: string[] = [];
      let doomed: string[] = [];
      let serial = 0;
      for (let offset = 0, more = true; more; ) {
        const batch = 1 + (random() % 20);
        let next = offset;
        const got: string[] = [];
        mounted.run((tx) => {
          got.length = 0;
          fs.readdir(tx, dir, offset, {
            add(entry) {
              if (got.length === batch) return false;
              got.push(entry.name);
              next = entry.offset;
              return true;
            },
          });
        });
        more = next !== offset;
        offset = next;
        seen.push(...got);
        for (let i = serial < 2500 ? random() % 30 : 0; i > 0; i--) {
          const name = `extra-${round}-${serial++}-${'y'.repeat(random() % 60)}`;
          mounted.create(`/d/${name}`);
          doomed.push(name);
        }
        while (doomed.length > 300) mounted.unlink(`/d/${doomed.shift()}`);
      }
      const counts = new Map<string, number>();
      for (const name of seen) counts.set(name, (counts.get(name) ?? 0) + 1);
      const wrong = [...kept].filter((name) => counts.get(name) !== 1);
      t.deepEqual(wrong, []);
      doomed = doomed.concat([...kept]);
      for (const name of doomed) mounted.unlink(`/d/${name}`);
    }
    clean(t, mounted);
  },
  title: (_, args: string[]) =>
    `what is there during a whole scan comes exactly once: ${args.join(' ')}`,
});
test(scans, ['-t', 'ext4', '-b', '1024']);
test(scans, ['-t', 'ext4', '-b', '4096']);
test(scans, ['-t', 'ext2', '-O', '^dir_index']);

/** More than two levels of an index of 1 KiB blocks hold. */
const LINKS = 50_000;

test('an index of three levels, with large_dir', (t) => {
  if (missing(t)) return;
  const mounted = mount(96 << 20, ['-t', 'ext4', '-b', '1024', '-O', 'large_dir', '-N', '70000']);
  const { fs } = mounted;
  mounted.mkdir('/d');
  const [dir, ino] = [mounted.at('/d'), mounted.create('/0')];
  // Links to one file: long names fill the leaves, three to a block.
  const name = (i: number): string => `${i}-${'long'.repeat(60)}`;
  for (let i = 0; i < LINKS; i++) mounted.run((tx) => fs.link(tx, dir, ino, name(i)));
  const out = debugfs(mounted.image.bytes, ['htree /d']);
  t.regex(out, /Indirect levels: 2/);
  t.is(mounted.names(dir).length, LINKS);
  for (let i = 0; i < LINKS; i += 501)
    t.is(
      mounted.run((tx) => fs.walk(tx, dir, name(i))),
      ino,
    );
  clean(t, mounted);
});

const hashes = test.macro({
  exec(t, hash: string, version: number) {
    if (missing(t)) return;
    const mounted = mount(8 << 20, ['-t', 'ext4']);
    const { volume } = mounted;
    const seedText = [...volume.hashSeed]
      .flatMap((word) =>
        [0, 8, 16, 24].map((s) => ((word >>> s) & 255).toString(16).padStart(2, '0')),
      )
      .join('');
    const uuid = seedText.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    for (const text of ['a', 'hello', 'x'.repeat(31), 'x'.repeat(33), 'y'.repeat(255), 'grün']) {
      const out = debugfs(mounted.image.bytes, [`dx_hash -h ${hash} -s ${uuid} ${text}`]);
      const [, major, minor] = /is 0x(\w+) \(minor 0x(\w+)\)/.exec(out) ?? [];
      const name = new TextEncoder().encode(text);
      const got = hashName(volume, version, name);
      t.is(got.major, Number.parseInt(major ?? '', 16), `${text}: ${out}`);
      if (version !== 0 && version !== 3) t.is(got.minor, Number.parseInt(minor ?? '', 16));
    }
    t.is(hashVersion({ ...volume, unsignedHash: true }, 1), 4);
  },
  title: (_, hash: string) => `the hash of a name is debugfs's: ${hash}`,
});
test(hashes, 'half_md4', 1);
test(hashes, 'tea', 2);
test(hashes, 'legacy', 0);

test('names with bytes above 127 are in order for e2fsck with unsigned hashes too', (t) => {
  if (missing(t)) return;
  for (const flags of [1, 2]) {
    const bytes = mke2fs(16 << 20, ['-t', 'ext4', '-O', '^metadata_csum']);
    bytes[1024 + 0x160] = flags;
    const mounted = new TestFs(new TestImage(bytes));
    mounted.mkdir('/d');
    for (let i = 0; i < 1000; i++) mounted.create(`/d/grün-${i}-ÿé`);
    t.is(mounted.names(mounted.at('/d')).length, 1000);
    clean(t, mounted);
  }
});

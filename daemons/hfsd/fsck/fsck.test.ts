// Claims about fsck: what is damaged is told, what is told is repaired, and what was not damaged is kept.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { EINVAL, PosixError } from '../../../kernel/abi/errno.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { have, withImage } from '../../../scripts/testing/hfs-tools.ts';
import { seeded } from '../../ext4fs/testing.ts';
import { imageMedium } from '../../lib/memory/image-medium.ts';
import type { TestClient } from '../../lib/testing/client.ts';
import { mounted, type NewVolume, newVolume } from '../testing.ts';
import { type FsckResult, fsck } from './fsck.ts';

const ROUNDS = Number(process.env['ATOLL_MUTATIONS'] ?? 12);
const SEED = testSeed();

const KINDS: readonly NewVolume[] = [
  { kind: 'hfs', sizeBytes: 1 << 20 },
  { kind: 'hfs+', sizeBytes: 2 << 20, blockSize: 512 },
  { kind: 'hfs+', sizeBytes: 4 << 20, journalBytes: 128 * 1024, caseSensitive: true },
];

const run = (image: Uint8Array, mode: 'look' | 'repair'): FsckResult =>
  fsck(imageMedium(image), { mode, world: { nowSec: 1_760_000_000, random: () => 7 } });

const content = (i: number): Uint8Array =>
  new Uint8Array(500 + i * 97).map((_, k) => (k + 31 * i) & 0xff);

/** A volume with 60 files in six folders, one of them in many pieces. */
function filled(volume: NewVolume): Uint8Array {
  const image = newVolume(volume);
  const { client } = mounted(volume.kind, image);
  for (let i = 0; i < 60; i++) {
    if (i % 10 === 0) client.mkdir(`folder ${i / 10}`);
    const fid = client.create(`folder ${Math.floor(i / 10)}/file ${i}`);
    client.write(fid, 0, content(i));
    client.clunk(fid);
  }
  const pieces = [client.create('pieces'), client.create('more pieces')];
  for (let i = 0; i < 24; i++) {
    for (const fid of pieces) client.write(fid, i * 1024, new Uint8Array(1024).fill(i));
    client.fsync(pieces[0] ?? 0);
  }
  for (const fid of pieces) client.clunk(fid);
  if (volume.kind === 'hfs+') {
    client.link('folder 0/file 1', 'hard link');
    client.setxattr('folder 0/file 2', 'user.note', content(3));
    client.setxattr('folder 0/file 3', 'user.large', content(60));
  }
  client.detach();
  return image;
}

const GOLDEN = new Map(KINDS.map((volume) => [volume, filled(volume)]));
const golden = (volume: NewVolume): Uint8Array => (GOLDEN.get(volume) ?? filled(volume)).slice();

/** Names of the files that are there, wherever; those with other content are counted. */
function survey(kind: NewVolume['kind'], image: Uint8Array): { whole: number; other: number } {
  const { client, machine } = mounted(kind, image);
  const found = { whole: 0, other: 0 };
  for (const dir of client.list('')) {
    if (!/^(folder|lost)/.test(dir)) continue;
    for (const name of client.list(dir)) {
      const number = /^file (\d+)$/.exec(name)?.[1];
      if (number === undefined) continue;
      found[isWhole(client, `${dir}/${name}`, Number(number)) ? 'whole' : 'other']++;
    }
  }
  // No damage, and left as they are: a lock, a journal that is elsewhere or not begun.
  if (!/locked|another device|never begun/.test(machine.log.join()))
    client.clunk(client.create('a new file'));
  client.detach();
  return found;
}

/** False for one whose mode says that it is no file: no check can tell that it was one. */
function isWhole(client: TestClient, path: string, number: number): boolean {
  const fid = client.open(path, 0);
  try {
    return Buffer.compare(client.read(fid), content(number)) === 0;
  } catch (error) {
    if (error instanceof PosixError && error.errno === EINVAL) return false;
    throw error;
  } finally {
    client.clunk(fid);
  }
}

interface Damage {
  readonly what: string;
  readonly at: (view: DataView, plus: boolean) => void;
  readonly told: RegExp;
  /** Files that must still be there. */
  readonly kept: number;
}

const HEADER = 1024;
/** Where the catalog begins, in bytes. */
function catalogAt(view: DataView, plus: boolean): number {
  if (plus) return view.getUint32(HEADER + 272 + 16) * view.getUint32(HEADER + 40);
  return (
    view.getUint16(HEADER + 28) * 512 + view.getUint16(HEADER + 150) * view.getUint32(HEADER + 20)
  );
}
const nodeSize = (view: DataView, plus: boolean): number =>
  view.getUint16(catalogAt(view, plus) + 14 + 18);
function leafAt(view: DataView, plus: boolean): number {
  const at = catalogAt(view, plus);
  return at + view.getUint32(at + 14 + 10) * nodeSize(view, plus);
}

const DAMAGES: readonly Damage[] = [
  {
    what: 'the header overwritten',
    at: (view) => new Uint8Array(view.buffer, HEADER, 512).fill(0x5a),
    told: /^header: .*alternate/m,
    kept: 60,
  },
  {
    what: 'the alternate header overwritten',
    at: (view) => new Uint8Array(view.buffer, view.byteLength - 1024, 512).fill(0),
    told: /^alternate header/m,
    kept: 60,
  },
  {
    what: 'a wrong count of free blocks',
    at: (view, plus) => (plus ? view.setUint32(HEADER + 48, 9) : view.setUint16(HEADER + 34, 9)),
    told: /9 free blocks/,
    kept: 60,
  },
  {
    what: 'a bitmap of zeroes',
    at: (view, plus) => {
      const at = plus ? view.getUint32(HEADER + 112 + 16) * view.getUint32(HEADER + 40) : 3 * 512;
      new Uint8Array(view.buffer, at, 64).fill(0);
    },
    told: /in use count as free/,
    kept: 60,
  },
  {
    what: "the catalog's root gone",
    at: (view, plus) => {
      const at = catalogAt(view, plus);
      view.setUint32(at + 14 + 2, 0x7777);
    },
    told: /^catalog: node/m,
    kept: 60,
  },
  {
    what: "the catalog's header node overwritten",
    at: (view, plus) => new Uint8Array(view.buffer, catalogAt(view, plus), 256).fill(0),
    told: /^catalog: /m,
    kept: 60,
  },
  {
    what: 'a leaf that is lost',
    at: (view, plus) => new Uint8Array(view.buffer, leafAt(view, plus), 14).fill(0xff),
    told: /^catalog: node/m,
    kept: 30,
  },
  {
    what: 'links of a leaf',
    at: (view, plus) => view.setUint32(leafAt(view, plus) + 4, 77),
    told: /its links/,
    kept: 60,
  },
];

const repairs = test.macro({
  exec(t, volume: NewVolume, { at, told, kept }: Damage) {
    const image = golden(volume);
    t.deepEqual(run(image, 'look').problems, []);
    at(new DataView(image.buffer), volume.kind === 'hfs+');
    const damaged = image.slice();
    const looked = run(image, 'look');
    t.regex(looked.problems.join('\n'), told);
    t.is(Buffer.compare(image, damaged), 0, 'a look changes nothing');
    const { problems, left } = run(image, 'repair');
    t.deepEqual(problems, looked.problems);
    t.deepEqual(left, []);
    const { whole, other } = survey(volume.kind, image);
    t.true(whole >= kept && other === 0, `${whole} files are whole, ${other} are not`);
    t.deepEqual(run(image, 'look').problems, []);
  },
  title: (_, volume: NewVolume, { what }: Damage) =>
    `${what} is repaired: ${JSON.stringify(volume)}`,
});
for (const volume of KINDS) for (const damage of DAMAGES) test(repairs, volume, damage);

const survives = test.macro({
  exec(t, volume: NewVolume) {
    const random = seeded(SEED);
    t.log(`ATOLL_SEED=${SEED}`);
    for (let round = 0; round < ROUNDS; round++) {
      const image = golden(volume);
      const view = new DataView(image.buffer);
      const catalog = catalogAt(view, volume.kind === 'hfs+');
      for (let i = random() % 8; i >= 0; i--) {
        const places = [HEADER + (random() % 162), catalog + (random() % 40_000)];
        image[places[random() % 2] ?? 0] = random() % 3 === 0 ? 0xff : random() & 0xff;
      }
      const { left } = run(image, 'repair');
      t.deepEqual(left, [], `round ${round}`);
      t.deepEqual(run(image, 'look').problems, [], `round ${round}`);
      t.notThrows(() => survey(volume.kind, image), `round ${round}`);
    }
  },
  title: (_, volume: NewVolume) => `whatever bytes change, fsck repairs: ${JSON.stringify(volume)}`,
});
for (const volume of KINDS) test(survives, volume);

test('a volume of hformat is clean, and what hfsutils did to it', (t) => {
  if (!have('hformat')) return t.pass('no hfsutils here: skipped');
  const script = `hformat -l Disk image > /dev/null; hmkdir ':folder'
    i=0; while [ $i -lt 200 ]; do echo "text $i" > f; hcopy -r f ":folder:file number $i"; i=$((i+1)); done
    i=0; while [ $i -lt 200 ]; do hdel ":folder:file number $i"; i=$((i+3)); done
    humount; cat image`;
  const image = new Uint8Array(withImage(new Uint8Array(2 << 20), script));
  const { problems, files, folders } = run(image, 'look');
  t.deepEqual([problems, files, folders], [[], 133, 1]);
});

test('hfsutils reads a volume that was repaired', (t) => {
  if (!have('hformat')) return t.pass('no hfsutils here: skipped');
  const [volume] = KINDS;
  if (volume === undefined) return t.fail();
  const image = golden(volume);
  new Uint8Array(image.buffer, catalogAt(new DataView(image.buffer), false), 256).fill(0);
  t.deepEqual(run(image, 'repair').left, []);
  const listed = withImage(
    image,
    "hmount image > /dev/null; hls -1 ':folder 3'; hcopy -r ':folder 3:file 33' -",
  );
  t.is(`${listed}`.split('\n').filter((line) => line.startsWith('file ')).length, 10);
  t.true(listed.includes(Buffer.from(content(33))));
});

for (const name of ['hfs', 'hfsplus', 'hfsx']) {
  test(`the image images/${name}.img.zst is clean`, (t) => {
    if (!have('zstd')) return t.pass('no zstd here: skipped');
    const file = new URL(`../../../../images/${name}.img.zst`, import.meta.url);
    const packed = new Uint8Array(readFileSync(file));
    const image = new Uint8Array(withImage(packed, 'zstd -dc image'));
    t.deepEqual(run(image, 'look').problems, []);
  });
}

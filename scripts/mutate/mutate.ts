// Damaged volumes by number: the same seed and number give the same damage. Fields of the metadata
// get values that hurt, and their checksums are put right, so that parsing goes deep.

import { seeded } from '../../daemons/ext4fs/testing.ts';
import { Rig } from '../../daemons/lib/memory/rig.ts';
import { windowsOf } from '../crash/disk/history.ts';
import { CrashImage } from '../crash/disk/image.ts';
import type { CrashFormat } from '../crash/format.ts';
import { formatNamed } from '../crash/formats.ts';
import { prepare, tell } from '../crash/prepare.ts';
import { opText, readWorkload } from '../crash/workload/language.ts';
import { catalogOf, type Target } from './catalog.ts';
import { type Exercised, exercise } from './exercise.ts';
import { exFatCatalogOf } from './exfat-catalog.ts';
import { fatCatalogOf } from './fat-catalog.ts';
import { hfsCatalogOf } from './hfs-catalog.ts';
import { mend, type Repair, type Repaired, seen } from './mend.ts';
import type { Readable } from './survivors.ts';

/** Files of every shape: index, deep map, attribute block, links of both kinds, orphans. */
const TREE = [
  'crowd A 40 n; symlink slow 200; symlink fast 20; link foo B/bar; setxattr foo user.b 400',
  ...Array.from({ length: 12 }, (_, i) => `write A/foo ${i * 4096} 1500`),
  'open A/C/foo; unlink A/C/foo; sync; create B/last; append B/last 3000; fsync B/last',
].join('; ');

const FIELDS_MAX = 3;
const CHUNK = 1024;

export interface Damaged {
  readonly what: readonly string[];
  readonly outcome?: Exercised;
  readonly bug?: unknown;
}

export interface Mended {
  readonly what: readonly string[];
  readonly repaired?: Repaired;
  readonly bug?: unknown;
}

interface Golden {
  readonly bytes: Uint8Array;
  readonly kinds: readonly (readonly Target[])[];
  readonly readable: Readable;
}

interface InHand {
  readonly image: CrashImage;
  readonly what: string[];
  readonly golden: Golden;
}

/** What is damaged: ext4, FAT, exFAT, and HFS Plus with and without a journal, and HFS. */
export const DAMAGED: readonly string[] = [
  ...['ext4', 'fat12', 'fat16', 'fat32', 'exfat', 'hfs', 'hfs+', 'hfs+-nojournal'],
];

export class Mutator {
  readonly #seed: number;
  readonly #fs: string;
  readonly #format: CrashFormat;
  readonly #rig = new Rig();
  /** One that was unmounted, and one whose journal must be replayed. */
  readonly #golden: readonly Golden[];

  constructor(seed: number, fs: string) {
    this.#seed = seed;
    this.#fs = fs;
    const format = formatNamed(fs);
    if (format === undefined || !DAMAGED.includes(fs)) throw new Error(`no format ${fs}`);
    this.#format = format;
    const prepared = prepare(format);
    const tree = readWorkload(TREE)
      .filter((op) => format.suits(op))
      .map(opText)
      .join('; ');
    const clean = tell(prepared, `${tree}; tick; tick; unmount`).image;
    const story = tell(prepared, tree);
    const catalog = catalogFor(fs);
    const dirty = story.base.slice();
    for (const { writes } of windowsOf(story.history)) {
      for (const { offset, data } of writes) dirty.set(data, offset);
    }
    // Structures lie where the clean image has them: the dirty one's are still in its journal.
    this.#golden = [clean, dirty].map((bytes) => ({
      ...{ bytes, kinds: catalog(bytes) },
      readable: seen(this.#rig, format.mount, new CrashImage(bytes)),
    }));
  }

  /** Damages a volume and exercises it; all of it is taken back. */
  run(number: number): Damaged {
    return this.#with(number, ({ image, what }) => {
      try {
        const { mount } = this.#format;
        return { what, outcome: exercise({ rig: this.#rig, format: mount, image, number }) };
      } catch (bug) {
        return { what, bug };
      }
    });
  }

  /** Damages a volume and lets our fsck repair it; all of it is taken back. */
  mend(number: number, real: Repair['real']): Mended {
    const [fs, rig, format] = [this.#fs, this.#rig, this.#format.mount];
    return this.#with(number, ({ image, what, golden }) => {
      try {
        const repaired = mend({ fs, rig, format, image, golden: golden.readable, what, real });
        return { what, repaired };
      } catch (bug) {
        return { what, bug };
      }
    });
  }

  /** A copy of the damaged volume, for checkers. */
  sample(number: number): { readonly what: readonly string[]; readonly image: Uint8Array } {
    return this.#with(number, ({ image, what }) => ({ what, image: image.bytes.slice() }));
  }

  #with<T>(number: number, use: (damaged: InHand) => T): T {
    const random = seeded(this.#seed * 7_654_321 + number);
    const golden = this.#golden[random() % this.#golden.length] as Golden;
    const image = new CrashImage(golden.bytes);
    image.begin();
    const what: string[] = [];
    try {
      for (let i = random() % FIELDS_MAX; i >= 0; i--) what.push(damage(image, golden, random));
      return use({ image, what, golden });
    } finally {
      image.rollback();
    }
  }
}

function catalogFor(fs: string): typeof catalogOf {
  if (fs === 'ext4') return catalogOf;
  if (fs.startsWith('exfat')) return exFatCatalogOf;
  return fs.startsWith('fat') ? fatCatalogOf : hfsCatalogOf;
}

function damage(image: CrashImage, { kinds }: Golden, random: () => number): string {
  const kind = kinds[random() % kinds.length] ?? [];
  const target = kind[random() % kind.length];
  if (target === undefined) return 'nothing';
  const { offset, size, name } = target;
  const order = target.order ?? 'little';
  image.saving(offset, size);
  const view = new DataView(image.bytes.buffer, image.bytes.byteOffset + offset, size);
  const old = held(view, order);
  putValue(view, hurting(old, random), order);
  saveAround(image, offset);
  target.reseal(image.bytes);
  return `${name} ${old} → ${held(view, order)}`;
}

/** A seal may write anywhere in these places: boot region, superblock, descriptors, the block of the field. */
function saveAround(image: CrashImage, offset: number): void {
  image.saving(0, 6 * CHUNK);
  image.saving(Math.floor(offset / CHUNK) * CHUNK, CHUNK);
}

const EDGES = [0, 1, 2, 0x7f, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

function hurting(old: number, random: () => number): number {
  switch (random() % 5) {
    case 0:
      return EDGES[random() % EDGES.length] ?? 0;
    case 1:
      return old + (random() % 2 === 0 ? 1 : -1);
    case 2:
      return old ^ (1 << (random() % 32));
    case 3:
      return random() % 4096; // a block, or an inode
    default:
      return random();
  }
}

type Order = 'little' | 'big';

const held = (view: DataView, order: Order): number =>
  view.byteLength === 1
    ? view.getUint8(0)
    : view.byteLength < 4
      ? view.getUint16(0, order === 'little')
      : view.getUint32(0, order === 'little');

function putValue(view: DataView, value: number, order: Order): void {
  const little = order === 'little';
  if (view.byteLength === 1) view.setUint8(0, value);
  else if (view.byteLength < 4) view.setUint16(0, value, little);
  else view.setUint32(0, value >>> 0, little);
}

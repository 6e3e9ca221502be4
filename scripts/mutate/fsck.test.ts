// Our fsck.ext4 and e2fsck on the same damaged volumes: they agree on what is damaged, and e2fsck is
// content with what ours has repaired.

import test from 'ava';
import { fsck } from '../../daemons/ext4fs/fsck/fsck.ts';
import { SUPERBLOCK_OFFSET, Superblock } from '../../daemons/ext4fs/ondisk.ts';
import { INCOMPAT } from '../../daemons/ext4fs/volume/features.ts';
import { imageMedium } from '../../daemons/lib/memory/image-medium.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { EXT4_FORMATS, ext4Format } from '../crash/ext4/format.ts';
import { prepare } from '../crash/prepare.ts';
import { debugfsWrite, fsck as e2fsck, e2fsckRepair, haveE2fsprogs } from '../testing/e2fsprogs.ts';
import { Mutator } from './mutate.ts';

const world = { nowSec: 1_763_700_000, random: () => 4 };
const look = (image: Uint8Array) => fsck(imageMedium(image), { mode: 'look', force: true, world });
const repair = (image: Uint8Array) =>
  fsck(imageMedium(image), { mode: 'repair', force: true, world });
/** The same ones each time: a field that e2fsck alone looks at is found by `ATOLL_SEED=…`. */
const SEED = Number(process.env['ATOLL_SEED'] ?? 20261121);
const SAMPLES = 24;

test('of damaged volumes ours and e2fsck say the same, and e2fsck accepts what ours repaired', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  const mutator = new Mutator(SEED, 'ext4');
  let judged = 0;
  for (let number = 0; number < SAMPLES; number++) {
    const { what, image } = mutator.sample(number);
    const which = `sample ${number}: ${what.join('; ')}`;
    const sb = new Superblock(new DataView(image.buffer, image.byteOffset), SUPERBLOCK_OFFSET);
    // With -n e2fsck looks neither at the journal nor at the list of orphans; ours does.
    const alike = (sb.s_feature_incompat & INCOMPAT.needs_recovery) === 0 && sb.s_last_orphan === 0;
    const verdict = verdictOf(image);
    if (verdict === 'hopeless') continue; // told, and left as it is
    const real = e2fsck(image);
    if (alike) t.is(verdict === 'clean', real.status === 0, `${which}\n${real.output}`);
    const repaired = image.slice();
    repair(repaired);
    const after = e2fsck(repaired);
    // A volume that e2fsck itself cannot mend says nothing about ours.
    if (after.status !== 0 && e2fsckRepair(image).status > 3) continue;
    judged++;
    t.is(after.status, 0, `${which}\n${after.output}`);
    t.is(look(repaired).verdict, 'clean', which);
  }
  t.true(judged > SAMPLES / 2, `${judged} volumes could be judged`);
});

/** A superblock that cannot be believed, without a copy, is a PosixError and nothing else. */
function verdictOf(image: Uint8Array): 'clean' | 'damaged' | 'hopeless' {
  try {
    return look(image).verdict === 'clean' ? 'clean' : 'damaged';
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return 'hopeless';
  }
}

const images = new Map<string, Uint8Array>();
function prepared(name: string): Uint8Array {
  const format = ext4Format(name);
  if (format === undefined) throw new Error(`no ${name}`);
  const image = images.get(name) ?? prepare(format).image;
  images.set(name, image);
  return image.slice();
}

const mended = test.macro({
  exec(t, format: string, commands: readonly string[]) {
    if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    const image = prepared(format);
    t.is(look(image).verdict, 'clean');
    const damaged = debugfsWrite(image, new Uint8Array(), commands);
    t.not(e2fsck(damaged).status, 0, 'nothing was damaged');
    t.is(look(damaged).verdict, 'damaged');
    t.is(repair(damaged).verdict, 'repaired');
    const after = e2fsck(damaged);
    t.is(after.status, 0, after.output);
    t.is(repair(damaged).verdict, 'clean');
  },
  title: (_, format: string, commands: readonly string[]) => `${format}: ${commands.join('; ')}`,
});

const DAMAGES: readonly (readonly string[])[] = [
  ['clri <15>'],
  ['clri /A'],
  ['clri /'],
  ['unlink foo'],
  ['unlink A'],
  ['rmdir lost+found', 'unlink A'],
  ['sif /foo links_count 7'],
  ['sif /foo mode 0'],
  ['sif /A mode 0100644'],
  ['sif /foo size 0', 'sif /A size 100'],
  ['sif /foo block[0] 0'],
  ['sif /A parent 5', 'sif /foo dtime 1000'],
  ['freeb 1000 200'],
  ['setb 3500 20', 'freei <16>'],
  ['set_bg 0 free_blocks_count 3', 'set_bg 0 used_dirs_count 77'],
  ['ssv inodes_count 11'],
  ['link foo twice', 'link A again'],
];
for (const commands of DAMAGES.slice(0, -1)) test(mended, 'ext4', commands);
for (const commands of [DAMAGES[1] ?? [], DAMAGES[9] ?? []]) test(mended, 'ext3', commands);
test(mended, 'ext4-nocsum', DAMAGES.at(-1) ?? []);

test('all that our own file system leaves is clean', (t) => {
  if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
  for (const name of EXT4_FORMATS) {
    t.deepEqual(look(prepared(name)).problems, [], name);
  }
});

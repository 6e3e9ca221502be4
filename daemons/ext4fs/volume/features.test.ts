// Claims about features: each that mke2fs can set is written, or only read, or refused, and the log or
// the error says which one it is.

import test from 'ava';
import { ENOKEY, EOPNOTSUPP, type Errno } from '../../../kernel/abi/errno.ts';
import { debugfsWrite, fsck, haveE2fsprogs, mke2fs } from '../../../scripts/testing/e2fsprogs.ts';
import { without } from '../../../scripts/testing/skip.ts';
import { bootVolume } from '../../lib/testing/boot.ts';
import type { TestClient } from '../../lib/testing/client.ts';
import { Machine } from '../../lib/testing/machine.ts';
import { mountExt4 } from '../mount.ts';

const missing = without('e2fsprogs', haveE2fsprogs);

function boot(image: Uint8Array, cacheBytes = 4 << 20): { machine: Machine; fs: TestClient } {
  const { machine, fs } = bootVolume({ image, format: mountExt4, cacheBytes });
  return { machine, fs };
}

const made = (features: string, more: readonly string[] = []): Uint8Array =>
  mke2fs(8 << 20, ['-t', 'ext4', '-b', '1024', '-J', 'size=1', '-O', features, ...more]);

const written = test.macro({
  exec(t, features: string, more: readonly string[] = []) {
    if (missing(t)) return;
    const image = made(features, more);
    const { machine, fs } = boot(image);
    t.deepEqual(machine.log, []);
    fs.mkdir('d');
    const fid = fs.create('d/f');
    fs.write(fid, 0, new Uint8Array(5000).fill(7));
    fs.clunk(fid);
    for (let i = 0; i < 40; i++) fs.clunk(fs.create(`d/a rather long name, number ${i}`));
    fs.detach();
    const { status, output } = fsck(image);
    t.is(status, 0, output);
  },
  title: (_, features: string) => `a volume with ${features} is written`,
});
for (const feature of [
  ...['64bit', '^64bit', '^dir_index', 'dir_nlink', '^ext_attr', '^extent,^64bit', '^extra_isize'],
  ...['fast_commit', '^filetype', '^flex_bg', '^has_journal', '^huge_file', 'inline_data'],
  ...['large_dir', '^large_file', '^metadata_csum', 'metadata_csum_seed', 'orphan_file'],
  ...[
    '^resize_inode,meta_bg',
    '^resize_inode',
    '^resize_inode,^sparse_super',
    'sparse_super2',
    'stable_inodes',
  ],
  ...['^metadata_csum,uninit_bg', 'encrypt', 'casefold', 'verity'],
])
  test(written, feature);

/** Linux refuses these blocks where pages are smaller; e2fsprogs do not. */
const large = test.macro({
  exec(t, blockSize: number, features: string) {
    if (missing(t)) return;
    const args = ['-t', 'ext4', '-b', `${blockSize}`, '-O', features, '-N', '2048'];
    const data = new Uint8Array(150_000).map((_, i) => (i * 13) & 0xff);
    const image = debugfsWrite(mke2fs(16 << 20, args), data, ['write DATA theirs']);
    const { machine, fs } = boot(image, 16 << 20);
    t.deepEqual(machine.log, []);
    t.true(Buffer.compare(fs.read(fs.open('theirs')), data) === 0);
    fs.mkdir('d');
    const names: string[] = [];
    for (let i = 0; i < 600; i++) {
      const name = `name ${i} ${'x'.repeat(200)}`;
      fs.clunk(fs.create(`d/${name}`));
      names.push(name);
    }
    for (const name of names.splice(0, 100)) fs.unlink(`d/${name}`);
    t.deepEqual(fs.list('d').sort(), names.sort(), 'a directory of several blocks, hashed');
    const fid = fs.create('ours');
    fs.write(fid, 70_001, data);
    fs.write(fid, 0, data.subarray(0, 10));
    t.is(fs.getattr(fid).size, 220_001);
    fs.clunk(fid);
    fs.setxattr('ours', 'user.a', data.subarray(0, 1000));
    fs.detach();
    const { status, output } = fsck(image);
    t.is(status, 0, output);
  },
  title: (_, blockSize: number, features: string) =>
    `blocks of ${blockSize >> 10} KiB are read and written: ${features}`,
});
test(large, 65_536, '^has_journal,^resize_inode');
test(large, 65_536, '^has_journal,^resize_inode,^metadata_csum,inline_data');
test(large, 16_384, '^has_journal,^resize_inode');

const read = test.macro({
  exec(t, features: string, name: RegExp) {
    if (missing(t)) return;
    const image = made(features);
    const before = image.slice();
    const { machine, fs } = boot(image);
    t.regex(machine.log.join('\n'), name);
    t.deepEqual(fs.list('/'), ['lost+found']);
    t.like(
      t.throws(() => fs.mkdir('d')),
      { code: 'EROFS' },
    );
    fs.detach();
    t.true(Buffer.compare(image, before) === 0);
  },
  title: (_, features: string) => `a volume with ${features} is read only, and the log says why`,
});
test(read, 'bigalloc', /^read-only, for its features bigalloc$/m);

const refused = test.macro({
  exec(t, features: string, name: RegExp) {
    if (missing(t)) return;
    const image = made(features);
    const before = image.slice();
    const machine = new Machine({ image, format: mountExt4 });
    t.like(
      t.throws(() => machine.mount(), { message: name }),
      { code: 'EOPNOTSUPP' },
    );
    t.true(Buffer.compare(image, before) === 0);
  },
  title: (_, features: string) => `a volume with ${features} is refused by name`,
});
test(refused, 'ea_inode', /^ext4 features not supported: ea_inode$/);
test(refused, 'mmp', /^ext4 features not supported: mmp$/);

/** Bits that nobody knows yet, set by debugfs as mke2fs will not. */
const future = test.macro({
  exec(t, field: string, value: string, expected: RegExp) {
    if (missing(t)) return;
    const image = debugfsWrite(made('^metadata_csum'), new Uint8Array(0), [
      `ssv ${field} ${value}`,
    ]);
    const machine = new Machine({ image, format: mountExt4 });
    try {
      machine.mount();
      t.regex(machine.log.join('\n'), expected);
    } catch (error) {
      t.regex(error instanceof Error ? error.message : String(error), expected);
    }
  },
  title: (_, field: string, value: string) => `${field} ${value} is told by its number`,
});
test(future, 'feature_incompat', '0x800002c2', /^ext4 features not supported: .*0x80000000/);
test(future, 'feature_ro_compat', '0x4000006b', /^read-only, for its features .*0x40000000/);

/** debugfs sets the flag; what lies in the file stays. */
const strange = test.macro({
  exec(t, flag: string, code: Errno, why: RegExp) {
    if (missing(t)) return;
    const data = new Uint8Array(3000).fill(1);
    const image = debugfsWrite(made('encrypt,verity,casefold'), data, [
      ...['write DATA file', 'mkdir dir', 'write DATA dir/inner'],
      ...[`sif file flags 0x${(0x80000 | Number(flag)).toString(16)}`],
      ...[`sif dir flags 0x${(0x80000 | Number(flag)).toString(16)}`],
    ]);
    const { machine, fs } = boot(image);
    const fails = (body: () => unknown): void => {
      t.like(t.throws(body), { errno: code });
    };
    const fid = fs.open('file');
    t.is(fs.getattr(fid).size, 3000, 'it is shown');
    fails(() => fs.read(fid));
    fails(() => fs.write(fid, 0, data));
    fs.clunk(fid);
    fails(() => fs.list('dir'));
    fails(() => fs.clunk(fs.create('dir/new')));
    fails(() => fs.walk('dir/inner'));
    t.regex(machine.log.join('\n'), why);
    t.is(machine.log.length, new Set(machine.log).size, 'told once');
    fs.rename('file', 'moved');
    fs.unlink('moved');
    fs.detach();
  },
  title: (_, flag: string) => `files with the flag ${flag} are shown, moved and deleted, no more`,
});
test(strange, '0x800', ENOKEY, /^inode 12 is encrypted \(encrypt\): not supported$/m);
test(strange, '0x100000', EOPNOTSUPP, /^inode 12 is protected by fs-verity \(verity\)/m);
test(strange, '0x40000000', EOPNOTSUPP, /^inode 13 is a directory that folds case \(casefold\)/m);

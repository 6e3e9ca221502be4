// Claims about CPIO archives: what is written is read back, by us and by the real cpio(1), and a
// damaged archive is EUCLEAN with the entry's name, never anything else.

import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG } from '../abi/constants.ts';
import { EUCLEAN, PosixError } from '../abi/errno.ts';
import { encodeText } from '../abi/text.ts';
import { type NewCpioEntry, readCpio, writeCpio } from './cpio.ts';

const seed = Number(process.env['CPIO_SEED'] ?? Date.now() % 0x7fff_ffff);

const samples: NewCpioEntry[] = [
  { name: 'dir/file', mode: S_IFREG | 0o640, data: encodeText('hello\n'), mtime: 86_400 },
  { name: 'dir', mode: S_IFDIR | 0o755 },
  { name: 'größe', mode: S_IFREG | 0o755, data: new Uint8Array(5000).fill(7) },
  { name: 'empty', mode: S_IFREG | 0o400 },
  { name: 'link', mode: S_IFLNK | 0o777, data: encodeText('dir/file') },
];

test('an archive reads back as it was written, sorted by name', (t) => {
  const device = { name: 'null', mode: S_IFCHR | 0o666, rdev: { major: 1, minor: 3 } };
  const entries = readCpio(writeCpio([...samples, device]));
  t.deepEqual(
    entries.map((e) => e.name),
    ['dir', 'dir/file', 'empty', 'größe', 'link', 'null'],
  );
  t.like(entries[1], { mode: S_IFREG | 0o640, mtime: 86_400, uid: 0, data: encodeText('hello\n') });
  t.like(entries[5], device);
});

const bytesWithout = test.macro({
  exec(t, damage: (archive: Uint8Array) => Uint8Array, message: RegExp) {
    const archive = damage(writeCpio(samples));
    const error = t.throws(() => readCpio(archive), { instanceOf: PosixError, message });
    t.is(error?.errno, EUCLEAN);
  },
  title: (what) => `an archive ${what} is corruption`,
});
const at = (offset: number, text: string) => (archive: Uint8Array) => {
  archive.set(encodeText(text), offset);
  return archive;
};
test('of no bytes', bytesWithout, () => new Uint8Array(0), /without a trailer/);
test('cut behind its entries', bytesWithout, (a) => a.subarray(0, -124), /without a trailer/);
test('cut in its data', bytesWithout, (a) => a.subarray(0, 240), /'dir\/file' has 6 bytes/);
test('without its magic', bytesWithout, at(0, '070707'), /entry at 0: no magic/);
test('with a number that is none', bytesWithout, at(54, '0000000g'), /field 6/);
test('with data of 4 GiB', bytesWithout, at(54, 'FFFFFFFF'), /'dir' has 4294967295 bytes/);
test('with a name of 4 GiB', bytesWithout, at(94, 'FFFFFFFF'), /name of 4294967295 bytes/);
test('with an empty name', bytesWithout, at(94, '00000001'), /name of 1 bytes/);
test('with a name that leads outside', bytesWithout, at(110, '../'), /no|name/);

test('20,000 mutated archives are read, or are corruption', (t) => {
  t.log(`CPIO_SEED=${seed}`);
  const archive = writeCpio(samples);
  const spot = fc.tuple(fc.nat(archive.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(spot, { minLength: 1, maxLength: 6 }), fc.nat(), (spots, cut) => {
      const bytes = archive.slice(0, cut % 4 === 0 ? cut % archive.length : archive.length);
      for (const [offset, value] of spots) bytes[offset] = value;
      try {
        readCpio(bytes);
      } catch (error) {
        t.true(error instanceof PosixError && error.errno === EUCLEAN);
      }
    }),
    { seed, numRuns: 20_000 },
  );
  t.pass();
});

const haveCpio = spawnSync('cpio', ['--version']).status === 0;

test('the real cpio unpacks what was written', (t) => {
  if (!haveCpio) return skip(t);
  const dir = fs.mkdtempSync(join(tmpdir(), 'atoll-cpio-'));
  execFileSync('cpio', ['-i', '-d', '-m', '--quiet'], { cwd: dir, input: writeCpio(samples) });
  t.is(fs.readFileSync(join(dir, 'dir/file'), 'utf8'), 'hello\n');
  t.is(fs.statSync(join(dir, 'dir/file')).mode, S_IFREG | 0o640);
  t.is(fs.readFileSync(join(dir, 'größe')).length, 5000);
  t.is(fs.readlinkSync(join(dir, 'link')), 'dir/file');
  fs.rmSync(dir, { recursive: true });
});

test('what the real cpio packed is read, hard links with their data', (t) => {
  if (!haveCpio) return skip(t);
  const dir = fs.mkdtempSync(join(tmpdir(), 'atoll-cpio-'));
  fs.mkdirSync(join(dir, 'sub'));
  fs.writeFileSync(join(dir, 'sub/a'), 'linked');
  fs.linkSync(join(dir, 'sub/a'), join(dir, 'b'));
  fs.symlinkSync('sub/a', join(dir, 'l'));
  const archive = execFileSync('cpio', ['-o', '-H', 'newc', '--quiet'], {
    cwd: dir,
    input: '.\nsub\nsub/a\nb\n./l\n',
  });
  const entries = new Map(readCpio(archive).map((e) => [e.name, e]));
  t.deepEqual([...entries.keys()].sort(), ['.', 'b', 'l', 'sub', 'sub/a']);
  t.deepEqual(new Uint8Array(entries.get('b')?.data ?? []), encodeText('linked'));
  t.deepEqual(new Uint8Array(entries.get('sub/a')?.data ?? []), encodeText('linked'));
  t.is(entries.get('b')?.inode, entries.get('sub/a')?.inode);
  t.deepEqual(new Uint8Array(entries.get('l')?.data ?? []), encodeText('sub/a'));
  fs.rmSync(dir, { recursive: true });
});

function skip(t: { log(text: string): void; pass(): void }): void {
  t.log('cpio is not installed');
  t.pass();
}

// Claims about zstd, unzstd and zstdcat, beside the host's.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { integersFrom } from '../../kernel/ipc/random.ts';
import { runOnHost } from '../libc/testing/host-sys.ts';
import { zstdPacker } from '../libc/zstd/packer.ts';
import { ZstdUnpacker } from '../libc/zstd/unpacker.ts';
import { Xxh64 } from '../libc/zstd/xxh64.ts';
import { programs } from './registry.ts';

const hasZstd = spawnSync('zstd', ['--version']).status === 0;
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

type Kind = 'noise' | 'text' | 'zeros' | 'skewed' | 'copies';

function content(kind: Kind, size: number, from: number): Uint8Array {
  const below = integersFrom(from);
  const out = new Uint8Array(size);
  const words = Array.from({ length: 300 }, () =>
    Buffer.from(Array.from({ length: 2 + below(9) }, () => 97 + below(26))),
  );
  for (let at = 0; at < size && kind !== 'zeros'; ) {
    if (kind === 'noise') out[at++] = below(256);
    else if (kind === 'skewed') out[at++] = Math.min(below(256), below(256), below(256));
    else if (kind === 'copies' && at > 100 && below(3) > 0) {
      const back = 1 + below(Math.min(at, 300_000));
      const length = Math.min(4 + below(2000), size - at);
      for (let i = 0; i < length; i++, at++) out[at] = out[at - back] ?? 0;
    } else {
      const word = words[Math.min(below(300), below(300))] ?? new Uint8Array(0);
      out.set(word.subarray(0, size - at), at);
      at += word.length + 1;
    }
  }
  return out;
}

/** In pieces of any size. */
function through(
  codec: { push(b: Uint8Array): void; end(): void },
  bytes: Uint8Array,
  below: (n: number) => number,
): void {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + below(below(2) ? 200_000 : 50);
    codec.push(bytes.slice(at, at + size));
    at += size;
  }
  codec.end();
}

const collect = (
  make: (sink: (bytes: Uint8Array) => void) => { push(b: Uint8Array): void; end(): void },
  bytes: Uint8Array,
  below = integersFrom(1),
): Buffer => {
  const parts: Buffer[] = [];
  through(
    make((part) => parts.push(Buffer.from(part))),
    bytes,
    below,
  );
  return Buffer.concat(parts);
};

const theirs = (args: readonly string[], input: Uint8Array): Buffer => {
  const { stdout, stderr, status } = spawnSync('zstd', args, { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
};

const bothWays = test.macro({
  exec(t: ExecutionContext, kind: Kind, size: number, level: number) {
    const plain = content(kind, size, size + level);
    const known = size % 2 === 0 ? { size } : {};
    const packed = collect((sink) => zstdPacker(sink, { level, checksum: true, ...known }), plain);
    t.true(packed.length <= size + 20 + (size >> 10), `${packed.length} bytes of ${size}`);
    t.true(collect((sink) => new ZstdUnpacker(sink), packed).equals(plain), 'ours, of ours');
    if (!hasZstd) return;
    t.true(theirs(['-dc'], packed).equals(plain), 'theirs, of ours');
    const back = collect((sink) => new ZstdUnpacker(sink), theirs([`-${level}`, '-c'], plain));
    t.true(back.equals(plain), 'ours, of theirs');
  },
  title: (_, kind: Kind, size: number, level: number) =>
    `${size} bytes of ${kind} go both ways, level ${level}`,
});
for (const kind of ['noise', 'text', 'zeros', 'skewed', 'copies'] as const)
  for (const size of [0, 1, 7, 255, 256, 5000, 131_072, 400_001]) test(bothWays, kind, size, 3);
for (const level of [1, 2, 6, 9, 13, 19]) test(bothWays, 'copies', 300_000, level);

test('random contents, sizes, levels and pieces go both ways', (t) => {
  t.log(`SEED=${seed}`);
  const below = integersFrom(seed);
  for (let round = 0; round < 30; round++) {
    const kind = (['noise', 'text', 'zeros', 'skewed', 'copies'] as const)[below(5)] ?? 'text';
    const plain = content(kind, below(below(4) === 0 ? 500_000 : 3000), below(2 ** 30));
    const options = { level: 1 + below(12), checksum: below(2) === 0 };
    const packed = collect((sink) => zstdPacker(sink, options), plain, below);
    if (hasZstd) t.true(theirs(['-dc'], packed).equals(plain), `${kind} ${plain.length} ${round}`);
    t.true(collect((sink) => new ZstdUnpacker(sink), packed, below).equals(plain));
  }
});

test('damaged frames are refused, or give what the checksum holds for', (t) => {
  t.log(`SEED=${seed}`);
  const below = integersFrom(seed);
  const plain = content('copies', 20_000, 5);
  const packed = collect((sink) => zstdPacker(sink, { level: 3, checksum: true }), plain);
  for (let round = 0; round < 150; round++) {
    const bad = Buffer.from(packed);
    for (let n = 1 + below(3); n > 0; n--) bad[below(bad.length)] = below(256);
    const cut = below(4) === 0 ? bad.subarray(0, below(bad.length)) : bad;
    let out: Buffer | undefined;
    try {
      out = collect((sink) => new ZstdUnpacker(sink), cut);
    } catch (error) {
      t.true(typeof (error as { message?: unknown }).message === 'string');
      t.false(error instanceof Error, String(error));
    }
    if (out !== undefined) t.true(out.equals(plain) || out.length === 0, `round ${round}`);
  }
});

test('XXH64 gives the digests of its specification', (t) => {
  const digest = (bytes: Uint8Array): string => {
    const hash = new Xxh64();
    hash.update(bytes.subarray(0, 5));
    hash.update(bytes.subarray(5));
    return hash.digest().toString(16);
  };
  t.is(digest(new Uint8Array(0)), 'ef46db3751d8e999');
  t.is(digest(Buffer.from('a')), 'd24ec4f1a98c6e5b');
  t.is(digest(Buffer.from('abc')), '44bc2cf5ad770999');
  t.is(digest(Buffer.from('Nobody inspects the spammish repetition')), 'fbcea83c8a378bf1');
});

test('a window that fzstd would not read rightly is refused by name', (t) => {
  const header = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 1, 0, 0]);
  const refused = t.throws(() => collect((sink) => new ZstdUnpacker(sink), header), { any: true });
  t.regex((refused as { message: string }).message, /too much memory.*128 MiB/);
});

function ours(argv: readonly string[], stdin: Uint8Array): { stdout: Buffer; status: number } {
  const dir = mkdtempSync(`${tmpdir()}/atoll-zstd-`);
  try {
    writeFileSync(`${dir}/in`, stdin);
    return runOnHost({ programs, argv, cwd: dir, stdin: `${dir}/in` });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('tar --zstd archives are read by the host’s tar', (t) => {
  if (!hasZstd) {
    t.log('no zstd here: skipped');
    t.pass();
    return;
  }
  const packed = ours(['tar', '--zstd', '-cf', '-', 'in'], Buffer.from('hello\n'.repeat(1000)));
  t.is(packed.status, 0);
  const listed = spawnSync('tar', ['--zstd', '-tf', '-'], { input: packed.stdout });
  t.is(listed.stdout.toString(), 'in\n');
  const back = ours(['tar', '-xOf', '-'], packed.stdout);
  t.is(back.stdout.toString(), 'hello\n'.repeat(1000));
});

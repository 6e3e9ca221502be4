// Bytes of files: where they are written they are read, what was never written is zero, sizes, room that
// runs out, files whose names are gone. POSIX.1-2024, and Linux's fallocate(2) and lseek(2).

import { O_APPEND, O_WRONLY } from '../../../../kernel/abi/constants.ts';
import { type Case, pattern, refused, same, sameBytes, synced } from '../subject.ts';

/** Where blocks and pages of all sizes meet, and beside it. */
const EDGES = [0, 1, 511, 512, 1023, 1025, 4095, 4096, 4097, 16_384, 65_535, 65_537];

export const DATA: readonly Case[] = [
  {
    claim: 'what is written at any place is read there, and nowhere else',
    run: async ({ fs, at }) => {
      const model = new Uint8Array(70_000);
      await using file = await fs.open(at('f'), 'w+');
      for (const [i, edge] of EDGES.entries()) {
        const bytes = pattern(1 + ((i * 977) % 3000), i);
        await file.write(bytes, { position: edge });
        model.set(bytes, edge);
      }
      const due = model.subarray(0, (await file.stat()).size);
      sameBytes(await fs.readFile(at('f')), due, 'before');
      for (const edge of EDGES) {
        const piece = new Uint8Array(300);
        const { bytesRead } = await file.read(piece, { position: edge });
        sameBytes(piece.subarray(0, bytesRead), due.subarray(edge, edge + 300), `at ${edge}`);
      }
      return async () => sameBytes(await fs.readFile(at('f')), due, 'after');
    },
  },
  {
    claim: 'a megabyte in odd pieces comes back',
    run: async ({ fs, at }) => {
      const bytes = pattern(1_000_003, 5);
      await using file = await fs.open(at('f'), 'w');
      for (
        let from = 0, size = 1;
        from < bytes.length;
        from += size, size = (size * 5 + 3) % 190_001
      )
        await file.write(bytes.subarray(from, from + size));
      return async () => sameBytes(await fs.readFile(at('f')), bytes, 'the file');
    },
  },
  {
    claim: 'O_APPEND writes at the end, wherever the file stands and whoever made it longer',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), '');
      await using one = await fs.open(at('f'), O_WRONLY | O_APPEND);
      await using other = await fs.open(at('f'), O_WRONLY | O_APPEND);
      for (let i = 0; i < 20; i++)
        await Promise.all([one.write(`one ${i}\n`), other.write(`two ${i}\n`)]);
      const lines = (await fs.readFile(at('f'), 'utf8')).split('\n').filter((line) => line !== '');
      same(lines.length, 40, 'lines');
      for (const who of ['one', 'two']) {
        const mine = lines.filter((line) => line.startsWith(who));
        same(
          mine,
          Array.from({ length: 20 }, (_, i) => `${who} ${i}`),
          `the lines of ${who}`,
        );
      }
    },
  },
  {
    claim: 'a write beyond the end leaves zeroes between, whatever lay in those blocks before',
    run: async (it) => {
      const { fs, at } = it;
      {
        await using old = await fs.open(at('old'), 'w');
        await old.write(new Uint8Array(300_000).fill(0xaa));
        await old.sync();
      }
      await fs.rm(at('old'));
      await synced(it);
      await using file = await fs.open(at('f'), 'w+');
      await file.write('head');
      await file.sync();
      await file.write('tail', { position: 200_001 });
      await file.truncate(260_000);
      const due = new Uint8Array(260_000);
      due.set(new TextEncoder().encode('head'));
      due.set(new TextEncoder().encode('tail'), 200_001);
      sameBytes(await fs.readFile(at('f')), due, 'before');
      return async () => sameBytes(await fs.readFile(at('f')), due, 'after');
    },
  },
  {
    claim: 'a file that is cut and grows again has zeroes where it was cut',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), new Uint8Array(20_000).fill(0x55));
      const due = new Uint8Array(15_000).fill(0x55, 0, 5001);
      await fs.truncate(at('f'), 5001);
      same((await fs.stat(at('f'))).size, 5001, 'size');
      await fs.truncate(at('f'), 15_000);
      sameBytes(await fs.readFile(at('f')), due, 'before');
      return async () => sameBytes(await fs.readFile(at('f')), due, 'after');
    },
  },
  {
    claim: 'a file that is cut gives its blocks back',
    run: async ({ fs, at }) => {
      await using file = await fs.open(at('f'), 'w');
      await file.write(pattern(200_000));
      await file.sync();
      const before = await fs.stat(at('f'));
      if (before.blocks * 512 < 200_000)
        throw new Error(`${before.blocks} blocks for 200,000 bytes`);
      await fs.truncate(at('f'), 10);
      await file.sync();
      const { blocks } = await fs.stat(at('f'));
      if (blocks * 512 > 65_536) throw new Error(`${blocks} blocks for 10 bytes`);
    },
  },
  {
    claim: 'at the end and behind it nothing is read; nothing written is no change of size',
    run: async ({ fs, at }) => {
      await using file = await fs.open(at('f'), 'w+');
      await file.write('12345');
      const piece = new Uint8Array(10);
      same((await file.read(piece, { position: 5 })).bytesRead, 0, 'at the end');
      same((await file.read(piece, { position: 1e6 })).bytesRead, 0, 'behind it');
      same((await file.read(piece, { position: 3 })).bytesRead, 2, 'up to it');
      await file.write(new Uint8Array(0), { position: 100 });
      same((await file.stat()).size, 5, 'size');
    },
  },
  {
    claim: 'who opens a file twice has one file',
    run: async ({ fs, at }) => {
      await using one = await fs.open(at('f'), 'w+');
      await using other = await fs.open(at('f'), 'r+');
      await one.write('from one');
      same(await other.readFile('utf8'), 'from one', 'by the other');
      await other.truncate(4);
      same((await one.stat()).size, 4, 'size by the first');
    },
  },
  {
    claim: 'a file without a name is whole until its last close',
    run: async ({ fs, at }) => {
      await using file = await fs.open(at('f'), 'w+');
      await file.write(pattern(50_000));
      await fs.unlink(at('f'));
      await refused('ENOENT', 'by its name', fs.stat(at('f')));
      same((await file.stat()).nlink, 0, 'links');
      await fs.writeFile(at('f'), 'another');
      await file.write(pattern(10_000, 1), { position: 60_000 });
      await file.sync();
      const due = new Uint8Array(70_000);
      due.set(pattern(50_000));
      due.set(pattern(10_000, 1), 60_000);
      const seen = new Uint8Array(80_000);
      const { bytesRead } = await file.read(seen, { position: 0 });
      sameBytes(seen.subarray(0, bytesRead), due, 'its bytes');
      await file.truncate(1);
      same(await fs.readFile(at('f'), 'utf8'), 'another', 'the other file');
    },
  },
  {
    claim: 'fsync and fdatasync of files, fsync of a directory',
    run: async ({ fs, at }) => {
      await using file = await fs.open(at('f'), 'w+');
      await file.write('x');
      await file.datasync();
      await file.write('y');
      await file.sync();
      await using dir = await fs.open(at(''), 'r');
      await dir.sync();
    },
  },
  {
    claim: 'a size that the format does not have is refused, and the file stays as it was',
    run: async ({ fs, at, can }) => {
      await fs.writeFile(at('f'), 'kept');
      const { size, code } = can.tooLarge;
      await refused(code, 'truncate', fs.truncate(at('f'), size));
      await using file = await fs.open(at('f'), 'r+');
      await refused(code, 'write', file.write('x', { position: size }));
      await refused('EINVAL', 'a negative size', fs.truncate(at('f'), -1));
      same(await fs.readFile(at('f'), 'utf8'), 'kept', 'the file');
    },
  },
  {
    claim: 'holes take no room, and are found',
    needs: (can) => can.holes,
    run: async ({ fs, at }) => {
      await using file = await fs.open(at('f'), 'w+');
      await file.write(pattern(4096), { position: 1 << 20 });
      await file.truncate(2 << 20);
      await file.sync();
      const found = async (): Promise<void> => {
        const { blocks, size } = await fs.stat(at('f'));
        same(size, 2 << 20, 'size');
        if (blocks * 512 > 65_536) throw new Error(`${blocks} blocks for 4,096 bytes`);
        await using seen = await fs.open(at('f'), 'r');
        same([await seen.seek(0, 'data'), await seen.seek(0, 'hole')], [1 << 20, 0], 'from 0');
        same(await seen.seek(1 << 20, 'hole'), (1 << 20) + 4096, 'the hole behind');
        await refused('ENXIO', 'data behind all data', seen.seek(1.5 * 2 ** 20, 'data'));
      };
      await found();
      return found;
    },
    otherwise: async ({ fs, at }) => {
      await using file = await fs.open(at('f'), 'w+');
      await file.write('x', { position: 300_000 });
      await file.sync();
      const { blocks } = await file.stat();
      if (blocks * 512 < 300_000) throw new Error(`${blocks} blocks for 300,000 bytes`);
      same([await file.seek(5, 'data'), await file.seek(5, 'hole')], [5, 300_001], 'all is data');
    },
  },
  {
    claim: 'fallocate reserves room, keeps a size, punches holes',
    needs: (can) => can.reserves,
    run: async ({ fs, at }) => {
      await using file = await fs.open(at('f'), 'w+');
      await file.allocate({ offset: 0, length: 100_000 });
      same((await file.stat()).size, 100_000, 'reserved');
      await file.allocate({ offset: 0, length: 200_000 }, 'keep');
      const { size, blocks } = await file.stat();
      same([size, blocks * 512 >= 200_000], [100_000, true], 'kept');
      await file.write(pattern(100_000), { position: 0 });
      await file.allocate({ offset: 8192, length: 16_384 }, 'punch');
      const due = pattern(100_000).fill(0, 8192, 8192 + 16_384);
      sameBytes(await fs.readFile(at('f')), due, 'before');
      return async () => sameBytes(await fs.readFile(at('f')), due, 'after');
    },
    otherwise: async ({ fs, at }) => {
      await using file = await fs.open(at('f'), 'w+');
      await refused('EOPNOTSUPP', 'punch', file.allocate({ offset: 0, length: 4096 }, 'punch'));
    },
  },
];

// Room on the volume: it ends with ENOSPC, and what goes gives it back. These come first, while nothing that
// another case wrote is still on its way to the disk.

import {
  type Case,
  freeAgain,
  freeBytes,
  type OpenFile,
  pattern,
  refused,
  same,
  sameBytes,
} from '../subject.ts';

export const SPACE: readonly Case[] = [
  {
    claim: 'a tree goes as a whole, and its room comes back',
    run: async (it) => {
      const { fs, at } = it;
      await fs.mkdir(at('warm'));
      await fs.rmdir(at('warm'));
      const before = await freeBytes(it);
      for (const dir of ['t', 't/1', 't/2', 't/2/3']) {
        await fs.mkdir(at(dir));
        await fs.writeFile(at(`${dir}/f`), pattern(20_000));
      }
      await fs.rm(at('t'), { recursive: true });
      same(await fs.readdir(at('')), [], 'what is left');
      await freeAgain(it, before - 65_536);
    },
  },
  {
    claim: 'a full volume is ENOSPC, keeps what it has, and has its room again afterwards',
    run: async (it) => {
      const { fs, at } = it;
      await fs.writeFile(at('kept'), 'kept');
      const before = await freeBytes(it);
      {
        await using file = await fs.open(at('full'), 'w');
        await refused('ENOSPC', 'writing on and on', fill(file));
        await file.truncate(0);
      }
      await fs.rm(at('full'));
      await freeAgain(it, before - 131_072);
      await fs.writeFile(at('more'), pattern(100_000));
      return async () => {
        same(await fs.readFile(at('kept'), 'utf8'), 'kept', 'the file before');
        sameBytes(await fs.readFile(at('more')), pattern(100_000), 'the file after');
      };
    },
  },
];

/** Until it fails; each megabyte on the disk before the next. */
async function fill(file: OpenFile): Promise<void> {
  const bytes = pattern(1 << 20);
  for (let i = 0; i < 256; i++) {
    await file.write(bytes);
    await file.datasync();
  }
}

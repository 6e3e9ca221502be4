// unlink(2), rmdir(2) and readdir(3): what goes, what stays, what a listing shows while names come and
// go. POSIX.1-2024.

import { type Case, refused, same } from '../subject.ts';

/** For each, a few at a time: every open file is one of a process's thousand. */
async function some(names: readonly string[], action: (name: string) => Promise<void>) {
  for (let i = 0; i < names.length; i += 10) await Promise.all(names.slice(i, i + 10).map(action));
}

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `a name with number ${i}`);

export const REMOVING: readonly Case[] = [
  {
    claim: 'unlink takes a name once: then ENOENT; of a directory it is EISDIR',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), 'x');
      await fs.mkdir(at('d'));
      await fs.unlink(at('f'));
      await refused('ENOENT', 'again', fs.unlink(at('f')));
      await refused('EISDIR', 'a directory', fs.unlink(at('d')));
      return async () => same(await fs.readdir(at('')), ['d'], 'the names');
    },
  },
  {
    claim:
      'rmdir takes an empty directory: of a full one ENOTEMPTY, of a file ENOTDIR, of . EINVAL',
    run: async ({ fs, at }) => {
      await fs.mkdir(at('d/e'), { recursive: true });
      await fs.writeFile(at('f'), '');
      await refused(['ENOTEMPTY', 'EEXIST'], 'a full one', fs.rmdir(at('d')));
      await refused('ENOTDIR', 'a file', fs.rmdir(at('f')));
      await refused('EINVAL', '.', fs.rmdir(at('d/.')));
      await refused(['ENOTEMPTY', 'EEXIST', 'EINVAL'], '..', fs.rmdir(at('d/e/..')));
      await fs.rmdir(at('d/e/'));
      await fs.rmdir(at('d'));
      await refused('ENOENT', 'again', fs.rmdir(at('d')));
      return async () => same(await fs.readdir(at('')), ['f'], 'the names');
    },
  },
  {
    claim: 'a directory that is made again by its old name is empty',
    run: async ({ fs, at }) => {
      for (let i = 0; i < 3; i++) {
        await fs.mkdir(at('d'));
        same(await fs.readdir(at('d')), [], `round ${i}`);
        await fs.writeFile(at('d/f'), `${i}`);
        await fs.rm(at('d/f'));
        await fs.rmdir(at('d'));
      }
    },
  },
  {
    claim: 'in a directory that is gone nothing is found, and nothing can be made',
    run: async ({ fs, at, sh }) => {
      await fs.mkdir(at('d'));
      const said = await sh('cd d; rmdir ../d; touch f; mkdir e');
      same(said.match(/No such file or directory/g)?.length, 2, said);
    },
  },
  {
    claim: 'a listing has each name once, with its number and its kind',
    run: async ({ fs, at, sh }) => {
      await fs.mkdir(at('d'));
      for (const name of numbered(8)) await fs.writeFile(at(name), '');
      const shown = (await sh('ls -ip')).trim().split('\n').sort();
      const due = ['d/', ...numbered(8)];
      same(shown.map((line) => line.trim().replace(/^\d+ /, '')).sort(), due.sort(), 'the names');
      for (const line of shown) {
        const [, ino, name = ''] = /^ *(\d+) (.*)$/.exec(line) ?? [];
        same((await fs.stat(at(name))).ino, Number(ino), `the number of ${name}`);
      }
    },
  },
  {
    claim: '60 names: half of them go, come again, and all of them go',
    run: async ({ fs, at }) => {
      await fs.mkdir(at('d'));
      const names = numbered(60);
      const write = (name: string): Promise<void> => fs.writeFile(at(`d/${name}`), name);
      await some(names, write);
      same((await fs.readdir(at('d'))).sort(), [...names].sort(), 'all');
      const even = names.filter((_, i) => i % 2 === 0);
      await some(even, (name) => fs.unlink(at(`d/${name}`)));
      same((await fs.readdir(at('d'))).sort(), names.filter((_, i) => i % 2 === 1).sort(), 'half');
      await some(even, write);
      return async () => {
        same((await fs.readdir(at('d'))).sort(), [...names].sort(), 'all again');
        same(await fs.readFile(at(`d/${names[58]}`), 'utf8'), names[58], 'one of them');
        await some(names, (name) => fs.unlink(at(`d/${name}`)));
        await fs.rmdir(at('d'));
      };
    },
  },
  {
    claim: 'a listing while names come and go has each name that stays, once',
    run: async ({ fs, at }) => {
      await fs.mkdir(at('d'));
      const names = numbered(30);
      for (const name of names) await fs.writeFile(at(`d/${name}`), '');
      const goes = names.filter((_, i) => i % 3 === 0);
      const [before, ...rest] = await Promise.all([
        fs.readdir(at('d')),
        ...goes.map((name) => fs.unlink(at(`d/${name}`)).then(() => [])),
        ...goes.map((_, i) => fs.writeFile(at(`d/new ${i}`), '').then(() => [])),
        fs.readdir(at('d')),
      ]);
      for (const seen of [before ?? [], rest.at(-1) ?? []]) {
        const stay = seen.filter((name) => names.includes(name) && !goes.includes(name));
        same(stay.sort(), names.filter((name) => !goes.includes(name)).sort(), 'those that stay');
        same(new Set(seen).size, seen.length, 'names that are there twice');
      }
    },
  },
];

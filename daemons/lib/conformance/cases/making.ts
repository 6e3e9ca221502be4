// Files and directories as open(2) and mkdir(2) make and find them, and what paths may be. POSIX.1-2024.

import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from '../../../../kernel/abi/constants.ts';
import { type Case, refused, same } from '../subject.ts';

export const MAKING: readonly Case[] = [
  {
    claim: 'O_CREAT makes an empty file, and opens one that is there as it is',
    run: async ({ fs, at }) => {
      await (await fs.open(at('f'), O_RDWR | O_CREAT, 0o644)).close();
      const made = await fs.stat(at('f'));
      same([made.isFile(), made.size, made.nlink], [true, 0, 1], 'a new file');
      await fs.writeFile(at('f'), 'kept');
      await (await fs.open(at('f'), O_RDWR | O_CREAT, 0o644)).close();
      same(await fs.readFile(at('f'), 'utf8'), 'kept', 'the file');
    },
  },
  {
    claim: 'O_CREAT and O_EXCL of what is there is EEXIST',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), '');
      await fs.mkdir(at('d'));
      for (const name of ['f', 'd'])
        await refused('EEXIST', name, fs.open(at(name), O_RDWR | O_CREAT | O_EXCL, 0o644));
      await (await fs.open(at('new'), O_RDWR | O_CREAT | O_EXCL, 0o644)).close();
    },
  },
  {
    claim: 'what is not there is ENOENT: a file without O_CREAT, a directory on the way',
    run: async ({ fs, at }) => {
      await refused('ENOENT', 'open', fs.open(at('f'), O_RDWR));
      await refused('ENOENT', 'create below', fs.open(at('d/f'), O_RDWR | O_CREAT, 0o644));
      await refused('ENOENT', 'mkdir below', fs.mkdir(at('d/e')));
      await refused('ENOENT', 'stat', fs.stat(at('f')));
      await refused('ENOENT', 'readdir', fs.readdir(at('d')));
      await refused('ENOENT', 'truncate', fs.truncate(at('f'), 1));
      await refused('ENOENT', 'rename', fs.rename(at('f'), at('g')));
      same(await fs.readdir(at('')), [], 'what is there');
    },
  },
  {
    claim: 'a file on the way is ENOTDIR',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), 'x');
      await refused('ENOTDIR', 'open', fs.open(at('f/x'), O_RDONLY));
      await refused('ENOTDIR', 'create', fs.open(at('f/x'), O_RDWR | O_CREAT, 0o644));
      await refused('ENOTDIR', 'mkdir', fs.mkdir(at('f/x')));
      await refused('ENOTDIR', 'unlink', fs.unlink(at('f/x')));
      await refused('ENOTDIR', 'stat of f/', fs.stat(at('f/')));
      await refused('ENOTDIR', 'stat of f/.', fs.stat(at('f/.')));
      await refused('ENOTDIR', 'readdir', fs.readdir(at('f')));
      await fs.writeFile(at('g'), '');
      await refused('ENOTDIR', 'rename', fs.rename(at('g'), at('f/g')));
    },
  },
  {
    claim: 'O_DIRECTORY of a file is ENOTDIR; a directory that is to be written is EISDIR',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), '');
      await fs.mkdir(at('d'));
      await refused('ENOTDIR', 'a file', fs.open(at('f'), O_RDONLY | O_DIRECTORY));
      for (const flags of [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_RDONLY | O_CREAT])
        await refused('EISDIR', `flags ${flags}`, fs.open(at('d'), flags, 0o644));
      await using dir = await fs.open(at('d'), O_RDONLY | O_DIRECTORY);
      await refused('EISDIR', 'read', dir.read(new Uint8Array(8)));
    },
  },
  {
    claim: 'O_TRUNC empties a file; without it what is not written over stays',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), 'long content');
      await using over = await fs.open(at('f'), O_WRONLY);
      await over.write('LONG');
      same(await fs.readFile(at('f'), 'utf8'), 'LONG content', 'written over');
      await using empty = await fs.open(at('f'), O_WRONLY | O_TRUNC);
      same((await empty.stat()).size, 0, 'size');
      await empty.write('new');
      return async () => same(await fs.readFile(at('f'), 'utf8'), 'new', 'the file');
    },
  },
  {
    claim: 'a descriptor that is open for one thing does not do the other: EBADF',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), 'x');
      await using reads = await fs.open(at('f'), O_RDONLY);
      await using writes = await fs.open(at('f'), O_WRONLY);
      await refused('EBADF', 'write', reads.write('y'));
      await refused('EBADF', 'read', writes.read(new Uint8Array(1)));
      await refused(['EINVAL', 'EBADF'], 'truncate', reads.truncate(0));
      same(await fs.readFile(at('f'), 'utf8'), 'x', 'the file');
    },
  },
  {
    claim: 'mkdir of what is there is EEXIST; slashes behind its name do not count',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), '');
      await fs.mkdir(at('d//'));
      same((await fs.stat(at('d/'))).isDirectory(), true, 'd');
      for (const name of ['f', 'd', 'd/', 'd/.', 'd/..', '.'])
        await refused('EEXIST', name, fs.mkdir(at(name)));
    },
  },
  {
    claim: 'a file is not made by a name with a slash behind it',
    run: async ({ fs, at }) => {
      await refused('EISDIR', 'create', fs.open(at('f/'), O_RDWR | O_CREAT, 0o644));
      same(await fs.readdir(at('')), [], 'what is there');
    },
  },
  {
    claim: 'the longest name is made, found, listed and kept; one letter more is ENAMETOOLONG',
    run: async ({ fs, at, can }) => {
      const name = 'n'.repeat(can.longestName);
      await fs.writeFile(at(name), 'long');
      await fs.mkdir(at(`${name.slice(1)}d`));
      await refused('ENAMETOOLONG', 'create', fs.open(at(`${name}n`), O_RDWR | O_CREAT, 0o644));
      await refused('ENAMETOOLONG', 'mkdir', fs.mkdir(at(`${name}n`)));
      await refused('ENAMETOOLONG', 'rename', fs.rename(at(name), at(`${name}n`)));
      await refused(['ENAMETOOLONG', 'ENOENT'], 'stat', fs.stat(at(`${name}n`)));
      const there = async (): Promise<void> => {
        same((await fs.readdir(at(''))).sort(), [`${name.slice(1)}d`, name].sort(), 'the names');
        same(await fs.readFile(at(name), 'utf8'), 'long', 'the file');
      };
      await there();
      return there;
    },
  },
  {
    claim: 'a path of 4,096 bytes is ENAMETOOLONG, a shorter one is walked',
    run: async ({ fs, at, dir }) => {
      await fs.writeFile(at('f'), '');
      const dots = (length: number): string =>
        `${dir}/${'./'.repeat(Math.floor((length - dir.length - 2) / 2))}f`;
      same((await fs.stat(dots(4090))).isFile(), true, 'a long path');
      await refused('ENAMETOOLONG', 'a longer one', fs.stat(dots(4100)));
    },
  },
  {
    claim: 'twenty directories deep, there and back',
    run: async ({ fs, at }) => {
      let path = 'd0';
      for (let i = 1; i < 20; i++) path += `/d${i}`;
      await fs.mkdir(at(path), { recursive: true });
      await fs.writeFile(at(`${path}/f`), 'deep');
      const up = '/..'.repeat(20);
      same(await fs.readdir(at(`${path}${up}`)), ['d0'], 'by way of ..');
      return async () => same(await fs.readFile(at(`${path}/f`), 'utf8'), 'deep', 'the file');
    },
  },
  {
    claim: 'O_NOFOLLOW of a symbolic link is ELOOP; O_CREAT makes what a dangling one names',
    needs: (can) => can.symlinks,
    run: async ({ fs, at }) => {
      await fs.symlink('target', at('l'));
      await refused('ELOOP', 'O_NOFOLLOW', fs.open(at('l'), O_RDONLY | O_NOFOLLOW));
      await refused('EEXIST', 'O_EXCL', fs.open(at('l'), O_RDWR | O_CREAT | O_EXCL, 0o644));
      await refused('ENOENT', 'read', fs.readFile(at('l')));
      await using file = await fs.open(at('l'), O_RDWR | O_CREAT, 0o644);
      await file.write('through');
      same(await fs.readFile(at('target'), 'utf8'), 'through', 'the target');
    },
    otherwise: ({ fs, at }) => refused('EPERM', 'symlink', fs.symlink('target', at('l'))),
  },
];

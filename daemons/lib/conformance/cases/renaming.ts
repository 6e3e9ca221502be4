// rename(2): what replaces what, what stays, and every way in which it is refused. POSIX.1-2024.

import { type Case, refused, same } from '../subject.ts';

export const RENAMING: readonly Case[] = [
  {
    claim: 'a file that is renamed keeps its number and its bytes; the old name is gone',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('a'), 'content');
      const { ino } = await fs.stat(at('a'));
      await fs.rename(at('a'), at('b'));
      await refused('ENOENT', 'the old name', fs.stat(at('a')));
      same((await fs.stat(at('b'))).ino, ino, 'the number');
      return async () => {
        same(await fs.readdir(at('')), ['b'], 'the names');
        same(await fs.readFile(at('b'), 'utf8'), 'content', 'the file');
      };
    },
  },
  {
    claim: 'a file replaces a file; who had that one open still has it',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('a'), 'new');
      await fs.writeFile(at('b'), 'old content');
      await using old = await fs.open(at('b'), 'r+');
      await fs.rename(at('a'), at('b'));
      same(await fs.readdir(at('')), ['b'], 'the names');
      same(await fs.readFile(at('b'), 'utf8'), 'new', 'the file');
      same(await old.readFile('utf8'), 'old content', 'the one that was replaced');
      await old.write('OLD', { position: 0 });
      same(await fs.readFile(at('b'), 'utf8'), 'new', 'the file still');
    },
  },
  {
    claim: 'a file that is open when it is renamed stays the same file',
    run: async ({ fs, at }) => {
      await fs.mkdir(at('d'));
      await using file = await fs.open(at('a'), 'w+');
      await file.write('before ');
      await fs.rename(at('a'), at('d/b'));
      await file.write('after');
      await file.sync();
      same(await fs.readFile(at('d/b'), 'utf8'), 'before after', 'by its new name');
      same((await file.stat()).ino, (await fs.stat(at('d/b'))).ino, 'the number');
    },
  },
  {
    claim: 'a file over a directory is EISDIR, a directory over a file ENOTDIR; both stay',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), 'x');
      await fs.mkdir(at('d'));
      await refused('EISDIR', 'file over directory', fs.rename(at('f'), at('d')));
      await refused('ENOTDIR', 'directory over file', fs.rename(at('d'), at('f')));
      same((await fs.readdir(at(''))).sort(), ['d', 'f'], 'the names');
    },
  },
  {
    claim: 'a directory replaces an empty one, and no other',
    run: async ({ fs, at }) => {
      await fs.mkdir(at('a/below'), { recursive: true });
      await fs.mkdir(at('empty'));
      await fs.mkdir(at('full'));
      await fs.writeFile(at('full/f'), '');
      await refused(['ENOTEMPTY', 'EEXIST'], 'a full one', fs.rename(at('a'), at('full')));
      await fs.rename(at('a'), at('empty'));
      return async () => {
        same((await fs.readdir(at(''))).sort(), ['empty', 'full'], 'the names');
        same(await fs.readdir(at('empty')), ['below'], 'what came with it');
        same(await fs.readdir(at('full')), ['f'], 'what was not replaced');
      };
    },
  },
  {
    claim: 'a directory does not move into itself: EINVAL; nor onto one above it: ENOTEMPTY',
    run: async ({ fs, at }) => {
      await fs.mkdir(at('a/b/c'), { recursive: true });
      await refused('EINVAL', 'into itself', fs.rename(at('a'), at('a/x')));
      await refused('EINVAL', 'below itself', fs.rename(at('a'), at('a/b/c/x')));
      await refused('EINVAL', 'onto one below', fs.rename(at('a'), at('a/b')));
      await refused(['ENOTEMPTY', 'EEXIST'], 'onto one above', fs.rename(at('a/b/c'), at('a')));
      same(await fs.readdir(at('a/b')), ['c'], 'the tree');
    },
  },
  {
    claim: 'onto itself nothing happens; what is missing is ENOENT; . and .. are EBUSY or EINVAL',
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), 'x');
      await fs.mkdir(at('d'));
      await fs.rename(at('f'), at('f'));
      await fs.rename(at('d'), at('d/'));
      await refused('ENOENT', 'from', fs.rename(at('none'), at('g')));
      await refused('ENOENT', 'to', fs.rename(at('f'), at('none/g')));
      await refused('ENOTDIR', 'a file with a slash', fs.rename(at('f'), at('g/')));
      await refused(['EBUSY', 'EINVAL'], '.', fs.rename(at('d/.'), at('e')));
      await refused(
        ['EBUSY', 'EINVAL', 'EEXIST', 'ENOTEMPTY'],
        '..',
        fs.rename(at('f'), at('d/..')),
      );
      same((await fs.readdir(at(''))).sort(), ['d', 'f'], 'the names');
    },
  },
  {
    claim: 'a directory that moves has its new parent as .., and the link counts follow',
    run: async ({ fs, at, can }) => {
      await fs.mkdir(at('from/moved/below'), { recursive: true });
      await fs.mkdir(at('to'));
      const links = async (): Promise<number[]> => [
        (await fs.stat(at('from'))).nlink,
        (await fs.stat(at('to'))).nlink,
      ];
      if (can.countsSubdirectories) same(await links(), [3, 2], 'links before');
      await fs.rename(at('from/moved'), at('to/moved'));
      const moved = async (): Promise<void> => {
        if (can.countsSubdirectories) same(await links(), [2, 3], 'links after');
        const [up, to] = [await fs.stat(at('to/moved/..')), await fs.stat(at('to'))];
        same(up.ino, to.ino, 'the number of ..');
        same(await fs.readdir(at('to/moved')), ['below'], 'what is in it');
        same(await fs.readdir(at('from')), [], 'where it was');
      };
      await moved();
      return moved;
    },
  },
  {
    claim: 'many renames back and forth lose nothing and leave nothing',
    run: async ({ fs, at }) => {
      await fs.mkdir(at('d'));
      for (let i = 0; i < 6; i++) await fs.writeFile(at(`file number ${i}`), `content ${i}`);
      for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 6; i++) {
          const [out, back] = [at(`file number ${i}`), at(`d/${'long '.repeat(i % 5)}name ${i}`)];
          await fs.rename(out, back);
          if (round < 1) await fs.rename(back, out);
        }
      }
      return async () => {
        same(await fs.readdir(at('')), ['d'], 'the names');
        for (let i = 0; i < 6; i++) {
          const name = `d/${'long '.repeat(i % 5)}name ${i}`;
          same(await fs.readFile(at(name), 'utf8'), `content ${i}`, name);
        }
      };
    },
  },
  {
    claim: 'two names of one file: rename does nothing and both stay',
    needs: (can) => can.hardLinks,
    run: async ({ fs, at }) => {
      await fs.writeFile(at('a'), 'x');
      await fs.link(at('a'), at('b'));
      await fs.rename(at('a'), at('b'));
      same((await fs.readdir(at(''))).sort(), ['a', 'b'], 'the names');
      same((await fs.stat(at('a'))).nlink, 2, 'links');
    },
    otherwise: async ({ fs, at }) => {
      await fs.writeFile(at('a'), 'x');
      await refused('EPERM', 'link', fs.link(at('a'), at('b')));
    },
  },
  {
    claim: 'a symbolic link is renamed and replaced itself, not what it names',
    needs: (can) => can.symlinks,
    run: async ({ fs, at }) => {
      await fs.writeFile(at('target'), 'x');
      await fs.symlink('target', at('l'));
      await fs.rename(at('l'), at('m'));
      same(await fs.readlink(at('m')), 'target', 'the link');
      await fs.writeFile(at('f'), 'y');
      await fs.rename(at('f'), at('m'));
      same(
        [(await fs.lstat(at('m'))).isFile(), await fs.readFile(at('target'), 'utf8')],
        [true, 'x'],
        'm',
      );
    },
    otherwise: ({ fs, at }) => refused('EPERM', 'symlink', fs.symlink('target', at('l'))),
  },
];

// Links, modes, owners, times, extended attributes, special files: as far as a format has them.
// POSIX.1-2024; xattr(7).

import { type Case, refused, type Subject, same } from '../subject.ts';

const permissions = async ({ fs, at }: Subject, path: string): Promise<string> =>
  ((await fs.lstat(at(path))).mode & 0o7777).toString(8);

export const ATTRIBUTES: readonly Case[] = [
  {
    claim: 'a hard link is the same file: number, bytes, count, until the last name goes',
    needs: (can) => can.hardLinks,
    run: async ({ fs, at }) => {
      await fs.mkdir(at('d'));
      await fs.writeFile(at('a'), 'one');
      await fs.link(at('a'), at('d/b'));
      await fs.link(at('d/b'), at('c'));
      const [a, b] = [await fs.stat(at('a')), await fs.stat(at('d/b'))];
      same([a.ino === b.ino, a.nlink, b.nlink], [true, 3, 3], 'the file');
      await fs.writeFile(at('d/b'), 'two');
      same(await fs.readFile(at('a'), 'utf8'), 'two', 'by the first name');
      await fs.unlink(at('a'));
      same((await fs.stat(at('c'))).nlink, 2, 'links');
      return async () => {
        same(await fs.readFile(at('c'), 'utf8'), 'two', 'by the last name');
        same((await fs.stat(at('d/b'))).nlink, 2, 'links');
      };
    },
    otherwise: async ({ fs, at }) => {
      await fs.writeFile(at('a'), 'one');
      await refused('EPERM', 'link', fs.link(at('a'), at('b')));
      same(await fs.readdir(at('')), ['a'], 'the names');
    },
  },
  {
    claim: 'link over what is there is EEXIST, of a directory EPERM, of nothing ENOENT',
    needs: (can) => can.hardLinks,
    run: async ({ fs, at }) => {
      await fs.writeFile(at('a'), '');
      await fs.mkdir(at('d'));
      await refused('EEXIST', 'over a file', fs.link(at('a'), at('a')));
      await refused('EEXIST', 'over a directory', fs.link(at('a'), at('d')));
      await refused('EPERM', 'of a directory', fs.link(at('d'), at('e')));
      await refused('ENOENT', 'of nothing', fs.link(at('none'), at('e')));
      same((await fs.stat(at('a'))).nlink, 1, 'links');
    },
    otherwise: async ({ fs, at }) => {
      await fs.mkdir(at('d'));
      await refused('EPERM', 'of a directory', fs.link(at('d'), at('e')));
    },
  },
  {
    claim: 'a symbolic link holds its text, short or long, and leads where it says',
    needs: (can) => can.symlinks,
    run: async ({ fs, at, dir }) => {
      await fs.mkdir(at('d'));
      await fs.writeFile(at('d/f'), 'x');
      const targets = ['d/f', './d/../d/f', `${dir}/d/f`, `${'./'.repeat(400)}d/f`, 'n'.repeat(60)];
      for (const [i, target] of targets.entries()) await fs.symlink(target, at(`l${i}`));
      for (let i = 0; i < 4; i++) same(await fs.readFile(at(`l${i}`), 'utf8'), 'x', `by l${i}`);
      await refused('ENOENT', 'a dangling one', fs.stat(at('l4')));
      return async () => {
        for (const [i, target] of targets.entries()) {
          same(await fs.readlink(at(`l${i}`)), target, `l${i}`);
          const { size } = await fs.lstat(at(`l${i}`));
          same(size, target.length, `size of l${i}`);
        }
      };
    },
    otherwise: async ({ fs, at }) => {
      await refused('EPERM', 'symlink', fs.symlink('d/f', at('l')));
      same(await fs.readdir(at('')), [], 'the names');
    },
  },
  {
    claim: 'symlink over what is there is EEXIST, too long ENAMETOOLONG; a loop is ELOOP',
    needs: (can) => can.symlinks,
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), '');
      await refused('EEXIST', 'over a file', fs.symlink('x', at('f')));
      await refused('ENAMETOOLONG', 'of 4,096 bytes', fs.symlink('x'.repeat(4096), at('l')));
      await refused('ENOENT', 'of nothing', fs.symlink('', at('l')));
      await refused('EINVAL', 'readlink of a file', fs.readlink(at('f')));
      await fs.symlink('b', at('a'));
      await fs.symlink('a', at('b'));
      await refused('ELOOP', 'a loop', fs.stat(at('a')));
      await refused('ELOOP', 'a loop on the way', fs.stat(at('a/x')));
      same((await fs.lstat(at('a'))).isSymbolicLink(), true, 'the link itself');
      await fs.unlink(at('a'));
      await refused('ENOENT', 'no loop any more', fs.stat(at('b')));
    },
    otherwise: async ({ fs, at }) => {
      await fs.writeFile(at('f'), '');
      await refused(['EPERM', 'EEXIST'], 'over a file', fs.symlink('x', at('f')));
      await refused('EINVAL', 'readlink of a file', fs.readlink(at('f')));
    },
  },
  {
    claim: 'every bit of a mode is kept, by files, directories, and after a remount',
    needs: (can) => can.modes,
    run: async (it) => {
      const { fs, at } = it;
      const modes = ['0', '777', '421', '4755', '2711', '1644'];
      for (const mode of modes) {
        await fs.writeFile(at(`f${mode}`), '');
        await fs.chmod(at(`f${mode}`), Number.parseInt(mode, 8));
        await fs.mkdir(at(`d${mode}`));
        await fs.chmod(at(`d${mode}`), Number.parseInt(mode, 8));
      }
      await fs.mkdir(at('made'), { mode: 0o751 });
      same(await permissions(it, 'made'), '751', 'made with a mode');
      return async () => {
        for (const mode of modes)
          same(
            [await permissions(it, `f${mode}`), await permissions(it, `d${mode}`)],
            [mode, mode],
            mode,
          );
      };
    },
    otherwise: async (it) => {
      const { fs, at } = it;
      await fs.writeFile(at('f'), 'x');
      const written = (await permissions(it, 'f')).replace(/[2367]/g, (d) => `${Number(d) & 5}`);
      await fs.chmod(at('f'), 0o555);
      same(await permissions(it, 'f'), written, 'not writable');
      await fs.chmod(at('f'), 0o777);
      same((await fs.stat(at('f'))).mode & 0o200, 0o200, 'writable again');
    },
  },
  {
    claim: 'owners are kept; -1 leaves them',
    needs: (can) => can.modes,
    run: async ({ fs, at }) => {
      await fs.writeFile(at('f'), '');
      await fs.chown(at('f'), 1234, 70_000);
      await fs.chown(at('f'), -1, 5);
      return async () => {
        const { uid, gid } = await fs.stat(at('f'));
        same([uid, gid], [1234, 5], 'owner and group');
      };
    },
    otherwise: async ({ fs, at }) => {
      await fs.writeFile(at('f'), '');
      await refused('EPERM', 'chown', fs.chown(at('f'), 1234, 5));
      same((await fs.stat(at('f'))).uid, 0, 'owner');
    },
  },
  {
    claim: 'times are kept as finely as the format has them, from its first to its last',
    run: async ({ fs, at, can }) => {
      const { first, last } = can.times;
      const times = [first, 946_684_801.123_456, 1_700_000_003, 2_000_000_000.999, last];
      for (const [i, time] of times.entries()) {
        await fs.writeFile(at(`f${i}`), '');
        await fs.utimes(at(`f${i}`), time, time);
      }
      const kept = async (): Promise<void> => {
        for (const [i, time] of times.entries()) {
          const { mtimeMs } = await fs.stat(at(`f${i}`));
          const behind = time - mtimeMs / 1000;
          if (behind < -1e-6 || behind >= can.timeStep + 1e-6)
            throw new Error(`${mtimeMs} ms where ${time} s were set`);
        }
      };
      await kept();
      return kept;
    },
  },
  {
    claim: 'to write, or to cut, is a new mtime; to read is not',
    run: async ({ fs, at }) => {
      const old = 1_000_000_000;
      const mtime = async (path: string): Promise<number> =>
        (await fs.stat(at(path))).mtimeMs / 1000;
      for (const name of ['w', 't', 'r']) {
        await fs.writeFile(at(name), 'some bytes');
        await fs.utimes(at(name), old, old);
        same(await mtime(name), old, `set, of ${name}`);
      }
      await using file = await fs.open(at('w'), 'r+');
      await file.write('new');
      await file.sync();
      await fs.truncate(at('t'), 4);
      await fs.readFile(at('r'));
      same([(await mtime('w')) > old, (await mtime('t')) > old], [true, true], 'written and cut');
      same(await mtime('r'), old, 'read');
    },
  },
  {
    claim: 'a directory has a new mtime when a name comes, goes or changes',
    run: async ({ fs, at }) => {
      const old = 1_000_000_000;
      await fs.mkdir(at('d'));
      await fs.mkdir(at('e'));
      const steps: readonly [string, () => Promise<void>][] = [
        ['create', () => fs.writeFile(at('d/f'), '')],
        ['mkdir', () => fs.mkdir(at('d/g'))],
        ['rename', () => fs.rename(at('d/f'), at('d/h'))],
        ['rename away', () => fs.rename(at('d/h'), at('e/h'))],
        ['rename back', () => fs.rename(at('e/h'), at('d/h'))],
        ['unlink', () => fs.unlink(at('d/h'))],
        ['rmdir', () => fs.rmdir(at('d/g'))],
      ];
      for (const [what, step] of steps) {
        await fs.utimes(at('d'), old, old);
        await step();
        same((await fs.stat(at('d'))).mtimeMs / 1000 > old, true, what);
      }
    },
  },
  {
    claim: 'extended attributes are set, listed, replaced, removed, and kept',
    needs: (can) => can.xattrs === 'any',
    run: async ({ sh }) => {
      const said = await sh(
        `echo x > f; for i in 1 2; do setfattr -n user.n$i -v "value $i" f; done
         setfattr -n user.n2 -v 0x00ff f; setfattr -x user.n1 f; getfattr -n user.n1 f`,
      );
      same(said, 'getfattr: f: user.n1: No data available\n', 'one that is removed');
      return async () => {
        same(await sh('getfattr -d f'), '# file: f\nuser.n2=0x00ff\n\n', 'what is kept');
      };
    },
    otherwise: async ({ sh }) => {
      const said = await sh('echo x > f; setfattr -n user.n -v value f');
      same(/Operation not supported/.test(said), true, said);
      same(await sh('getfattr -d f'), '', 'what is kept');
    },
  },
  {
    claim: 'the Finder and resources: com.apple.FinderInfo and com.apple.ResourceFork are kept',
    needs: (can) => can.type.startsWith('hfs'),
    run: async ({ fs, at, sh }) => {
      const info = '54455854747478740100'.padEnd(64, '0');
      await sh(`echo data > f; setfattr -n com.apple.FinderInfo -v 0x${info} f`);
      await sh('setfattr -n com.apple.ResourceFork -v "the resources" f');
      return async () => {
        const both = 'getfattr -n com.apple.FinderInfo f; getfattr -n com.apple.ResourceFork f';
        const due = [`com.apple.FinderInfo=0x${info}`, 'com.apple.ResourceFork="the resources"'];
        same(
          (await sh(both)).split('\n').filter((line) => line.startsWith('com.')),
          due,
          'kept',
        );
        same(await fs.readFile(at('f'), 'utf8'), 'data\n', 'the data fork');
      };
    },
    otherwise: async ({ sh, can }) => {
      const said = await sh('echo x > f; setfattr -n com.apple.FinderInfo -v 0x00 f');
      if (can.xattrs === 'none') same(/Operation not supported/.test(said), true, said);
    },
  },
  {
    claim: 'a FIFO is made, carries bytes, and is one after a remount',
    needs: (can) => can.specialFiles,
    run: async ({ sh }) => {
      same(await sh('mkfifo p; echo through > p & cat p; wait'), 'through\n', 'its bytes');
      return async () => same(await sh('ls -F'), 'p|\n', 'its kind');
    },
    otherwise: async ({ fs, at, sh }) => {
      same(/Operation not permitted/.test(await sh('mkfifo p')), true, 'mkfifo');
      same(await fs.readdir(at('')), [], 'the names');
    },
  },
];

// Names: which are one name, which there cannot be, and that every other comes back as it was given.

import { O_CREAT, O_RDWR } from '../../../../kernel/abi/constants.ts';
import { type Case, refused, same } from '../subject.ts';

/** Names that every format can hold. */
const ODD = [
  ' lead',
  '.hidden',
  '-n',
  'a  b',
  "it's",
  '#!%&',
  'a,b;c=d[e]',
  'ü',
  'Ünï çødé',
  '~',
  'a.b.c.d',
  'x',
];
/** Those of formats without an alphabet of their own. */
const WIDE = ['\u4e2d\u6587', '\u{1f600}', 'ﬁ', '\u0431\u043e\u0440'];

export const NAMES: readonly Case[] = [
  {
    claim: 'odd names are listed as they were given, and found',
    run: async ({ fs, at, can }) => {
      const bad = new Set(can.badNames);
      const wide = can.type === 'hfs' ? [] : WIDE;
      const names = [...ODD, ...wide, 'tail ', 'a\nb', 'a"b', 'a\\b', 'a:b'].filter(
        (one) => !bad.has(one),
      );
      for (const name of names) await fs.writeFile(at(name), name);
      const there = async (): Promise<void> => {
        same((await fs.readdir(at(''))).sort(), [...names].sort(), 'the names');
        for (const name of names) same(await fs.readFile(at(name), 'utf8'), name, `'${name}'`);
      };
      await there();
      return there;
    },
  },
  {
    claim: 'what the format has no way to write down is EINVAL, and nothing is made',
    needs: (can) => can.badNames.length > 0,
    run: async ({ fs, at, can }) => {
      await fs.writeFile(at('f'), '');
      for (const name of can.badNames) {
        await refused('EINVAL', `create '${name}'`, fs.open(at(name), O_RDWR | O_CREAT, 0o644));
        await refused('EINVAL', `mkdir '${name}'`, fs.mkdir(at(name)));
        await refused('EINVAL', `rename to '${name}'`, fs.rename(at('f'), at(name)));
        await refused('ENOENT', `stat '${name}'`, fs.stat(at(name)));
      }
      same(await fs.readdir(at('')), ['f'], 'the names');
    },
    otherwise: async ({ fs, at }) => {
      for (const name of ['a\u0001', 'a\\b', 'tail.', '*?|<>']) await fs.writeFile(at(name), '');
      same((await fs.readdir(at(''))).length, 4, 'names');
    },
  },
  {
    claim: 'letters in another case are the same name, which is shown as it was given',
    needs: (can) => !can.caseSensitive,
    run: async ({ fs, at }) => {
      await fs.writeFile(at('Name.Txt'), 'one');
      await fs.mkdir(at('Dir'));
      same(await fs.readFile(at('nAME.tXT'), 'utf8'), 'one', 'by other letters');
      await refused('EEXIST', 'mkdir', fs.mkdir(at('DIR')));
      await refused('EEXIST', 'open', fs.open(at('NAME.TXT'), 'wx'));
      await fs.writeFile(at('dir/F'), 'two');
      same((await fs.readdir(at(''))).sort(), ['Dir', 'Name.Txt'], 'the names');
      await fs.rename(at('name.txt'), at('NAME.txt'));
      await fs.rename(at('dir'), at('DIR'));
      return async () => {
        same((await fs.readdir(at(''))).sort(), ['DIR', 'NAME.txt'], 'the names then');
        same(await fs.readFile(at('Dir/f'), 'utf8'), 'two', 'what is in it');
        await fs.unlink(at('name.TXT'));
        same(await fs.readdir(at('')), ['DIR'], 'what is left');
      };
    },
    otherwise: async ({ fs, at }) => {
      for (const name of ['name', 'Name', 'NAME']) await fs.writeFile(at(name), name);
      await fs.rename(at('name'), at('nAME'));
      same((await fs.readdir(at(''))).sort(), ['NAME', 'Name', 'nAME'], 'the names');
      same(await fs.readFile(at('nAME'), 'utf8'), 'name', 'one of them');
      await refused('ENOENT', 'a fourth', fs.stat(at('NamE')));
    },
  },
  {
    claim: 'a letter with its accent is one name with the letter and the accent',
    needs: (can) => can.composes,
    run: async ({ fs, at }) => {
      await fs.writeFile(at('caf\u00e9'), 'x');
      same(await fs.readFile(at('cafe\u0301'), 'utf8'), 'x', 'by two characters');
      same(
        (await fs.readdir(at(''))).map((name) => name.normalize('NFC')),
        ['caf\u00e9'],
        'the names',
      );
      await fs.unlink(at('cafe\u0301'));
      await refused('ENOENT', 'by one', fs.stat(at('caf\u00e9')));
    },
    otherwise: async ({ fs, at }) => {
      await fs.writeFile(at('caf\u00e9'), 'one');
      await fs.writeFile(at('cafe\u0301'), 'two');
      same((await fs.readdir(at(''))).sort(), ['cafe\u0301', 'caf\u00e9'], 'the names');
      same(await fs.readFile(at('caf\u00e9'), 'utf8'), 'one', 'the first');
    },
  },
  {
    claim: '. and .. are the directory and the one above, and are no names to be made',
    run: async ({ fs, at }) => {
      await fs.mkdir(at('d'));
      const [d, dot, up, here] = [
        await fs.stat(at('d')),
        await fs.stat(at('d/.')),
        await fs.stat(at('d/..')),
        await fs.stat(at('')),
      ];
      same([dot.ino, up.ino], [d.ino, here.ino], 'the numbers');
      await refused(['EEXIST', 'EISDIR'], 'create .', fs.open(at('d/.'), 'wx'));
      await refused(['EEXIST', 'EISDIR'], 'create ..', fs.open(at('d/..'), 'wx'));
    },
  },
];

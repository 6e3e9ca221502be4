// `file`, and the files of many kinds that it is tried on: the beginnings of formats as their specifications
// lay them out, texts of languages and encodings. One byte a character.

import type { Case } from './case.ts';
import { bytes, textOf } from './inputs.ts';
import type { Random } from './random.ts';

/** What the host's tables of kinds and ours both tell: not all kinds there are. */
export function fileCase(r: Random): Omit<Case, 'program'> {
  const files = { a: kind(r), b: kind(r), 'c d': kind(r), empty: '' };
  const names = r.list(1, 4, () =>
    r.pick(['a', 'b', 'c d', 'a', 'b', 'empty', 'd', 'l', 'p', 'missing', '-', 's', 'n\nl', '-x']),
  );
  const options = r.some(
    '-b|-i|-L|-h|--mime-type|-N|-0|-F=|-F ->|--mime-encoding|-r|-E|-00|-n|-p|-s'.split('|'),
    3,
  );
  // A pipe would be read, and waited for; of what is not there the host's tells an error of its own.
  const isSafe = (name: string): boolean => !(options.includes('-s') && /^[p-]$/.test(name));
  const marks = r.pick(['4755', '2755', '1644', '7644', '644', '644']);
  return {
    files,
    setup: [
      `mkdir d; ln -s a l; mkfifo p; cp a s; chmod ${marks} s; chmod ${r.pick(['1777', '2755', '755'])} d`,
      `printf 'a\\nb\\n' > list; printf x > 'n\nl'`,
    ],
    // What stands behind -f does not hold for its names, nor for some that follow.
    words: [
      'file',
      ...options,
      ...r.pick([[], [], [], ['-f', 'list']]),
      '--',
      ...names.filter(isSafe),
    ],
    stdin: 'b',
  };
}

const kind = (r: Random): string => {
  const from = r.below(8);
  if (from < 3) return r.pick(scripts)(r);
  if (from < 6) return r.pick(formats)(r);
  if (from === 6) return r.pick(encodings)(r);
  return r.once(2)
    ? `~\0${bytes(r)}`
    : textOf(r, r.pick(['words', 'integers', 'prose', 'long', 'numbers']));
};

const le = (value: number, size: number): string =>
  Array.from({ length: size }, (_, i) =>
    String.fromCharCode(Math.floor(value / 256 ** i) % 256),
  ).join('');
const be = (value: number, size: number): string => [...le(value, size)].reverse().join('');

/** A text with others written over it at their places. */
function laid(size: number, parts: Readonly<Record<number, string>>): string {
  const out = Array.from({ length: size }, () => '\0');
  for (const [at, part] of Object.entries(parts))
    for (let i = 0; i < part.length; i++) out[Number(at) + i] = part[i] ?? '';
  return out.join('');
}

type Make = (r: Random) => string;

const formats: readonly Make[] = [
  (r) => {
    const name = r.pick(['', 'name.txt']);
    const flags = name === '' ? 0 : 8;
    const time = r.pick([0, 1_000_000, 1_700_000_000]);
    const head = `\x1f\x8b\x08${le(flags, 1)}${le(time, 4)}${r.pick(['\0', '\x02', '\x04'])}${r.pick(['\x03', '\0'])}`;
    return `${head}${name === '' ? '' : `${name}\0`}\x03\0${le(0, 4)}${le(r.below(9999), 4)}`;
  },
  (r) => `BZh${1 + r.below(9)}1AY&SY${'\0'.repeat(10)}`,
  (r) => `\xfd7zXZ\0\0${r.pick(['\0', '\x01', '\x04', '\x0a'])}\xe6\xd6\xb4F`,
  (r) => `\x28\xb5\x2f\xfd${r.pick(['\x04', '\x24'])}\0\x01\0\0`,
  () => '\x04\x22\x4d\x18\x64\x40\xa7',
  tar,
  (r) => `${r.pick(['070701', '070702', '070707'])}${'0'.repeat(104)}a\0`,
  (r) =>
    laid(60, {
      ...{ 0: 'PK\x03\x04', 4: r.pick(['\x14', '\x0a', '\x2d']), 26: '\x05', 30: 'a.txt' },
      ...{ 8: r.pick(['\0', '\x08']), 10: '\x21\x50', 12: '\x21\x58', 35: 'hello' },
    }),
  () => `PK\x05\x06${'\0'.repeat(18)}`,
  () => '!<arch>\nfoo.o/          0           0     0     644     4         `\nabcd',
  (r) =>
    `\x89PNG\r\n\x1a\n\0\0\0\rIHDR${be(r.below(3000), 4)}${be(r.below(3000), 4)}${r.pick(['\x08', '\x10'])}${r.pick(['\0', '\x02', '\x03', '\x04', '\x06'])}\0\0${r.pick(['\0', '\x01'])}`,
  (r) => `GIF8${r.pick(['7', '9'])}a${le(r.below(900), 2)}${le(r.below(900), 2)}\x80\0\0`,
  (r) =>
    `\xff\xd8\xff\xe0\0\x10JFIF\0\x01${r.pick(['\x01', '\x02'])}${r.pick(['\0', '\x01', '\x02'])}${be(r.below(300), 2)}${be(r.below(300), 2)}\0\0`,
  (r) =>
    laid(80, {
      ...{ 0: 'BM', 2: le(70 + r.below(99), 4), 10: le(54, 4), 14: le(40, 4) },
      ...{ 18: le(1 + r.below(99), 4), 22: le(1 + r.below(99), 4), 26: le(1, 2) },
      28: le(r.pick([1, 8, 24, 32]), 2),
    }),
  (r) => `%PDF-1.${r.below(8)}\n%\xe2\xe3\n1 0 obj\n`,
  () => '\0asm\x01\0\0\0',
  sqlite,
  (r) =>
    `RIFF${le(36, 4)}WAVEfmt ${le(16, 4)}${le(1, 2)}${le(r.pick([1, 2]), 2)}${le(r.pick([8000, 44100]), 4)}${le(176400, 4)}${le(4, 2)}${le(r.pick([8, 16]), 2)}data${le(0, 4)}`,
  ext,
  fat,
  (r) =>
    laid(1200, {
      ...{
        1024: `BD${be(0, 8)}${be(0x0100, 2)}`,
        1038: be(3, 2),
        1042: be(1 + r.below(60_000), 2),
      },
      ...{ 1044: be(512 * (1 + r.below(9)), 4), 1060: `\x03${r.pick(['Vol', 'abc'])}` },
    }),
  (r) =>
    laid(1600, {
      ...{ 1024: `H+\0\x04${be(0x100, 4)}${r.pick(['Atol', '10.0', 'HFSJ'])}` },
      ...{ 1040: be(3_800_000_000, 4), 1044: be(3_850_000_000 + r.below(99999), 4) },
      ...{ 1052: be(3_800_000_001, 4), 1064: be(4096, 4), 1068: be(r.below(99999), 4) },
      1072: be(r.below(9999), 4),
    }),
  () => laid(512, { 510: '\x55\xaa' }),
];

function tar(r: Random): string {
  const head = (sum: string): string =>
    laid(1024, {
      ...{ 0: 'f', 100: '0000644', 108: '0000000', 116: '0000000', 124: '00000000000' },
      ...{ 136: '00000000000', 148: sum, 156: '0', 257: magic },
    });
  const magic = r.pick(['ustar\x0000', 'ustar  \0']);
  const sum = [...head('        ')].reduce((all, c) => all + c.charCodeAt(0), 0);
  return head(r.once(6) ? '0000001\0' : `${sum.toString(8).padStart(6, '0')}\0 `);
}

function sqlite(r: Random): string {
  return laid(100, {
    ...{ 0: 'SQLite format 3\0', 16: be(r.pick([4096, 1024, 1]), 2), 18: '\x01\x01\0\x40\x20\x20' },
    ...{ 24: be(1 + r.below(99), 4), 28: be(1 + r.below(99), 4), 40: be(r.below(20), 4) },
    ...{ 44: be(4, 4), 56: be(r.pick([1, 2, 3]), 4), 60: be(r.pick([0, 7]), 4) },
    ...{ 92: be(1 + r.below(99), 4), 96: be(3_040_001, 4) },
  });
}

function ext(r: Random): string {
  return laid(2048, {
    ...{ 1080: '\x53\xef', 1082: le(r.pick([1, 1, 1, 0, 3]), 2), 1086: le(0, 2), 1100: le(1, 4) },
    ...{ 1116: le(r.pick([0x38, 0x3c]), 4), 1120: le(r.pick([2, 0x42, 0x2c2, 0x46]), 4) },
    ...{ 1124: le(r.pick([0, 1, 3, 0x7b]), 4), 1128: '\x12\x34\x56\x78abcdefghijkl' },
    1144: r.pick(['', 'label', 'sixteen bytes ok']),
  });
}

function fat(r: Random): string {
  const wide = r.once(2);
  const id = wide ? 67 : 39;
  const small = r.once(2);
  return laid(1024, {
    ...{ 0: wide ? '\xeb\x58\x90mkfs.fat' : '\xeb\x3c\x90mkfs.fat', 11: le(512, 2) },
    ...{ 13: le(r.pick([1, 2, 4, 8]), 1), 14: le(r.pick(wide ? [32, 40] : [1, 4]), 2), 16: '\x02' },
    ...{ 17: le(wide ? 0 : r.pick([224, 512]), 2), 19: le(small ? 40_960 : 0, 2) },
    ...{ 21: r.pick(['\xf8', '\xf0']), 22: le(wide ? 0 : 40, 2), 24: le(r.pick([18, 32]), 2) },
    ...{ 26: le(r.pick([2, 4, 255]), 2), 28: le(r.pick([0, 2048]), 4) },
    ...{
      32: le(small ? 0 : 81_920, 4),
      ...(wide
        ? {
            36: le(630, 4),
            44: le(2, 4),
            48: le(r.pick([1, 1, 0, 2]), 2),
            50: le(r.pick([6, 6, 0]), 2),
          }
        : {}),
    },
    [id - 1]:
      `\x29${le(0x12345678, 4)}${r.pick(['NO NAME    ', 'BOOT       '])}${wide ? 'FAT32   ' : r.pick(['FAT12   ', 'FAT16   '])}`,
    ...(wide ? {} : { 512: r.pick(['', '\xf0\xff\xff']) }),
    510: '\x55\xaa',
  });
}

const interpreter = (r: Random): string => {
  const name = r.pick([
    ...['sh', 'bash', 'dash', 'zsh', 'ksh', 'csh', 'ash', 'awk', 'gawk', 'nawk', 'mawk', 'sed'],
    ...['perl', 'python', 'python3', 'ruby', 'lua', 'node', 'php', 'make', 'strange'],
  ]);
  const where = r.pick(['/bin/', '/usr/bin/', '/usr/local/bin/', '/opt/', '/usr/bin/env ']);
  return `#!${r.pick(['', '', ' '])}${where}${name}${r.pick(['', '', ' -f', ' -x '])}`;
};

const scripts: readonly Make[] = [
  (r) => `${interpreter(r)}\n${r.pick(['', 'echo\n', 'x = 1\n', '\xc3\xa9\n'])}`,
  (r) => `${interpreter(r)}\n`,
  (r) => `${r.pick(['<!DOCTYPE html>\n<html></html>', '<html><body>', '  <html>', '<HTML>'])}\n`,
  (r) => `<?xml version="1.0"${r.pick(['', ' encoding="utf-8"'])}?>\n<a/>\n`,
  (r) => `<svg xmlns="x">${r.pick(['', '\n'])}`,
  json,
  (r) => {
    const row = (): string => r.list(1, 3, () => r.pick(['a', '1', '"x,y"', ''])).join(',');
    return r.once(2) ? 'a,b\n1,2\n3,4\n' : `${r.list(1, 4, row).join('\n')}\n`;
  },
  (r) => `--- a\n+++ b\n${r.pick(['@@ -1 +1 @@\n-x\n+y\n', ''])}`,
  (r) => r.pick(['diff -u a b\n', '*** a\t2001\n--- b\n', 'Only in a: b\n']),
  (r) => `${r.pick(['From: a@b', 'Received: from x', 'Return-Path: x', 'Date: x'])}\n\nhi\n`,
  (r) => r.pick(['def f(x):\n  pass\n', 'from os import path\n', 'class A:\n  pass\n']),
  (r) => r.pick(['.\\" comment\n', '.TH A 1\n', '.Dd x\n']),
  (r) => r.pick(['#include <stdio.h>\nint x;\n', '#include "x.h"\n', '#pragma once\n']),
  (r) =>
    r.pick(['-----BEGIN CERTIFICATE-----\n', '%!PS-Adobe-3.0\n', '%!PS\n', 'ssh-rsa AAAA b\n']),
  () => '\\documentclass{article}\n',
  () => '<?php echo 1;\n',
];

function json(r: Random): string {
  const value = (depth: number): string =>
    r.pick([
      ...['1', '-1.5e3', '"s"', 'null', 'true', '"\\u00e9\\n"'],
      ...(depth < 2 ? [`[${value(depth + 1)}]`, `{"k": ${value(depth + 1)}}`] : []),
    ]);
  const one = (): string => r.pick([`{"a":${value(0)}}`, `[${value(0)}, 2]`, '{}', '[]']);
  return r.pick([one(), `${one()}\n`, `${one()}\n${one()}\n`, `${one()} x`, `{"a":${one()}`]);
}

const encodings: readonly Make[] = [
  (r) => `${r.pick(['\xef\xbb\xbf', ''])}h\xc3\xa9llo${r.pick(['\n', '', '\r\n'])}`,
  (r) =>
    `${r.pick(['h\xe9llo', 'h\x80\x93llo', 'a\x85b', '\xed\xa0\x80', 'caf\xc3', 'caf\xc3('])}\n`,
  () => '\xff\xfeh\0i\0\n\0',
  () => '\xfe\xff\0h\0i\0\r\0\n',
  (r) => r.list(1, 4, () => r.pick(['a', 'xy z'])).join(r.pick(['\r\n', '\r', '\n\r'])),
  (r) => `${'x'.repeat(r.pick([299, 300, 301, 400]))}${r.pick(['', '\n', '\ny\n'])}`,
  (r) => `a${r.pick(['\x08b', '\x1b[1m', '\x07', '\x0c', '\x0b', '\x0e', '\x7f', '\0'])}b\n`,
  (r) => r.pick(['x', '\n', 'xy', '\0', '\0\0', '\xff']),
];

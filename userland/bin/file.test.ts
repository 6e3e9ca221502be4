// file against the host's, for the kinds in our tables.

import test from 'ava';
import { compare } from '../libc/testing/differential.ts';

const tree = String.raw`
echo hello > a; : > empty; printf 'h\303\251\n' > u; printf 'h\351\n' > l1; printf 'a\r\nb\r\n' > crlf; printf 'abc' > nonl; printf '\000\001\002\003' > bin
printf '#!/bin/sh\necho\n' > sh; printf '#!/bin/bash\necho\n' > bash; printf '#!/usr/bin/env python3\nprint()\n' > py; printf '#!/usr/bin/perl\n' > pl; printf '#!/usr/bin/awk -f\n' > awk
printf '{"a": [1, 2]}\n' > js; head -c 400 /dev/zero | tr '\0' x > long; printf 'a\033[1mb\n' > esc; printf '\377\376a\0b\0' > u16; printf '\357\273\277abc\n' > bom
mkdir d; ln -s a sl; ln -s nope broken; mkfifo p; echo hello | gzip -n > gz; touch -d @1000000000 a u; tar cf tar a u; echo x | bzip2 > bz 2>/dev/null || :; echo x | xz > xz 2>/dev/null || :; echo x | zstd -q > zst 2>/dev/null || :
printf '\211PNG\r\n\032\n\000\000\000\rIHDR\000\000\000\020\000\000\000\040\010\006\000\000\000' > png; printf '\377\330\377\340\000\020JFIF\000\001\001\000\000\001\000\001\000\000' > jpg; printf 'GIF89a\001\000\002\000' > gif
printf '%%PDF-1.4\nabc\n' > pdf; printf '\000asm\001\000\000\000' > wasm; printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\001\000\076\000\001\000\000\000' > elf; head -c 60 /dev/zero >> elf
printf 'a\rb\r' > cr; printf 'a\nb\r\nc\n' > mixed; printf 'caf\302\205 \200\201x\n' > ext; printf '<?xml version="1.0"?>\n<a/>\n' > xml; printf '<!DOCTYPE html>\n<html></html>\n' > html; printf '!<arch>\n' > ar; printf 'SQLite format 3\000' > sq; head -c 2048 /dev/zero > zero
`;

const same = test.macro({
  exec(t, run: string, stdin: string) {
    compare(t, { run, tree, stdin });
  },
  title: (_, run: string, stdin: string) =>
    JSON.stringify(stdin === '' ? run : `${run} <<< ${stdin}`).slice(1, -1),
});

const cases: readonly (readonly [run: string, stdin?: string])[] = [
  [
    'file a ar awk bash bin bom broken bz cr crlf d elf empty esc ext gif html jpg js l1 long mixed nonl p pdf pl png py sh sl tar u u16 wasm xml xz zero zst missing',
  ],
  ['file -b a'],
  [
    'file -i a ar awk bash bin bom bz d elf empty ext gif gz html jpg js l1 nonl pdf pl png py sh tar u u16 wasm xml xz zst',
  ],
  ['file --mime-type a png d'],
  ['file --mime-encoding a u l1'],
  ['file -L sl d'],
  ['file -bi a missing'],
  ['file -', 'hello\n'],
];
for (const [run, stdin = ''] of cases) test(same, run, stdin);

// The bench in its quick form: that the report is whole. No time is asserted.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { host, tempDir } from '../testing/machine.ts';
import type { Result } from './row.ts';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

const bench = (...args: string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 300_000 });

/** Of every kind one, those that cost least; ATOLL_BENCH_ROWS=all takes all of them. */
const ROWS = process.env['ATOLL_BENCH_ROWS'] ?? 'read read-cold write ls mount spawn ring memory';

test('each row has a figure, and says what it is measured against', async (t) => {
  if (host('mke2fs', ['-V']) === undefined) {
    t.log('no mke2fs here: skipped');
    return t.pass();
  }
  await using dir = await tempDir();
  const json = join(dir.path, 'bench.json');
  const asked = ROWS === 'all' ? [] : ROWS.split(' ');
  const ran = bench('--quick', '--markdown', '--json', json, ...asked);
  t.is(ran.stderr, '');
  t.is(ran.status, 0);
  t.notRegex(ran.stdout, /could not be measured|\?|undefined|NaN/);
  const { rows } = JSON.parse(readFileSync(json, 'utf8')) as { rows: Result[] };
  for (const { id, figure, yardstick, target, met, note } of rows) {
    t.true(figure.value > 0, `${id}: ${figure.value}`);
    t.true(yardstick === undefined || yardstick.value > 0, id);
    t.is(target === '', met === undefined, `${id}: a target is met or not`);
    t.notRegex(note ?? '', /NaN|ext2fs:/);
    t.true(ran.stdout.includes(`\n${id} `), id);
  }
  const ids = rows.map(({ id }) => id);
  for (const [, id = ''] of bench('--help').stdout.matchAll(/^ {2}([a-z-]+) {2,}/gm)) {
    const due = asked.length === 0 || asked.includes(id);
    if (!id.startsWith('--')) t.is(ids.includes(id), due, id);
  }
  t.regex(ran.stdout, /^(Under target: [a-z-]+(, [a-z-]+)*|Every target is met\.)$/m);
});

test('a format on every controller has all its figures, and those of others are beside them', (t) => {
  if (host('mkfs.fat', ['--help']) === undefined || host('mcopy', ['--version']) === undefined) {
    t.log('no dosfstools or mtools here: skipped');
    return t.pass();
  }
  const ran = bench('--formats', '--quick', 'fat32');
  t.is(ran.stderr, '');
  t.is(ran.status, 0);
  const lines = ran.stdout.split('\n');
  const figuresOf = (who: string): string[] =>
    (lines.find((line) => line.trimStart().startsWith(who)) ?? '').slice(24).trim().split(/ +/);
  for (const controller of ['ahci', 'ide', 'virtio']) {
    const figures = figuresOf(`fat32 on ${controller}`);
    t.is(figures.length, 8, ran.stdout);
    for (const figure of figures) t.regex(figure, /^[1-9][\d,.]*$|^0\.\d+$/, ran.stdout);
  }
  t.deepEqual(
    figuresOf('mtools').map((figure) => figure !== '-'),
    [true, true, true, false, false, false, false, true],
  );
  t.deepEqual(
    figuresOf('fatfs of npm').map((figure) => figure !== '-'),
    [true, true, true, true, true, true, true, false],
  );
  t.regex(ran.stdout, /^(Ahead of each of them\.|Behind:)$/m);
});

test('a row that is none is told with those that are', (t) => {
  const ran = bench('nope');
  t.is(ran.status, 2);
  t.regex(ran.stdout, /^no row 'nope'\nUsage:/);
});

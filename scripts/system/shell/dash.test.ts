// The shell against dash: every snippet of snippets/ runs in one booted machine and in the host's
// dash; standard output and exit status must be equal, and an error must be an error in both.
// differences.txt holds what POSIX wants or allows otherwise: there the outcome is written down.

import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';
import { boot } from '../../../index.ts';
import { inAtoll, inHost, type Outcome } from './outcome.ts';
import { randomScript } from './random.ts';

const folder = new URL('../../../../scripts/system/shell/snippets/', import.meta.url);
const hasDash = spawnSync('dash', ['-c', ':']).status === 0;
/** Snippets at once: while one waits another runs. */
const lanes = 3;

interface Snippet {
  readonly name: string;
  readonly text: string;
}

async function snippets(): Promise<Snippet[]> {
  const all: Snippet[] = [];
  for (const file of (await readdir(folder)).sort()) {
    if (file === 'differences.txt') continue;
    const parts = (await readFile(new URL(file, folder), 'utf8')).split(/^%%\n/m);
    for (const [i, text] of parts.entries()) all.push({ name: `${file}:${i}`, text });
  }
  return all;
}

test('the shell does what dash does', async (t) => {
  if (!hasDash) {
    t.log('no dash here: skipped');
    t.pass();
    return;
  }
  const all = await snippets();
  t.true(all.length >= 1000, `only ${all.length} snippets`);
  const only = process.env['SNIPPET'];
  const todo = all.filter(({ name }) => only === undefined || name === only);
  // Before there is a machine: its memory would be part of every fork.
  const told = new Map<string, Outcome>();
  await sideBySide(todo, async ({ name, text }) => {
    told.set(name, await inHost('dash', text));
  });
  await using os = await boot({ disks: [] });
  await sideBySide(todo, async ({ name, text }) => {
    const ours = await inAtoll(os, text);
    t.deepEqual(ours, told.get(name), `SNIPPET=${name} runs it alone:\n${text}`);
  });
});

async function sideBySide(
  all: readonly Snippet[],
  work: (one: Snippet) => Promise<void>,
): Promise<void> {
  const todo = [...all];
  const run = async (): Promise<void> => {
    for (let one = todo.shift(); one !== undefined; one = todo.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: lanes }, run));
}

/** `# why`, the snippet, `%=` and its standard output, `%? status`, ` !` when it complains. */
function difference(part: string): { text: string; wanted: Outcome } {
  const [text = '', rest = ''] = part.replace(/^#.*\n/, '').split(/^%=\n/m);
  const [, stdout = '', status = '', bang] = /^(.*?)%\? (\d+)( !)?\n$/s.exec(rest) ?? [];
  return {
    text,
    wanted: {
      stdout: Buffer.from(stdout).toString('latin1'),
      status: Number(status),
      complains: bang !== undefined,
    },
  };
}

test('where dash does otherwise, the shell does what the standard says', async (t) => {
  const file = await readFile(new URL('differences.txt', folder), 'utf8');
  await using os = await boot({ disks: [] });
  for (const part of file.split(/^%%\n/m)) {
    const { text, wanted } = difference(part);
    t.deepEqual(await inAtoll(os, text), wanted, text);
  }
});

test('random expansions, patterns, arithmetic and printf come out as in dash', async (t) => {
  if (!hasDash) {
    t.log('no dash here: skipped');
    t.pass();
    return;
  }
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  t.log(`SEED=${seed}`);
  await using os = await boot({ disks: [] });
  const script = randomScript(seed, 600);
  const [ours, dash] = await Promise.all([inAtoll(os, script), inHost('dash', script)]);
  const expected = dash.stdout.split('\n');
  const at = ours.stdout.split('\n').findIndex((line, i) => line !== expected[i]);
  t.is(ours.stdout.split('\n')[at], expected[at]);
  t.is(ours.stdout, dash.stdout);
});

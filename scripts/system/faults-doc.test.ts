// The scenarios of docs/faults.md, run as they stand there, and the ready rules of scripts/faults.

import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { isProblem, parseRule, problemText, ruleLines } from '../../kernel/abi/fault/parse.ts';
import { ATOLL, atoll, host, makeExt4, tempDir } from '../testing/machine.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const guide = await readFile(join(root, 'docs/faults.md'), 'utf8');

interface Scenario {
  readonly number: string;
  readonly title: string;
  readonly lines: readonly string[];
}

const scenarios: Scenario[] = [
  ...guide.slice(guide.indexOf('## Scenarios')).matchAll(/^(\d+)\\\. (.*?)\n\n```\n(.*?)\n```/gms),
].map(([, number = '', title = '', text = '']) => ({ number, title, lines: text.split('\n') }));

const COMMAND = /^[#$] /;
const commands = ({ lines }: Scenario): string[] =>
  lines.filter((line) => COMMAND.test(line)).map((line) => line.slice(2));

/** What is shown, with `…` for what differs. */
function expected({ lines }: Scenario): RegExp {
  const shown = lines.filter((line) => !COMMAND.test(line)).map((line) => `${line}\n`);
  const literal = shown.join('').replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('…', '[^]*?')}$`);
}

for (const scenario of scenarios) {
  // One machine at a time: a server that waits for a core seems to hang.
  test.serial(`scenario ${scenario.number} of docs/faults.md: ${scenario.title}`, async (t) => {
    await using dir = await tempDir();
    if (!(await makeExt4(join(dir.path, 't.img'), 64))) {
      t.log('no e2fsprogs here: skipped');
      return t.pass();
    }
    t.true(scenario.lines.length <= 12, 'at most twelve lines');
    const onHost = scenario.lines[0]?.startsWith('$') ?? false;
    const shown = onHost
      ? await runOnHost(dir.path, commands(scenario))
      : await runAtPrompt(join(dir.path, 't.img'), commands(scenario));
    t.regex(shown, expected(scenario));
  });
}

async function runAtPrompt(image: string, lines: readonly string[]): Promise<string> {
  const script = ['exec 2>&1', 'cd /mnt/sdC0', ...lines].join('\n');
  return (await atoll(['--disk', image, '-c', script])).stdout;
}

async function runOnHost(path: string, lines: readonly string[]): Promise<string> {
  const command = join(path, 'atoll');
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${ATOLL}' "$@"\n`);
  await chmod(command, 0o755);
  const script = ['exec 2>&1', `cd '${path}'`, `PATH=${path}:$PATH:/sbin:/usr/sbin`, ...lines];
  return host('sh', ['-c', script.join('\n')])?.stdout ?? '';
}

test('there are ten scenarios at least', (t) => {
  t.true(scenarios.length >= 10, `${scenarios.length}`);
});

test('every ready rule can be read, and every file of them says what it is', async (t) => {
  const folder = join(root, 'scripts/faults');
  for (const name of (await readdir(folder)).filter((one) => one.endsWith('.fault'))) {
    const text = await readFile(join(folder, name), 'utf8');
    t.regex(text, /^# .+\.\n/, name);
    for (const { line, text: rule } of ruleLines(text)) {
      const parsed = parseRule(rule);
      t.false(isProblem(parsed), isProblem(parsed) ? `${name}:${line} ${problemText(parsed)}` : '');
    }
  }
});

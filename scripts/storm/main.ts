// npm run storm -- --kills 1000 --seed N: the kill storm on an image of its own, with its figures.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeExt4, tempDir } from '../testing/machine.ts';
import { figures } from './figures.ts';
import { storm } from './storm.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    hangs: { type: 'string', default: '3' },
  },
});

await using dir = await tempDir();
const file = join(dir.path, 'storm.img');
if (!(await makeExt4(file, 128))) throw new Error('the storm needs mke2fs');
const [kills, seed, hangsPercent] = [values.kills, values.seed, values.hangs].map(Number);
const say = (line: string): void => console.log(line);
say(`seed ${seed}`);
const options = { file, kills: kills ?? 0, seed: seed ?? 0, hangsPercent: hangsPercent ?? 0, say };
const result = await storm(options);
for (const line of [...figures(result), ...result.problems]) say(line);
process.exitCode = result.problems.length === 0 ? 0 : 1;

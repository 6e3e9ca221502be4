// `npm run storm`: the kill storm on an image of its own, with its figures.

import { join } from 'node:path';
import { CONTROLLERS } from '../../kernel/abi/disk/controllers.ts';
import { commandOptions } from '../testing/arguments.ts';
import { controllerCalled } from '../testing/controller.ts';
import { tempDir } from '../testing/machine.ts';
import { type TestVolume, VOLUMES } from '../testing/volumes.ts';
import { figures } from './figures.ts';
import { storm } from './storm.ts';

const USAGE = `Usage: npm run storm -- [option]...
  --fs NAME          ${Object.keys(VOLUMES).join(', ')}
  --controller NAME  ${CONTROLLERS.join(', ')}
  --kills N          strikes, 1000 unless given
  --hangs PERCENT    strikes that stop a server instead of killing it, 3 unless given
  --within MS        the longest time between two of them, 600 unless given
  --seed N           a fresh one unless given
`;

const { values } = commandOptions(USAGE, {
  options: {
    kills: { type: 'string', default: '1000' },
    fs: { type: 'string', default: 'ext4' },
    controller: { type: 'string', default: 'ahci' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    hangs: { type: 'string', default: '3' },
    within: { type: 'string', default: '600' },
  },
});

await using dir = await tempDir();
const file = join(dir.path, 'storm.img');
const MIB = 96; // for a log of many rounds
const volume = new Map<string, TestVolume>(Object.entries(VOLUMES)).get(values.fs);
if (volume === undefined) throw new Error(`--fs is one of ${Object.keys(VOLUMES).join(', ')}`);
if (!(await volume.make(file, Math.max(MIB, volume.leastMib))))
  throw new Error(`no mkfs for ${values.fs} here`);
const [kills = 0, seed = 0, hangsPercent = 0, withinMs = 0] = [
  values.kills,
  values.seed,
  values.hangs,
  values.within,
].map(Number);
const say = (line: string): void => console.log(line);
const controller = controllerCalled(values.controller);
say(`${values.fs}, seed ${seed}, ${controller}`);
const result = await storm({ file, volume, controller, kills, seed, hangsPercent, withinMs, say });
for (const line of [...figures(result), ...result.problems]) say(line);
process.exitCode = result.problems.length === 0 ? 0 : 1;

// Rows: the machine as a whole: how soon its prompt is there, and what it takes of the host's memory.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median, type Outcome, type Row } from '../row.ts';
import type { Stage } from '../stage.ts';

const PROMPT = fileURLToPath(new URL('../prompt.js', import.meta.url));

interface Found {
  readonly promptMs: number;
  readonly rssMb: number;
}

/** Boots to the prompt in a process of its own, as `npm start` does. */
function promptOf(image: string): Found {
  const ran = spawnSync(process.execPath, [PROMPT, image], { encoding: 'utf8', timeout: 60_000 });
  if (ran.status !== 0) throw new Error(`no prompt: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as Found;
}

/** Milliseconds until Node runs the first line of a program that does nothing. */
const nodeStart = (): number => {
  const script = 'process.stdout.write(String(performance.now()))';
  return Number(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout);
};

/** Both rows look at the same boots. */
const found = new WeakMap<Stage, readonly Found[]>();

async function prompts(stage: Stage): Promise<readonly Found[]> {
  const known = found.get(stage);
  if (known !== undefined) return known;
  const image = await stage.image(64);
  const boots = Array.from({ length: stage.size(5, 1) }, () => promptOf(image));
  found.set(stage, boots);
  return boots;
}

async function boot(stage: Stage): Promise<Outcome> {
  const ms = median((await prompts(stage)).map(({ promptMs }) => promptMs));
  const yard = median(Array.from({ length: stage.size(5, 1) }, nodeStart));
  return {
    figure: { value: ms, unit: 'ms' },
    yardstick: { what: 'node itself', value: yard, unit: 'ms' },
    ratio: yard / ms,
    met: ms < 300,
    note: 'from the start of the process',
  };
}

async function memory(stage: Stage): Promise<Outcome> {
  const mb = median((await prompts(stage)).map(({ rssMb }) => rssMb));
  const script = 'process.stdout.write(String(process.memoryUsage.rss() / 1e6))';
  const yard = Number(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout);
  return {
    figure: { value: mb, unit: 'MB' },
    yardstick: { what: 'node itself', value: yard, unit: 'MB' },
    ratio: yard / mb,
    met: mb < 250,
    note: 'resident, of the whole process',
  };
}

export const machineRows: readonly Row[] = [
  { id: 'boot', what: 'boot to the prompt', target: 'under 300 ms', run: boot },
  { id: 'memory', what: 'memory at the prompt', target: 'under 250 MB', run: memory },
];

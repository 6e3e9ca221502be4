// One run of a plan: a fresh image, a repeatable machine with the plan's faults, its operations; then
// the image is mounted again without faults and looked at, by us and by e2fsck.

import { join } from 'node:path';
import { type Atoll, type BootOptions, boot } from '../../index.ts';
import { fsck, makeExt4, tempDir } from '../testing/machine.ts';
import { Model } from './model.ts';
import type { Operation, Plan } from './plan.ts';

export interface Outcome {
  /** What was wrong; undefined: nothing. */
  readonly failure: string | undefined;
  readonly hash: string;
}

const IMAGE_MIB = 16;
const AT = '/mnt/sdC0';

export async function runPlan(plan: Plan): Promise<Outcome> {
  await using dir = await tempDir();
  const file = join(dir.path, 'disk.img');
  // The same bytes each time: no random UUID; the time of day comes from the pool.
  const fixed = ['-U', '00000000-0000-4000-8000-000000000001', '-E', `hash_seed=${HASH_SEED}`];
  if (!(await makeExt4(file, IMAGE_MIB, fixed))) throw new Error('a campaign needs mke2fs');
  const { seed, strategy } = plan;
  const model = new Model();
  const disks = [{ file }];
  const options = { seed, strategy, disks, sealed: true, faults: plan.faults.join('\n') };
  const { problem, hash } = await work(options, plan, model);
  const cut = /the power was cut/.test(problem ?? '');
  if (problem !== undefined && !cut) return { failure: problem, hash };
  const failure = await examine(file, model, cut ? 'power cut' : 'shutdown');
  return { failure: failure && `after a ${cut ? 'power cut' : 'shutdown'}: ${failure}`, hash };
}

const HASH_SEED = '00000000-0000-4000-8000-000000000002';

/** Runs the actors to their end and shuts down; why that was not possible. */
async function work(
  options: BootOptions,
  plan: Plan,
  model: Model,
): Promise<{ problem: string | undefined; hash: string }> {
  let os: Atoll | undefined;
  let problem: string | undefined;
  try {
    os = await boot(options);
    const system = os;
    await Promise.all(plan.operations.map((operations) => act(system, operations, model)));
    await os.shutdown();
  } catch (error) {
    problem = describe(error);
    await os?.machine.powerOff(problem);
    if (os) problem = await os.ended; // the first reason given: a power cut makes all else fail
  }
  return { problem, hash: os?.hash ?? '' };
}

async function act(os: Atoll, operations: readonly Operation[], model: Model): Promise<void> {
  for (const operation of operations) {
    const needs = operation.do !== 'write' && operation.do !== 'append';
    if (needs && !model.has(operation.file)) continue;
    const data = model.fill('bytes' in operation ? operation.bytes : 0);
    model.begin(operation);
    await perform(os, operation, data);
    model.apply(operation, data);
  }
}

async function perform({ fs }: Atoll, operation: Operation, data: Uint8Array): Promise<void> {
  const path = `${AT}/${operation.file}`;
  if (operation.do === 'rename') return await fs.rename(path, `${AT}/${operation.to}`);
  if (operation.do === 'unlink') return await fs.unlink(path);
  if (operation.do === 'truncate') return await fs.truncate(path, operation.size);
  if (operation.do === 'append') return await fs.appendFile(path, data);
  await using file = await fs.open(path, operation.do === 'fsync' ? 'r+' : CREATE);
  if (operation.do === 'fsync') await file.sync();
  else await file.write(data, 0, data.length, operation.at);
}

/** O_RDWR | O_CREAT: a write changes a part of what is there. */
const CREATE = 0o102;

/** What is wrong on the image once its journal is replayed. */
async function examine(
  file: string,
  model: Model,
  after: 'power cut' | 'shutdown',
): Promise<string | undefined> {
  const os = await boot({ seed: 0, disks: [{ file }] });
  try {
    for (const [name, bytes] of model.expected(after)) {
      const found = await os.fs.readFile(`${AT}/${name}`).catch(describe);
      if (typeof found === 'string') return `${name}: ${found}`;
      const at = firstDifference(found, bytes);
      if (at !== undefined) return `${name}: byte ${at} of ${bytes.length} (${found.length} found)`;
    }
  } finally {
    await os.shutdown();
  }
  const complaint = fsck(file);
  return complaint === '' ? undefined : complaint;
}

function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return undefined;
}

const describe = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

// Every file system runs the same cases of daemons/lib/conformance, in one machine and on all controllers by
// turns; what is to be kept is looked at again after a remount; then each one's checker. By direct calls, so
// that nothing depends on daemons; `npm run matrix` gives each volume its worker.

import { join } from 'node:path';
import test from 'ava';
import { FORMATS, type FormatName } from '../../daemons/lib/conformance/abilities.ts';
import { CASES } from '../../daemons/lib/conformance/cases.ts';
import type { Case, Files, Subject } from '../../daemons/lib/conformance/subject.ts';
import { type Atoll, boot } from '../../index.ts';
import { CONTROLLERS, diskName } from '../../kernel/abi/disk/controllers.ts';
import { tempDir } from '../testing/machine.ts';
import { VOLUMES } from '../testing/volumes.ts';

const NAMES = Object.keys(FORMATS) as FormatName[];

/** By turns: so many of each controller's disks. */
const PLACES = new Map(
  NAMES.map((name, i) => {
    const controller = CONTROLLERS[i % CONTROLLERS.length] ?? 'ahci';
    return [name, { controller, disk: diskName(controller, Math.floor(i / CONTROLLERS.length)) }];
  }),
);

/** More programs at once would each need a new worker. */
const AT_A_TIME = 3;

interface Outcome {
  /** Undefined: its mkfs is not here. */
  problems: string[] | undefined;
  /** Claims that the format cannot make true; how it refuses was tested. */
  refusals: number;
}

const daemons = process.env['ATOLL_DAEMONS'] !== undefined;

/** One machine for all: the outcomes when it is shut down. */
const ran = runAll();

const conforms = test.macro({
  async exec(t, name: FormatName) {
    t.timeout(300_000);
    const { problems, refusals } = (await ran).outcomes.get(name) ?? {
      problems: ['did not run'],
      refusals: 0,
    };
    if (problems === undefined) {
      t.log('no mkfs for it here: skipped');
      return t.pass();
    }
    t.log(`${CASES.length} cases, ${refusals} of them refused as they must be`);
    t.deepEqual(problems, []);
  },
  title: (_, name: FormatName) => `${name} does what POSIX and its own limits say`,
});
for (const name of NAMES) test(conforms, name);

test('the servers of volumes are numbered, each program its own way', async (t) => {
  const { outcomes, servers, log } = await ran;
  const counts = new Map<string, number>();
  for (const name of NAMES.filter((one) => outcomes.get(one)?.problems)) {
    const daemon = VOLUMES[name].server.replace(/_0$/, '');
    const number = counts.get(daemon) ?? 0;
    counts.set(daemon, number + 1);
    const state = daemons ? '\\d+ +running' : '- +direct';
    t.regex(servers, new RegExp(`^${daemon}_${number} sd[CDF]\\d+ +${state} `, 'm'));
    const told = ` by ${daemon}_${number}`;
    t.true(
      log.some((line) => / mounted at /.test(line) && line.endsWith(told)),
      told,
    );
  }
});

interface All {
  readonly outcomes: ReadonlyMap<FormatName, Outcome>;
  /** /proc/servers after the boot, and the log until then. */
  readonly servers: string;
  readonly log: readonly string[];
}

async function runAll(): Promise<All> {
  await using dir = await tempDir();
  const file = (name: FormatName): string => join(dir.path, `${PLACES.get(name)?.disk}.img`);
  const outcomes = new Map<FormatName, Outcome>();
  for (const name of NAMES) {
    const made = await VOLUMES[name].make(file(name), VOLUMES[name].leastMib);
    outcomes.set(name, { problems: made ? [] : undefined, refusals: 0 });
  }
  const here = NAMES.filter((name) => outcomes.get(name)?.problems);
  const disks = here.map((name) => {
    const controller = PLACES.get(name)?.controller ?? 'ahci';
    return { file: file(name), controller };
  });
  let servers = '';
  let log: readonly string[] = [];
  {
    await using os = await boot({ disks, daemons });
    servers = (await os.exec('cat /proc/servers')).stdout;
    log = [...os.log];
    const places = mountPoints(disks.map(({ controller }) => controller));
    const runs = here.map((name, i) => ({ name, root: places[i] ?? '', outcomes }));
    for (let i = 0; i < runs.length; i += AT_A_TIME)
      await Promise.all(runs.slice(i, i + AT_A_TIME).map((run) => runFormat(os, run)));
    await os.shutdown();
  }
  for (const name of here) {
    const dirt = VOLUMES[name].check(file(name));
    if (dirt !== '') outcomes.get(name)?.problems?.push(`its checker: ${dirt}`);
  }
  return { outcomes, servers, log };
}

/** Where the disks of these controllers are mounted, in order. */
function mountPoints(controllers: readonly (typeof CONTROLLERS)[number][]): string[] {
  const counts = new Map<string, number>();
  return controllers.map((controller) => {
    const port = counts.get(controller) ?? 0;
    counts.set(controller, port + 1);
    return `/mnt/${diskName(controller, port)}`;
  });
}

interface Run {
  readonly name: FormatName;
  readonly root: string;
  readonly outcomes: ReadonlyMap<FormatName, Outcome>;
}

async function runFormat(os: Atoll, { name, root, outcomes }: Run): Promise<void> {
  const outcome = outcomes.get(name) ?? { problems: [], refusals: 0 };
  const { problems = [] } = outcome;
  const can = FORMATS[name];
  const later: [claim: string, check: () => Promise<void>][] = [];
  for (const [i, one] of CASES.entries()) {
    const able = one.needs?.(can) ?? true;
    if (!able) outcome.refusals++;
    const dir = `${root}/case${i}`;
    const it = subject(os, can, dir);
    await attempt(problems, one.claim, async () => {
      await os.fs.mkdir(dir);
      const check = await body(one, able)(it);
      if (check !== undefined) later.push([`${one.claim} (after a remount)`, check]);
    });
  }
  const again = `cd /; umount ${root} && mount -t ${can.type} /dev/sd/${root.slice(5)}/part/0 ${root}`;
  const { stderr } = await os.exec(again);
  if (stderr !== '') problems.push(`remount: ${stderr}`);
  for (const [claim, check] of later) await attempt(problems, claim, check);
}

const body = (one: Case, able: boolean): Case['run'] =>
  able ? one.run : (one.otherwise ?? (() => Promise.reject(new Error('nothing says what then'))));

async function attempt(
  problems: string[],
  claim: string,
  action: () => Promise<void>,
): Promise<void> {
  try {
    await action();
  } catch (error) {
    problems.push(`${claim}: ${error instanceof Error ? error.message : error}`);
  }
}

const subject = (os: Atoll, can: Subject['can'], dir: string): Subject => ({
  ...{ can, dir },
  fs: os.fs as Files,
  at: (path) => `${dir}/${path}`,
  sh: async (script) => {
    const { stdout, stderr } = await os.exec(`cd ${dir}; ${script}`);
    return stdout + stderr;
  },
});

// The kill storm: while four processes append, write, rename and fsync on a volume, its server and the
// driver below are killed or stopped at random. Nobody may see an error, every byte must be as the
// model says, the volume must be clean, and nothing may be left behind.

import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Atoll } from '../../index.ts';
import type { ControllerName } from '../../kernel/abi/disk/controllers.ts';
import { WINDOW_SIZE } from '../../kernel/abi/syscall.ts';
import { bootOn } from '../testing/controller.ts';
import type { TestVolume } from '../testing/volumes.ts';
import { KillerShell } from './killer.ts';
import { check, startWriters } from './writers.ts';

export interface StormOptions {
  /** The image, to be written, and what it is. */
  readonly file: string;
  readonly volume: TestVolume;
  readonly controller: ControllerName;
  readonly kills: number;
  readonly seed: number;
  /** Milliseconds from one recovery to the next kill, at most: below some 100 no spare is ready yet. */
  readonly withinMs: number;
  /** Of a hundred kills so many are SIGSTOP: the server hangs until its heartbeat is missed. */
  readonly hangsPercent: number;
  readonly say: (line: string) => void;
}

export interface StormResult {
  /** What went wrong, in words. */
  readonly problems: readonly string[];
  readonly kills: number;
  readonly hangs: number;
  /** Milliseconds from a kill, or from the moment that a hang was noticed, until all was repeated. */
  readonly pauses: readonly number[];
  readonly hangPauses: readonly number[];
  readonly rounds: readonly number[];
}

/** How often, and after what pauses, what is missing is looked for again before it is lost. */
const LEAK_LOOKS = 50;
const LEAK_PAUSE_MS = 20;

/** Where Linux shows the threads of a program. */
const THREADS = '/proc/self/task';

/** What must be the same before and after, when nothing is under way. */
interface Held {
  readonly frames: number;
  readonly grants: number;
  readonly fids: string;
  /** Threads of this program that are no process's worker; 0 where the host does not tell. */
  readonly threads: number;
}

export async function storm(options: StormOptions): Promise<StormResult> {
  const { file, kills, say } = options;
  const problems: string[] = [];
  let result: Omit<StormResult, 'problems'>;
  {
    await using os = await bootOn(options.controller, file);
    await startWriters(os, 2).finish(); // so that caches and pools have their size
    const before = await held(os);
    const writers = startWriters(os, Number.POSITIVE_INFINITY);
    const killer = await KillerShell.start(os, { ...options, server: options.volume.server });
    for (let i = 0; i < kills && !writers.failed; i++) {
      const problem = await killer.strike();
      if (problem !== undefined) problems.push(problem);
      if (problem !== undefined) break;
      if ((i + 1) % 100 === 0) say(`${i + 1} kills`);
    }
    const rounds = await writers.stop();
    await killer.end();
    problems.push(...writers.problems, ...(await check(os, rounds)));
    problems.push(...(await leaks(os, before)));
    result = { ...killer.counts, rounds };
    problems.push(...bugs(os));
    await os.shutdown();
  }
  const dirt = options.volume.check(file);
  if (dirt !== '') problems.push(`its checker: ${dirt}`);
  return { ...result, problems };
}

/** With all caches dropped and all written. */
async function held(os: Atoll): Promise<Held> {
  const { stdout } = await os.exec(
    'sync; echo 3 > /proc/sys/vm/drop_caches; cat /proc/meminfo; cat /proc/servers; cat /proc/ipc',
  );
  const number = (what: string): number =>
    Number(new RegExp(`^${what}: +(\\d+)`, 'm').exec(stdout)?.[1]);
  const workers = stdout.match(/^\S.* calls +\d/gm)?.length ?? 0;
  const fids = [...stdout.matchAll(/^(\w+ ?\w*) +\d+ +running +\d+ +\d+ +(\d+) /gm)];
  return {
    // Each process's worker has a window, whoever came and went.
    frames: Math.round((number('MemFree') + number('Cached')) / 4) + (workers * WINDOW_SIZE) / 4096,
    grants: number('Grants'),
    threads: existsSync(THREADS) ? readdirSync(THREADS).length - workers : 0,
    fids: fids.map(([, name, count]) => `${name?.trim()}: ${count}`).join(', '),
  };
}

/** What is given back a little later, as fids are, is no leak. */
async function leaks(os: Atoll, before: Held): Promise<string[]> {
  for (let i = 0; ; i++) {
    const found = differences(before, await held(os));
    if (found.length === 0 || i === LEAK_LOOKS) return found;
    await delay(LEAK_PAUSE_MS);
  }
}

function differences(before: Held, after: Held): string[] {
  const out: string[] = [];
  // Rings and tables of workers take some frames more than their windows.
  if (before.frames - after.frames > 256) {
    out.push(`frames: ${before.frames} were free, ${after.frames} are`);
  }
  if (after.threads > before.threads + 2) {
    out.push(`threads: ${before.threads} beside those of processes, now ${after.threads}`);
  }
  if (after.grants !== before.grants) out.push(`grants: ${before.grants}, now ${after.grants}`);
  if (after.fids !== before.fids) out.push(`fids: ${before.fids}; now ${after.fids}`);
  return out;
}

const bugs = (os: Atoll): string[] =>
  os.log.filter((line) => /bug in|EIO|error|read-only from|given up|worker died/.test(line));

// What the rows of the bench share: sizes, a directory that goes away, fresh images, machines, and
// the numbers of the program `bench` inside of them.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Atoll } from '../../host/atoll.ts';
import type { ControllerName } from '../../kernel/abi/disk/controllers.ts';
import { bootOn } from '../testing/controller.ts';
import { makeExt4 } from '../testing/machine.ts';
import { median } from './row.ts';

const MIB = 1024 * 1024;

/** Where the volume of the bench is mounted. */
export const MNT = '/mnt/sdC0';

/** One round of `bench -t` in a machine. */
export interface Inside {
  readonly totalMs: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p95Us: number;
  readonly mbPerSecond: number;
  readonly hops: number;
  readonly wakes: number;
}

export class Stage {
  readonly quick: boolean;
  readonly controller: ControllerName;
  readonly directory = mkdtempSync(join(tmpdir(), 'atoll-bench-'));
  #images = 0;

  constructor(options: { quick: boolean; controller: ControllerName }) {
    this.quick = options.quick;
    this.controller = options.controller;
  }

  /** A size or count: the whole one, or the one of the quick form. */
  size(whole: number, quick: number): number {
    return this.quick ? quick : whole;
  }

  /** How often a thing is measured; the median counts. */
  get rounds(): number {
    return this.quick ? 1 : 3;
  }

  /** A fresh ext4 image; throws where mke2fs is missing. */
  async image(mib: number): Promise<string> {
    const file = join(this.directory, `disk${this.#images++}.img`);
    if (await makeExt4(file, mib)) return file;
    throw new Error('mkfs.ext4 is not installed');
  }

  /** Runs `body` in a machine over the image, and shuts it down. */
  async machine<T>(
    { image, mem = 512 }: { image: string; mem?: number },
    body: (os: Atoll) => Promise<T>,
  ): Promise<T> {
    await using os = await bootOn(this.controller, image, { mem: mem * MIB });
    return await body(os);
  }

  /** A machine over a fresh image that nobody needs afterwards. */
  async fresh<T>(mib: number, body: (os: Atoll) => Promise<T>): Promise<T> {
    const image = await this.image(mib);
    try {
      return await this.machine({ image }, body);
    } finally {
      rmSync(image, { force: true });
    }
  }

  end(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Runs a script in the machine; throws what it says on standard error. */
export async function sh(os: Atoll, script: string): Promise<string> {
  const { stdout, stderr, status } = await os.exec(script);
  if (status !== 0 || stderr !== '') throw new Error(`${script}: status ${status}: ${stderr}`);
  return stdout;
}

/** Runs `bench` in the machine; of several rounds the median of each number. */
export async function inside(os: Atoll, args: string): Promise<Inside> {
  const rounds = (await sh(os, `bench -t ${args}`)).trim().split('\n');
  const columns = rounds.map((round) => round.split('\t').map(Number));
  const at = (i: number): number => median(columns.map((column) => column[i] ?? Number.NaN));
  return {
    ...{ totalMs: at(1), meanUs: at(2), p50Us: at(3), p95Us: at(4) },
    ...{ mbPerSecond: at(5), hops: at(6), wakes: at(7) },
  };
}

/** What is cached of files is forgotten. */
export const drop = (os: Atoll): Promise<string> =>
  sh(os, 'sync; echo 3 > /proc/sys/vm/drop_caches');

// Operations that are handed in together, as the kernel hands in those of many processes: the serve loop
// publishes what it can of them by one atomic store, and no cut may leave a part of that.

import type { Staged } from '../../../daemons/lib/cache/block-cache.ts';
import type { LogEntry } from '../../../daemons/lib/memory-device.ts';
import type { TestClient } from '../../../daemons/lib/testing/client.ts';
import type { Machine } from '../../../daemons/lib/testing/machine.ts';
import { O_CREAT, O_EXCL, O_RDWR } from '../../../kernel/abi/constants.ts';
import { assert } from '../../../kernel/abi/errno.ts';
import type { Task } from '../../../kernel/ipc/task.ts';
import type { Op } from './language.ts';
import { paint, paintText } from './paint.ts';
import type { Step } from './record.ts';

export interface Numbered {
  readonly op: Op;
  /** What its data says. */
  readonly index: number;
}

interface Parts {
  readonly machine: Machine;
  readonly client: TestClient;
  readonly history: readonly LogEntry[];
}

export class Joints {
  readonly #parts: Parts;
  #publications = 0;
  /** Of each reply that was kept with changes, in their order: its publication. */
  #kept: number[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
    const { cache } = parts.machine.volume.engine;
    const publish = cache.publish.bind(cache);
    cache.publish = (staged: Staged): void => {
      publish(staged);
      this.#publications++;
      for (const _ of staged.replies) this.#kept.push(this.#publications);
    };
  }

  /** In the order in which they were answered, which is that in which they happened. */
  run(lot: readonly Numbered[]): (Step & Numbered)[] {
    const { machine, client, history } = this.#parts;
    const began = history.length;
    const tasks = lot.map((one) => this.#task(one));
    this.#kept = [];
    const done: (Step & Numbered)[] = [];
    const fids: number[] = [];
    machine.runTogether(tasks, (i, fid) => {
      fids.push(fid);
      const one = lot[i];
      if (one) done.push({ ...one, began, ended: history.length });
    });
    const kept = this.#kept;
    assert(
      kept.length === done.length,
      `${kept.length} replies kept for ${done.length} operations`,
    );
    for (const fid of fids) client.clunk(fid);
    return done.map((step, i) => ({ ...step, joint: kept[i] }));
  }

  /** Gives the fid that is to be clunked. A file that is written to is opened before. */
  #task({ op: { verb, path, size, offset }, index }: Numbered): Task<number> {
    const { client } = this.#parts;
    if (verb === 'create') return client.creating(path, O_RDWR | O_CREAT | O_EXCL);
    if (verb === 'mkdir') return client.making(path);
    if (verb === 'symlink') return client.making(path, paintText(index, size));
    const fid = client.open(path);
    const at = verb === 'append' ? client.getattr(fid).size : offset;
    return client.writing(fid, at, paint(index, at, size));
  }
}

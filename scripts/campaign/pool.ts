// Processes that run plans, so many at a time. One that does not answer in time is ended, and its plan
// has failed: in a repeatable run nothing may hang.

import { type ChildProcess, fork } from 'node:child_process';
import type { Plan } from './plan.ts';
import type { Outcome } from './run.ts';

/** Host time for one plan, which takes seconds. */
const PATIENCE_MS = 120_000;

export class Pool {
  readonly #idle: ChildProcess[] = [];
  readonly #all = new Set<ChildProcess>();

  /** Runs one plan in a process that is free, or a new one. */
  async run(plan: Plan): Promise<Outcome> {
    const child = this.#idle.pop() ?? this.#start();
    const outcome = await answer(child, plan);
    if (outcome) this.#idle.push(child);
    else child.kill('SIGKILL');
    return outcome ?? { failure: `no end within ${PATIENCE_MS / 1000} s`, hash: '' };
  }

  end(): void {
    for (const child of this.#all) child.kill('SIGKILL');
  }

  #start(): ChildProcess {
    const env = { ...process.env, E2FSPROGS_FAKE_TIME: '1767225600' }; // every image the same
    const child = fork(new URL('./child.js', import.meta.url), { stdio: 'inherit', env });
    this.#all.add(child);
    child.once('exit', () => this.#all.delete(child));
    return child;
  }
}

/** What the process says of the plan; undefined when it says nothing. */
function answer(child: ChildProcess, plan: Plan): Promise<Outcome | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(undefined), PATIENCE_MS);
    const gone = (): void => done({ failure: 'the process died', hash: '' });
    const done = (outcome: Outcome | undefined): void => {
      clearTimeout(timer);
      child.off('message', done);
      child.off('exit', gone);
      resolve(outcome);
    };
    child.on('message', done);
    child.on('exit', gone);
    child.send(plan);
  });
}

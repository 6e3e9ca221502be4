// The sweep: fails the first, the second, the third … hit of a point in turn, a run of the command
// for each, until a run in which nothing fires. Every error path of a program, one after the other.

import type { Tool } from '../program.ts';
import type { FaultEngine } from './engine.ts';
import { type Ending, noticingInterrupts, runCommand, runScript } from './run.ts';

export interface Sweep {
  /** `blk.sdC0.write len>=4K`. */
  readonly point: string;
  readonly action: string;
  readonly argv: readonly string[];
  /** Scripts around each run, without the fault. The second finds the command's status in $STATUS. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly limitMs: number;
  /** The first and the last hit that is failed. */
  readonly from: number;
  readonly to: number;
}

/** What became of the runs. */
interface Tally {
  runs: number;
  failed: number;
  killed: number;
  hung: number;
  broken: number;
}

const RULE = 'sweep';
const INTERRUPTED = 130;

/** Returns the status: 0 unless a run was killed, hung, or broke what `after` looks for. */
export function sweep(tool: Tool, engine: FaultEngine, what: Sweep): number {
  const tally: Tally = { runs: 0, failed: 0, killed: 0, hung: 0, broken: 0 };
  return noticingInterrupts(tool, (interrupted) => {
    for (let nth = what.from; nth <= what.to; nth++) {
      const fired = runOnce(tool, engine, { what, nth, tally });
      if (interrupted()) {
        summary(tool, what, tally, 'interrupted');
        return INTERRUPTED;
      }
      if (!fired) break;
    }
    summary(tool, what, tally, 'done');
    return tally.killed + tally.hung + tally.broken > 0 ? 1 : 0;
  });
}

/** One run, with one hit failed; whether it was met. */
function runOnce(
  tool: Tool,
  engine: FaultEngine,
  { what, nth, tally }: { what: Sweep; nth: number; tally: Tally },
): boolean {
  const { sys } = tool;
  if (what.before !== undefined) {
    const { status } = runScript(tool, what.before);
    if (status !== 0) tool.warn(`run ${nth}: the script before it ends with ${status}`);
  }
  engine.command(`${RULE}: on ${what.point} nth=${nth} do ${what.action}`);
  let ending: Ending;
  let fired: boolean;
  try {
    ending = runCommand(tool, what.argv, what.limitMs);
    fired = engine.rules().some(({ name, fired: times }) => name === RULE && times > 0);
  } finally {
    engine.remove([RULE]);
  }
  sys.env.set('STATUS', String(ending.status));
  const kept = what.after === undefined || runScript(tool, what.after).status === 0;
  if (!kept) tally.broken++;
  if (!fired && kept) return false;
  tally.runs++;
  if (ending.how === 'killed') tally.killed++;
  else if (ending.how === 'hung') tally.hung++;
  else if (ending.status !== 0) tally.failed++;
  const where = fired ? (lastFiring(engine) ?? '') : 'nothing fired';
  const words = [`${nth}: status ${ending.status}`];
  if (ending.how !== 'exited') words.push(ending.how);
  if (!kept) words.push('BROKEN');
  tool.out.text(`${words.join(', ')}  ${where}\n`);
  tool.out.flush();
  return fired;
}

/** What the last firing was: `blk.sdC0.write lba=8 len=512`. */
function lastFiring(engine: FaultEngine): string | undefined {
  const lines = engine.read('log').trimEnd().split('\n');
  const line = lines.findLast((one) => one.includes(` ${RULE}: `));
  return line === undefined ? undefined : / sweep: (.*?): /.exec(line)?.[1];
}

function summary(tool: Tool, what: Sweep, tally: Tally, how: 'done' | 'interrupted'): void {
  const { runs, failed, killed, hung, broken } = tally;
  const words = [
    `${runs} hits`,
    `${failed} failed`,
    `${runs - failed - killed - hung} went on`,
    ...(killed > 0 ? [`${killed} killed`] : []),
    ...(hung > 0 ? [`${hung} hung`] : []),
    ...(broken > 0 ? [`${broken} broken`] : []),
    ...(how === 'interrupted' ? ['interrupted'] : []),
  ];
  tool.out.text(`${what.point} ${what.action}: ${words.join(', ')}\n`);
}

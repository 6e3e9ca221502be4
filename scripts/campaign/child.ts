// A campaign's worker process: runs the plans that it is sent, one after the other.

import type { Plan } from './plan.ts';
import { type Outcome, runPlan } from './run.ts';

process.on('message', (plan: Plan) => {
  void runPlan(plan).then(
    (outcome) => process.send?.(outcome),
    (error: unknown) => {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const outcome: Outcome = { failure: `the campaign itself failed: ${why}`, hash: '' };
      process.send?.(outcome);
    },
  );
});
process.on('disconnect', () => process.exit());

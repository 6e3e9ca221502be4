// Tests that ask a program of the host, where it is not installed.

import type { ExecutionContext } from 'ava';

/** A test that begins with this passes, and says why, where the tools are not there: true. */
export const without =
  (tools: string, have: () => boolean) =>
  (t: ExecutionContext): boolean => {
    if (have()) return false;
    t.log(`no ${tools} here: skipped`);
    t.pass();
    return true;
  };

// A cut as text, as a failure prints it and --replay takes it: the window between two flushes, what
// became of its writes, and the same for a second cut. `7:a.n.0-2` or `7:a.n.0-2@1:n`

import type { Cut } from './explore.ts';
import { WorkloadError } from './workload/language.ts';

export const cutText = ({ window, choice, second }: Cut): string =>
  `${window}:${choice}${second ? `@${second.window}:${second.choice}` : ''}`;

export function readCut(text: string): Cut {
  const [first = '', second] = text.split('@');
  return { ...readPart(first), ...(second === undefined ? {} : { second: readPart(second) }) };
}

function readPart(text: string): { window: number; choice: string } {
  const [, window, choice] = /^(\d+):([an0-9.,-]*)$/.exec(text) ?? [];
  if (window === undefined || choice === undefined) {
    throw new WorkloadError(`'${text}' is no cut: WINDOW:FATE.FATE.FATE`);
  }
  return { window: Number(window), choice };
}

// Corners of the shell language for the random scripts: each stands alone, what it changes it puts back.

import type { Random } from '../random.ts';
import * as control from './shell-control.ts';
import * as expansions from './shell-expansions.ts';
import * as utilities from './shell-utilities.ts';

const { nested, splitting, arithmetic, lists, hereDocuments, patterns } = expansions;

/** Some twice, as they have the most to get wrong. */
const all = [
  ...[nested, nested, splitting, splitting, arithmetic, arithmetic, lists, hereDocuments, patterns],
  ...[control.errexit, ...Object.values(control), ...Object.values(utilities)],
];

export const corner = (r: Random): string => r.pick(all)(r);

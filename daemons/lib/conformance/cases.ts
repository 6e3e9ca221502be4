// The cases that every file system passes, unchanged: they run through a whole machine, as programs
// would (scripts/system/conformance.test.ts).

import { ATTRIBUTES } from './cases/attributes.ts';
import { DATA } from './cases/data.ts';
import { MAKING } from './cases/making.ts';
import { NAMES } from './cases/names.ts';
import { REMOVING } from './cases/removing.ts';
import { RENAMING } from './cases/renaming.ts';
import { SPACE } from './cases/space.ts';
import type { Case } from './subject.ts';

export const CASES: readonly Case[] = [
  ...SPACE,
  ...MAKING,
  ...DATA,
  ...RENAMING,
  ...REMOVING,
  ...ATTRIBUTES,
  ...NAMES,
];

// false: does nothing, unsuccessfully. POSIX.1-2024 false.

import { helped } from '../libc/program.ts';
import type { Program } from '../libc/sys.ts';

export const main: Program = (sys) => {
  helped(sys, '[ignored arguments]');
  return 1;
};

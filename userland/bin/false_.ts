// false: does nothing, unsuccessfully. POSIX.1-2024 false.

import type { Program } from '../libc/sys.ts';

export const main: Program = () => 1;

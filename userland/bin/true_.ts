// true: does nothing, successfully. POSIX.1-2024 true.

import type { Program } from '../libc/sys.ts';

export const main: Program = () => 0;

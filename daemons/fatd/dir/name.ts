// Which names there may be: the same for long names of FAT and for exFAT, 255 units of UTF-16.

import { EINVAL, ENAMETOOLONG, fail } from '../../../kernel/abi/errno.ts';
import { textSize } from '../../../kernel/abi/text.ts';

const UNITS_MAX = 255;
const BYTES_MAX = 255; // of a name in 9P

const NEVER = /["*/:<>?\\|\p{Cc}]/u;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Throws EINVAL for a name that FAT cannot hold, ENAMETOOLONG for one of more than 255 units. */
export function mustBeHoldable(name: string): void {
  const bad = NEVER.test(name) || LONE_SURROGATE.test(name) || /[. ]$/.test(name);
  if (bad) fail(EINVAL, `FAT has no such name: '${name}'`);
  if (name.length > UNITS_MAX) fail(ENAMETOOLONG);
}

/** Could a path hold it? What a damaged disk says need not be so. */
export const isName = (name: string): boolean =>
  !/^\.{0,2}$|[/\0]/.test(name) && textSize(name) <= BYTES_MAX;

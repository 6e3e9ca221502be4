// An image in memory as a Medium.

import { EIO, fail } from '../../../kernel/abi/errno.ts';
import type { Medium } from '../medium.ts';

export const imageMedium = (image: Uint8Array): Medium => ({
  sizeBytes: image.length,
  read(offset, length) {
    if (offset + length > image.length) fail(EIO, `the image ends before ${offset + length}`);
    return image.slice(offset, offset + length);
  },
  write(offset, bytes) {
    if (offset + bytes.length > image.length) fail(EIO, `the image ends before ${offset}`);
    image.set(bytes, offset);
  },
  flush: () => {},
});

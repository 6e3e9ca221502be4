// A disk or an image file as a Medium (daemons/lib/medium.ts), for mkfs and fsck: opened by its path,
// refused while it is mounted.

import type { Medium } from '../../daemons/lib/medium.ts';
import { O_RDONLY, O_RDWR, S_IFBLK, S_IFMT, S_IFREG } from '../../kernel/abi/constants.ts';
import { EIO, ENOENT, fail, PosixError, strerror } from '../../kernel/abi/errno.ts';
import { readMounts } from '../libc/files/mounts.ts';
import { realpath } from '../libc/files/path.ts';
import type { Tool } from '../libc/program.ts';
import type { Sys } from '../libc/sys.ts';

export interface OpenMedium extends Medium {
  readonly readOnly: boolean;
  close(): void;
}

export type Access = 'read' | 'write';

/** Opens the file or the device; what is wrong with it ends the program with `status`. */
export function openMedium(
  tool: Tool,
  path: string,
  { access, status }: { access: Access; status: number },
): OpenMedium {
  const { sys } = tool;
  try {
    const fd = sys.open(path, access === 'write' ? O_RDWR : O_RDONLY);
    const { mode, size } = sys.fstat(fd);
    const type = mode & S_IFMT;
    if (type !== S_IFREG && type !== S_IFBLK)
      return tool.die(`${path} is neither a block device nor a file`, status);
    return new FdMedium(sys, fd, { sizeBytes: size, readOnly: access === 'read' });
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${strerror(error.errno)} while trying to open ${path}`, status);
  }
}

/** Where a volume on `path` is mounted, or undefined. */
export function mountedAt(sys: Sys, path: string): string | undefined {
  const real = deviceName(sys, path);
  return readMounts(sys).find(({ source }) => deviceName(sys, source) === real)?.target;
}

/** One name for each device: `raw`, `data` and `part/0` are the same sectors. */
export function deviceName(sys: Sys, path: string): string {
  try {
    return realpath(sys, path).replace(/^(\/dev\/sd\/[^/]+)\/(?:raw|data)$/, '$1/part/0');
  } catch (error) {
    if (error instanceof PosixError && error.errno === ENOENT) return path;
    throw error;
  }
}

class FdMedium implements OpenMedium {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly #sys: Sys;
  readonly #fd: number;

  constructor(sys: Sys, fd: number, about: { sizeBytes: number; readOnly: boolean }) {
    this.#sys = sys;
    this.#fd = fd;
    this.sizeBytes = about.sizeBytes;
    this.readOnly = about.readOnly;
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = this.#sys.pread(this.#fd, bytes.subarray(done), offset + done);
      if (count === 0) fail(EIO, `the medium ends at ${offset + done}`);
      done += count;
    }
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#sys.pwrite(this.#fd, bytes, offset);
  }

  flush(): void {
    this.#sys.fsync(this.#fd);
  }

  close(): void {
    this.#sys.close(this.#fd);
  }
}

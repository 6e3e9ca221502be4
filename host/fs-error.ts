// Errors of the library's files, in the shape of Node's: code, errno, syscall, path, and the message
// `ENOENT: No such file or directory, open '/x'`.

import { type Errno, errnoName, PosixError, strerror } from '../kernel/abi/errno.ts';

export interface FsError extends Error {
  readonly code: string;
  /** Negative, as Node has it. */
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;
}

export interface FsOperation {
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;
}

export function fsError(errno: Errno, { syscall, path, dest }: FsOperation): FsError {
  const where = path === undefined ? '' : ` '${path}'`;
  const to = dest === undefined ? '' : ` -> '${dest}'`;
  const code = errnoName(errno);
  const error = new Error(`${code}: ${strerror(errno).toLowerCase()}, ${syscall}${where}${to}`);
  return Object.assign(error, {
    ...{ code, errno: -errno, syscall },
    ...(path === undefined ? {} : { path }),
    ...(dest === undefined ? {} : { dest }),
  });
}

/** Waits for a call; its errno becomes an error that says what was done to which file. */
export async function named<T>(operation: FsOperation, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof PosixError ? fsError(error.errno, operation) : error;
  }
}

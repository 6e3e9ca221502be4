// A batch over the host's files: one call after the other, which any order allows.

import { PosixError } from '../../../kernel/abi/errno.ts';
import type { BatchCall, BatchResult } from '../runtime/batch.ts';
import type { Sys } from '../sys.ts';

export function batchOneByOne(this: Sys, calls: readonly BatchCall[]): BatchResult[] {
  return calls.map((call) => {
    try {
      return { errno: 0, ...made(this, call) };
    } catch (error) {
      if (error instanceof PosixError) return { errno: error.errno };
      throw error;
    }
  });
}

function made(sys: Sys, call: BatchCall): Partial<BatchResult> {
  switch (call.call) {
    case 'stat':
      return { stat: sys.stat(call.path) };
    case 'lstat':
      return { stat: sys.lstat(call.path) };
    case 'open':
      return { fd: sys.open(call.path, call.flags, call.mode) };
    case 'mkdir':
      sys.mkdir(call.path, call.mode);
      return {};
    case 'chmod':
      sys.chmod(call.path, call.mode);
      return {};
    case 'unlink':
      sys.unlink(call.path);
      return {};
    case 'rmdir':
      sys.rmdir(call.path);
      return {};
    case 'close':
      sys.close(call.fd);
      return {};
    case 'pread':
      return { count: sys.pread(call.fd, call.bytes, call.offset) };
    case 'pwrite':
      return { count: sys.pwrite(call.fd, call.bytes, call.offset) };
  }
}

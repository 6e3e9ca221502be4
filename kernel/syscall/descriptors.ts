// System calls on descriptors: close, dup, pipe, isatty, flags, poll.

import { O_APPEND, O_NONBLOCK, O_RDONLY, O_WRONLY, RLIMIT_NOFILE } from '../abi/constants.ts';
import { EBADF, EINVAL, ENOTTY, fail } from '../abi/errno.ts';
import { SYS } from '../abi/syscall.ts';
import type { Task } from '../ipc/task.ts';
import { flushInode } from '../mm/flush.ts';
import { takeError } from '../mm/write.ts';
import type { Call } from '../vfs/call.ts';
import { setDescriptor, tellHolders } from '../vfs/descriptors.ts';
import { OpenFile, releaseFile } from '../vfs/file.ts';
import { Pipe } from '../vfs/pipe.ts';
import { arg, type Calls, fdArg, type Result } from './dispatch.ts';
import { poll } from './poll.ts';

export const descriptorCalls: Calls = {
  *[SYS.close](call, request) {
    yield* close(call, fdArg(request));
    return {};
  },
  *[SYS.dup](call, request) {
    const min = arg(request, 1);
    if (!(min >= 0 && min < call.process.limits.soft(RLIMIT_NOFILE))) fail(EINVAL);
    const file = call.process.file(fdArg(request));
    const fd = call.process.install(file, { closeOnExec: arg(request, 2) === 1, min });
    file.refs++;
    return { r0: fd };
  },
  *[SYS.dup2](call, request) {
    return dup2(call, fdArg(request), arg(request, 1));
  },
  *[SYS.setCloexec](call, request) {
    call.process.descriptor(fdArg(request)).closeOnExec = arg(request, 1) === 1;
    return {};
  },
  *[SYS.pipe](call) {
    const pipe = new Pipe(call.kernel, 'unnamed');
    const [reader, writer] = [
      new OpenFile({ flags: O_RDONLY, stream: pipe.end('read') }),
      new OpenFile({ flags: O_WRONLY, stream: pipe.end('write') }),
    ];
    let r0: number | undefined;
    try {
      r0 = call.process.install(reader, { closeOnExec: true });
      return { r0, r1: call.process.install(writer, { closeOnExec: true }) };
    } catch (error) {
      if (r0 !== undefined) setDescriptor(call.process, r0, undefined);
      for (const file of [reader, writer]) releaseFile(call.kernel, file);
      throw error;
    }
  },
  *[SYS.getfl](call, request) {
    return { r0: call.process.file(fdArg(request)).flags };
  },
  *[SYS.setfl](call, request) {
    const file = call.process.file(fdArg(request));
    const settable = O_APPEND | O_NONBLOCK;
    file.flags = (file.flags & ~settable) | (arg(request, 1) & settable);
    tellHolders(file);
    return {};
  },
  *[SYS.poll](call, request) {
    return yield* poll(call, request);
  },
  *[SYS.isatty](call, request) {
    return call.process.file(fdArg(request)).stream?.tty ? { r0: 1 } : fail(ENOTTY);
  },
};

/** close(2): the last close of a file that failed to write back tells so. */
function* close(call: Call, fd: number): Task<void> {
  const { descriptors } = call.process;
  const descriptor = descriptors[fd];
  if (descriptor === undefined) fail(EBADF);
  setDescriptor(call.process, fd, undefined);
  const { file } = descriptor;
  const { inode } = file;
  if (inode?.writeError !== undefined && file.writable) {
    yield* flushInode(call.kernel, inode);
    const error = inode.writeError === undefined ? undefined : takeError(inode);
    releaseFile(call.kernel, file);
    if (error !== undefined) fail(error);
    return;
  }
  releaseFile(call.kernel, file);
}

function dup2(call: Call, from: number, to: number): Result {
  if (!(to >= 0 && to < call.process.limits.soft(RLIMIT_NOFILE))) fail(EBADF);
  const file = call.process.file(from);
  if (from === to) return { r0: to };
  const old = call.process.descriptors[to];
  file.refs++;
  setDescriptor(call.process, to, { file, closeOnExec: false });
  if (old) releaseFile(call.kernel, old.file);
  return { r0: to };
}

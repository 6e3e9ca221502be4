// System calls on what a process may use and has used, on its signals' mask and its alarm.

import {
  RLIMIT_CPU,
  SIG_BLOCK,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SIGKILL,
  SIGSTOP,
} from '../abi/constants.ts';
import { EACCES, EFAULT, EINVAL, EPERM, ESRCH, fail } from '../abi/errno.ts';
import { SYS } from '../abi/syscall.ts';
import { setAlarm } from '../proc/alarm.ts';
import { watchCpuTime } from '../proc/cpu-time.ts';
import type { Process } from '../proc/process.ts';
import { deliverHeld } from '../proc/signal.ts';
import { stopTracing, trace } from '../proc/tracing.ts';
import type { Call } from '../vfs/call.ts';
import { arg, type Calls, type Request } from './dispatch.ts';

const MOST_GROUPS = 64;
const NICE_MIN = -20;
const NICE_MAX = 19;
const UNBLOCKABLE = (1 << SIGKILL) | (1 << SIGSTOP);

export const resourceCalls: Calls = {
  *[SYS.sigprocmask](call, request) {
    const { process } = call;
    const before = process.blocked;
    const bits = arg(request, 1);
    const how = arg(request, 0);
    if (how === SIG_BLOCK) process.blocked |= bits;
    else if (how === SIG_UNBLOCK) process.blocked &= ~bits;
    else if (how === SIG_SETMASK) process.blocked = bits | 0;
    else fail(EINVAL);
    process.blocked &= ~UNBLOCKABLE;
    deliverHeld(call.kernel, process);
    return { r0: before >>> 0 };
  },
  *[SYS.setitimer](call, request) {
    const [ms, everyMs] = [request.args[0] ?? 0, request.args[1] ?? 0];
    if (!(ms >= 0 && everyMs >= 0)) fail(EINVAL);
    const { leftMs, everyMs: r1 } = setAlarm(call.kernel, call.process, { ms, everyMs });
    return { r0: leftMs, r1 };
  },
  *[SYS.getrlimit](call, request) {
    const { soft, hard } = call.process.limits.get(arg(request, 0));
    return { r0: soft, r1: hard };
  },
  *[SYS.setrlimit](call, request) {
    const [resource = -1, soft = Number.NaN, hard = Number.NaN] = request.args;
    call.process.limits.set(resource, { soft, hard }, call.uid);
    if (resource === RLIMIT_CPU) watchCpuTime(call.kernel, call.process);
    return {};
  },
  *[SYS.getpriority](call, request) {
    return { r0: target(call, request).nice };
  },
  *[SYS.setpriority](call, request) {
    const process = target(call, request);
    const wanted = arg(request, 1);
    if (Number.isNaN(wanted)) fail(EINVAL);
    const nice = Math.max(NICE_MIN, Math.min(NICE_MAX, wanted));
    if (call.uid !== 0 && process.uid !== call.uid) fail(EPERM);
    if (call.uid !== 0 && nice < process.nice) fail(EACCES);
    process.nice = nice;
    return {};
  },
  *[SYS.getrusage](call, request) {
    const { process, kernel } = call;
    const children = arg(request, 0) === 1;
    const { userMs, systemMs } = children
      ? process.childrenUsed
      : { userMs: kernel.cpus.usedMs(process), systemMs: process.systemMs };
    return { r0: userMs, r1: systemMs };
  },
  *[SYS.trace](call, request) {
    const { kernel, process } = call;
    const [pid, fd, follow] = [arg(request, 0), arg(request, 1), arg(request, 2) !== 0];
    const traced = pid === 0 ? process : (kernel.processes.find(pid) ?? fail(ESRCH));
    if (call.uid !== 0 && traced.uid !== call.uid) fail(EPERM);
    if (traced.dead) fail(ESRCH);
    if (fd === -1) stopTracing(kernel, traced);
    else {
      const what = pid === 0 ? 'children' : 'process';
      trace(kernel, traced, { tracing: { file: call.file(fd), follow }, what });
    }
    return {};
  },
  *[SYS.getgroups](call, request) {
    const { groups } = call.process;
    const { bytes } = request.room(groups.length * 4);
    if (bytes.length < groups.length * 4) fail(EFAULT);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const [i, group] of groups.entries()) view.setUint32(i * 4, group, true);
    return { length: groups.length * 4, r0: groups.length };
  },
  *[SYS.setgroups](call, request) {
    const { data } = request;
    if (call.uid !== 0) fail(EPERM);
    if (data.length % 4 !== 0 || data.length > MOST_GROUPS * 4) fail(EINVAL);
    const view = new DataView(data.slice().buffer);
    call.process.groups = Array.from({ length: data.length / 4 }, (_, i) =>
      view.getUint32(i * 4, true),
    );
    return {};
  },
};

function target(call: Call, request: Request): Process {
  const pid = arg(request, 0);
  return pid === 0 ? call.process : call.kernel.processes.get(pid);
}

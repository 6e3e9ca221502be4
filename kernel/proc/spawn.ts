// spawn and exec: from a path to a running program. A program is a native module (`#!native NAME`,
// honoured only on the boot archive), WebAssembly, or a script with `#!`; everything else is ENOEXEC.

import {
  ARG_MAX,
  O_RDONLY,
  RLIMIT_CPU,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  S_IFREG,
  SIGKILL,
  SIGTTOU,
  signalStatus,
  X_OK,
} from '../abi/constants.ts';
import {
  E2BIG,
  EACCES,
  EAGAIN,
  EBADF,
  EINTR,
  EINVAL,
  ELOOP,
  ENOENT,
  ENOEXEC,
  ENOTDIR,
  ENOTTY,
  fail,
} from '../abi/errno.ts';
import { PAGE_SIZE } from '../abi/memlayout.ts';
import { type Start, WINDOW_SIZE } from '../abi/syscall.ts';
import { decodeText, textSize } from '../abi/text.ts';
import { meetBeginning } from '../fault/proc.ts';
import { holdBackground } from '../fs/tty/access.ts';
import { sleep, type Task } from '../ipc/task.ts';
import { EVENTS } from '../ipc/trace-events.ts';
import type { Kernel } from '../kernel.ts';
import type { Call } from '../vfs/call.ts';
import { setDescriptor } from '../vfs/descriptors.ts';
import { type OpenFile, readAt, releaseFile } from '../vfs/file.ts';
import type { Inode } from '../vfs/inode.ts';
import { namei } from '../vfs/namei.ts';
import { open } from '../vfs/open.ts';
import { checkAccess } from '../vfs/permission.ts';
import { watchCpuTime } from './cpu-time.ts';
import type { Process } from './process.ts';
import { closeAll, end } from './signal.ts';
import { inheritTracing } from './tracing.ts';
import type { ProcessSeat } from './workers.ts';

const INTERPRETER_DEPTH = 4;
/** Bytes of a Start besides its arguments and environment: ids, and an interpreter's words. */
const START_ROOM = 16 * 1024;
const HEAD_BYTES = 256;
/** The first bytes of a WebAssembly file: what follows is judged where it runs. */
const WASM_MAGIC = '\0asm';

export type FdAction =
  | { op: 'dup2'; from: number; to: number }
  | { op: 'close'; fd: number }
  | { op: 'open'; fd: number; path: string; flags: number; mode: number };

/** The data of SYS.spawn and SYS.spawnStdio, as JSON. */
export interface SpawnRequest {
  path: string;
  argv: string[];
  env: [string, string][];
  fdActions?: FdAction[];
  stdio?: number[]; // spawnStdio: the child's 0, 1, 2, and nothing else
  cwd?: string;
  pgid?: number;
  setsid?: boolean;
  foreground?: number; // a terminal of the caller whose foreground group the child's becomes
  ignore?: number[];
  defaults?: number[];
}

interface Image {
  program: string;
  /** The path of a WebAssembly file. */
  module?: string;
  argv: string[];
}

/** Starts a program in a new process; returns its pid. */
export function* spawn(call: Call, request: SpawnRequest): Task<number> {
  const { kernel, process: parent } = call;
  if (kernel.shuttingDown) fail(EAGAIN, 'the machine is going down');
  checkSize(request);
  checkCount(kernel, parent);
  parent.spawning++;
  try {
    return yield* spawnCounted(call, request);
  } finally {
    parent.spawning--;
  }
}

function* spawnCounted(call: Call, request: SpawnRequest): Task<number> {
  const { kernel, process: parent } = call;
  const image = yield* load(call, request.path, request.argv);
  const name = nameOf(image.program, request.argv);
  yield* meetBeginning(kernel, { name, how: 'spawn', pid: parent.pid });
  const { clock, processes, dcache, workers } = kernel;
  const cwd = request.cwd === undefined ? parent.cwd : yield* directory(call, request.cwd);
  if (request.cwd !== undefined) call.hold(cwd.dentry);
  const seat = yield* workers.take();
  if (parent.dead) {
    workers.putBack(seat);
    fail(EINTR);
  }
  const child = processes.addChild(parent, { name, cwd, startedMs: clock.monotonicMs() });
  dcache.pin(cwd.dentry);
  child.argv = image.argv;
  if (request.setsid) child.sid = child.pid;
  if (request.setsid || request.pgid === 0) child.pgid = child.pid;
  else if (request.pgid !== undefined) child.pgid = request.pgid;
  inheritSignals(parent, child, request);
  inheritTracing(kernel, parent, child);
  try {
    yield* inheritFiles(call, child, request);
    if (request.foreground !== undefined) yield* toForeground(call, child, request.foreground);
  } catch (error) {
    child.adopted = true; // never was: nobody is told
    end(kernel, child, signalStatus(SIGKILL));
    workers.putBack(seat);
    throw error;
  }
  traceName(kernel, child);
  if (child.limits.soft(RLIMIT_CPU) !== Number.POSITIVE_INFINITY) watchCpuTime(kernel, child);
  const start = startOf(child, image, request.env);
  kernel.executor.start(begin(kernel, child, { seat, start }), 'begin');
  return child.pid;
}

/** posix_spawn's tcsetpgrp: before the child runs, so that it never finds itself in the background. */
function* toForeground(call: Call, child: Process, fd: number): Task<void> {
  const tty = call.file(fd).stream?.tty ?? fail(ENOTTY);
  if (tty.session === 0 || tty.session !== child.sid) fail(ENOTTY);
  yield* holdBackground(call, tty, SIGTTOU);
  tty.foreground = child.pgid;
}

/** A quarter of the places for processes is left to other scopes, and a few of the rest to whom the person talks to. */
const OTHERS_SHARE = 4;
const LEADER_SHARE = 16;

/**
 * A bomb of processes ends here. DEVIATES: for root, too, as most of this system runs as root; in place of
 * a limit for each user there is one for each scope, as systemd's TasksMax, so that somebody can end it.
 */
function checkCount(kernel: Kernel, who: Process): void {
  checkScope(kernel, who);
  const most = who.limits.soft(RLIMIT_NPROC);
  if (most === Number.POSITIVE_INFINITY) return;
  const mine = kernel.processes.all.filter((p) => p.uid === who.uid && !p.server && p.pid !== 1);
  if (count(mine) >= most) fail(EAGAIN);
}

function checkScope({ processes, workers }: Kernel, who: Process): void {
  if (who.pid === 1) return;
  const { most } = workers;
  const ownShare = most - Math.floor(most / OTHERS_SHARE);
  const room = who.pid === who.scope ? ownShare : ownShare - Math.ceil(most / LEADER_SHARE);
  const mine = processes.all.filter(({ scope, dead }) => scope === who.scope && !dead);
  if (count(mine) >= room) fail(EAGAIN, 'too many processes of one origin');
}

const count = (processes: readonly Process[]): number =>
  processes.reduce((sum, { spawning }) => sum + 1 + spawning, 0);

/** The child runs as soon as it has a CPU; its parent goes on meanwhile. */
function* begin(
  kernel: Kernel,
  child: Process,
  to: { seat: ProcessSeat; start: Start },
): Task<void> {
  if (child.dead) closeAll(kernel, child); // killed while it inherited them
  while (child.stopSignal !== 0) yield* sleep(child.continued);
  yield* kernel.cpus.acquire(child);
  if (child.dead) kernel.workers.putBack(to.seat);
  else if (!kernel.workers.begin(to.seat, child, to.start)) {
    end(kernel, child, signalStatus(SIGKILL));
  }
}

/** Replaces the caller's program; returns what its worker starts with. */
export function* exec(call: Call, request: SpawnRequest): Task<Start> {
  const { kernel, process } = call;
  checkSize(request);
  const image = yield* load(call, request.path, request.argv);
  const name = nameOf(image.program, request.argv);
  yield* meetBeginning(kernel, { name, how: 'exec', pid: process.pid });
  closeAll(kernel, process, 'cloexec');
  process.dispositions.forEach((disposition, signal) => {
    if (disposition === 'handler') process.dispositions[signal] = 'default';
  });
  process.pending = 0;
  process.name = name;
  process.argv = image.argv;
  traceName(kernel, process);
  return startOf(process, image, request.env);
}

/** What its track in the trace is called from now on. */
function traceName({ executor: { trace } }: Kernel, { pid, name }: Process): void {
  if (trace.on) trace.instant(EVENTS.process, pid, trace.label(name));
}

const startOf = (process: Process, image: Image, env: [string, string][]): Start => ({
  pid: process.pid,
  ppid: process.parent?.pid ?? 0,
  program: image.program,
  ...(image.module !== undefined && { module: image.module }),
  argv: image.argv,
  env,
  uid: process.uid,
  gid: process.gid,
});

const nameOf = (program: string, argv: readonly string[]): string =>
  argv[0]?.split('/').at(-1) ?? program;

/** What the program starts with goes through its window as JSON: with escapes that may be longer. */
function checkSize(request: SpawnRequest): void {
  const { argv: words, env: settings } = request;
  if (textSize(JSON.stringify([words, settings])) > WINDOW_SIZE - START_ROOM) fail(E2BIG);
  const env = request.env.reduce((sum, [k, v]) => sum + textSize(k) + textSize(v) + 2, 0);
  const argv = request.argv.reduce((sum, arg) => sum + textSize(arg) + 1, 0);
  if (env + argv > ARG_MAX) fail(E2BIG);
}

/** Finds the program behind a path, through interpreters. Throws ENOENT, EACCES, ENOEXEC. */
function* load(call: Call, path: string, argv: readonly string[], depth = 0): Task<Image> {
  const found = yield* namei(call, path, { follow: true });
  if (found.inode.kind !== S_IFREG) fail(EACCES);
  checkAccess(call, found.inode, X_OK);
  if (call.uid === 0 && (found.inode.attr.mode & 0o111) === 0) fail(EACCES);
  const head = yield* headOf(call, path, found.inode);
  if (head.startsWith(WASM_MAGIC)) {
    const module = call.kernel.mounts.name(found) ?? fail(ENOENT);
    return { program: 'wasm', module, argv: [...argv] };
  }
  if (!head.startsWith('#!')) fail(ENOEXEC);
  const line = (head.split('\n', 1)[0] ?? '').slice(2).trim();
  const space = line.search(/[ \t]/);
  const interpreter = space < 0 ? line : line.slice(0, space);
  const argument = space < 0 ? '' : line.slice(space).trim();
  if (interpreter === 'native') {
    if (found.inode.superblock.type !== 'boot') fail(EACCES, `${path}: native outside /boot`);
    return { program: argument, argv: [...argv] };
  }
  if (interpreter === '') fail(ENOEXEC);
  if (depth >= INTERPRETER_DEPTH) fail(ELOOP);
  const args = [interpreter, ...(argument === '' ? [] : [argument]), path, ...argv.slice(1)];
  return yield* load(call, interpreter, args, depth + 1);
}

/** Programs of the boot archive never change: their first lines are read once. */
const heads = new WeakMap<Inode, string>();

function* headOf(call: Call, path: string, inode: Inode): Task<string> {
  const known = heads.get(inode);
  if (known !== undefined) return known;
  const { kernel } = call;
  if (kernel.frames.free === 0) kernel.pages.reclaim(1);
  const address = kernel.frames.mustTake(1, 'the head of a program');
  let file: OpenFile | undefined;
  try {
    file = yield* open(call, { path, flags: O_RDONLY, mode: 0 });
    const bytes = new Uint8Array(kernel.ram, address, PAGE_SIZE).subarray(0, HEAD_BYTES);
    const into = { segment: { address, length: HEAD_BYTES }, bytes };
    const head = decodeText(bytes.slice(0, yield* readAt(call, file, into, 0)));
    if (inode.superblock.type === 'boot') heads.set(inode, head);
    return head;
  } finally {
    if (file) releaseFile(kernel, file);
    kernel.frames.give(address, 1);
  }
}

function* directory(call: Call, path: string): Task<Process['cwd']> {
  const { mount, dentry, inode } = yield* namei(call, path, { follow: true });
  if (!inode.isDirectory) fail(ENOTDIR);
  checkAccess(call, inode, X_OK);
  return { mount, dentry };
}

function inheritSignals(parent: Process, child: Process, request: SpawnRequest): void {
  parent.dispositions.forEach((disposition, signal) => {
    child.dispositions[signal] =
      disposition === 'ignore' && parent.pid !== 1 ? 'ignore' : 'default';
  });
  for (const signal of request.ignore ?? []) child.dispositions[signal] = 'ignore';
  for (const signal of request.defaults ?? []) child.dispositions[signal] = 'default';
}

function* inheritFiles(call: Call, child: Process, request: SpawnRequest): Task<void> {
  const { process: parent, kernel } = call;
  const give = (fd: number, file: OpenFile, closeOnExec: boolean): void => {
    const most = child.limits.soft(RLIMIT_NOFILE);
    if (!(Number.isInteger(fd) && fd >= 0 && fd < most)) fail(EBADF);
    file.refs++;
    const old = child.descriptors[fd];
    setDescriptor(child, fd, { file, closeOnExec });
    if (old) releaseFile(kernel, old.file);
  };
  if (request.stdio) {
    for (const [fd, from] of request.stdio.entries()) {
      const file = parent.file(from);
      give(fd, file, false);
      if (file.stream && request.setsid) kernel.terminals.opened(child, file.stream, 0);
    }
    return;
  }
  parent.descriptors.forEach((d, fd) => {
    if (d) give(fd, d.file, d.closeOnExec);
  });
  for (const action of request.fdActions ?? []) yield* apply(call, child, action, give);
  closeAll(kernel, child, 'cloexec');
}

function* apply(
  call: Call,
  child: Process,
  action: FdAction,
  give: (fd: number, file: OpenFile, closeOnExec: boolean) => void,
): Task<void> {
  switch (action.op) {
    case 'dup2':
      give(action.to, child.file(action.from), false);
      return;
    case 'close': {
      const old = child.descriptors[action.fd];
      if (old === undefined) return;
      setDescriptor(child, action.fd, undefined);
      releaseFile(call.kernel, old.file);
      return;
    }
    case 'open': {
      const file = yield* open(call, action);
      try {
        give(action.fd, file, false);
        if (file.stream) call.kernel.terminals.opened(child, file.stream, action.flags);
      } finally {
        releaseFile(call.kernel, file);
      }
      return;
    }
    default:
      fail(EINVAL);
  }
}

// Job control: what Ctrl-Z and the background do to processes, and what their parents are told.

import test from 'ava';
import {
  CONTINUED_STATUS,
  O_RDWR,
  SIG_BLOCK,
  SIG_UNBLOCK,
  SIGCHLD,
  SIGCONT,
  SIGHUP,
  SIGKILL,
  SIGSTOP,
  SIGTERM,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGUSR1,
  stopStatus,
  WCONTINUED,
  WNOHANG,
  WUNTRACED,
} from '../abi/constants.ts';
import { putTermios, SANE, TOSTOP } from '../abi/termios.ts';
import { decodeText } from '../abi/text.ts';
import { machine } from './machine.ts';

/** A shell on the console with a job in the foreground. */
function session(options: { cpus?: number } = {}) {
  const m = machine(options);
  const login = m.program({ name: 'login' });
  const shell = m.program({ name: 'sh', parent: login });
  shell.ok('setsid');
  const tty = shell.open('/dev/console', O_RDWR);
  for (const signal of [SIGTSTP, SIGTTIN, SIGTTOU]) shell.ok('sigaction', [signal, 1]);
  const job = m.program({ name: 'job', parent: shell });
  job.ok('setpgid', [0, 0]);
  for (const signal of [SIGTSTP, SIGTTIN, SIGTTOU]) job.ok('sigaction', [signal, 0]);
  shell.ok('tcsetpgrp', [tty, job.pid]);
  const told = () => {
    const { r0, r1 } = shell.ok('wait', [-1, WNOHANG | WUNTRACED | WCONTINUED]);
    return r0 === 0 ? 'nothing' : r1;
  };
  return { m, login, shell, tty, job, told };
}

test('Ctrl-Z stops the foreground group; the shell is told once, and continues it', (t) => {
  const { m, shell, tty, job, told } = session();
  const sleeps = job.start('sleep', [5]);
  const waits = shell.start('wait', [job.pid, WUNTRACED]);
  m.type('\x1a');
  t.is(shell.look(waits).r1, stopStatus(SIGTSTP));
  t.is(told(), 'nothing');
  t.regex(shell.get(`/proc/${job.pid}/status`), /State:\tT \(stopped\)/);
  m.pass(20);
  t.false(job.look(sleeps).done); // its time is up, but it stands still
  shell.ok('tcsetpgrp', [tty, shell.pid]);
  shell.ok('kill', [-job.pid, SIGCONT]);
  t.is(job.look(sleeps).told, 'ok');
  t.is(told(), CONTINUED_STATUS);
  t.is(told(), 'nothing');
});

test('without WUNTRACED and WCONTINUED wait tells of ends alone', (t) => {
  const { shell, job } = session();
  const waits = shell.start('wait', [job.pid, 0]);
  job.ok('kill', [0, SIGCONT]);
  const stops = job.start('kill', [job.pid, SIGSTOP]);
  t.false(job.look(stops).done);
  t.false(shell.look(waits).done);
  t.is(shell.start('kill', [job.pid, SIGKILL]).told, 'ok');
  t.is(shell.look(waits).r1, SIGKILL);
});

test('a process that computes stops at its next call, and holds no CPU meanwhile', (t) => {
  const m = machine({ cpus: 1 });
  const other = m.program();
  const job = m.program();
  const quiet = other.start('sleep', [30]);
  job.ok('getppid'); // and computes from here on
  m.pass(31);
  other.look(quiet);
  m.pass(50);
  t.true(other.look(quiet).done);
  t.is(other.told('kill', [job.pid, SIGSTOP]), 'ok');
  const call = job.start('mkdir', [0o755], '/tmp/made');
  m.pass(100);
  t.false(job.look(call).done);
  t.is(other.told('stat', [], '/tmp/made'), 'ENOENT');
  t.true(m.kernel.cpus.holds(other.process));
  other.ok('kill', [job.pid, SIGCONT]);
  m.pass(100);
  t.is(job.look(call).told, 'ok');
});

test('a stopped reader of a pipe leaves the data to the others', (t) => {
  const { m, shell, job } = session();
  const { r0: read, r1: write } = shell.ok('pipe');
  const twin = m.program({ parent: shell });
  shell.process.descriptors.forEach((d, fd) => {
    if (d === undefined) return;
    d.file.refs++;
    job.process.descriptors[fd] = { ...d };
  });
  const stopped = job.start('read', [read, 10]);
  shell.ok('kill', [job.pid, SIGSTOP]);
  shell.write(write, 'data');
  t.false(job.look(stopped).done);
  t.is(twin.read(read), 'data');
  shell.write(write, 'more');
  shell.ok('kill', [job.pid, SIGCONT]);
  t.is(decodeText(job.look(stopped).data), 'more');
});

test('signals wait for a stopped process to go on; SIGKILL does not', (t) => {
  const { shell, job } = session();
  shell.ok('kill', [job.pid, SIGSTOP]);
  shell.ok('kill', [job.pid, SIGTERM]);
  t.false(job.process.dead);
  shell.ok('kill', [job.pid, SIGCONT]);
  t.is(shell.ok('wait', [job.pid, 0]).r1, SIGTERM);
  const { shell: sh, job: second } = session();
  sh.ok('kill', [second.pid, SIGSTOP]);
  const waits = sh.start('wait', [second.pid, 0]);
  sh.ok('kill', [second.pid, SIGKILL]);
  t.is(sh.look(waits).r1, SIGKILL);
});

test('a background reader of the terminal stops, and reads once in the foreground', (t) => {
  const { m, shell, tty, job, told } = session();
  shell.ok('tcsetpgrp', [tty, shell.pid]);
  const fd = job.open('/dev/tty', O_RDWR);
  const reads = job.start('read', [fd, 10]);
  t.is(told(), stopStatus(SIGTTIN));
  m.type('for me\r');
  t.is(decodeText(shell.ok('read', [tty, 10]).data), 'for me\n');
  shell.ok('tcsetpgrp', [tty, job.pid]);
  shell.ok('kill', [-job.pid, SIGCONT]);
  t.false(job.look(reads).done);
  m.type('hello\r');
  t.is(decodeText(job.look(reads).data), 'hello\n');
});

test('a reader that was put into the background meanwhile stops when it goes on', (t) => {
  const { m, shell, tty, job, told } = session();
  const fd = job.open('/dev/tty', O_RDWR);
  job.start('read', [fd, 10]);
  m.type('\x1a');
  t.is(told(), stopStatus(SIGTSTP));
  shell.ok('tcsetpgrp', [tty, shell.pid]);
  shell.ok('kill', [-job.pid, SIGCONT]); // bg
  t.is(told(), stopStatus(SIGTTIN));
});

test('the background may write unless TOSTOP, and never changes the terminal', (t) => {
  const { shell, tty, job, told } = session();
  shell.ok('tcsetpgrp', [tty, shell.pid]);
  const fd = job.open('/dev/tty', O_RDWR);
  t.is(job.write(fd, 'fine'), 4);
  const bytes = new Uint8Array(36);
  putTermios(new DataView(bytes.buffer), { ...SANE, lflag: SANE.lflag | TOSTOP });
  const sets = job.start('tcsetattr', [fd, 0], bytes);
  t.false(sets.done);
  t.is(told(), stopStatus(SIGTTOU));
  shell.ok('tcsetattr', [tty, 0], bytes);
  shell.ok('kill', [job.pid, SIGTERM]);
  shell.ok('kill', [job.pid, SIGCONT]);
  t.is(shell.ok('wait', [job.pid, 0]).r1, SIGTERM);
});

test('TOSTOP stops background writers; who ignores the signal writes', (t) => {
  const { shell, tty, job, told } = session();
  const bytes = new Uint8Array(36);
  putTermios(new DataView(bytes.buffer), { ...SANE, lflag: SANE.lflag | TOSTOP });
  shell.ok('tcsetattr', [tty, 0], bytes);
  const fd = job.open('/dev/tty', O_RDWR);
  shell.ok('tcsetpgrp', [tty, shell.pid]);
  const writes = job.start('write', [fd], 'x');
  t.is(told(), stopStatus(SIGTTOU));
  shell.ok('tcsetpgrp', [tty, job.pid]);
  shell.ok('kill', [job.pid, SIGCONT]);
  t.is(job.look(writes).told, 'ok');
  t.is(shell.write(tty, 'the shell ignores SIGTTOU'), 25);
});

test('who ignores SIGTTIN, or cannot be continued, gets EIO', (t) => {
  const { m, shell, tty, job } = session();
  shell.ok('tcsetpgrp', [tty, shell.pid]);
  const fd = job.open('/dev/tty', O_RDWR);
  job.ok('sigaction', [SIGTTIN, 1]);
  t.is(job.told('read', [fd, 1]), 'EIO');
  job.ok('sigaction', [SIGTTIN, 0]);
  shell.ok('tcsetpgrp', [tty, job.pid]);
  const orphan = m.program({ parent: job });
  orphan.ok('setpgid', [0, 0]);
  const theirs = orphan.open('/dev/tty', O_RDWR);
  job.exit();
  t.is(orphan.told('read', [theirs, 1]), 'EIO');
  t.is(orphan.told('kill', [0, SIGTSTP]), 'ok');
  t.is(orphan.process.stopSignal, 0); // an orphaned group is not stopped by the terminal
  m.program().ok('kill', [orphan.pid, SIGSTOP]);
  t.is(orphan.process.stopSignal, SIGSTOP);
});

test('a stopped group that loses its last keeper gets SIGHUP and goes on', (t) => {
  const { m, shell, job } = session();
  const child = m.program({ parent: job });
  child.ok('setpgid', [0, 0]);
  child.ok('sigaction', [SIGHUP, 2]);
  const sleeps = child.start('sleep', [1000]);
  shell.ok('kill', [child.pid, SIGSTOP]);
  job.exit();
  t.is(child.process.stopSignal, 0);
  t.is(child.look(sleeps).told, 'EINTR');
  t.is(sleeps.signals, 1 << SIGHUP);
});

test('SIGCHLD tells of stops and goes, and ignored it leaves no zombies', (t) => {
  const { m, shell, job } = session();
  shell.ok('sigaction', [SIGCHLD, 2]);
  const sleeps = shell.start('sleep', [1000]);
  m.program().ok('kill', [job.pid, SIGSTOP]);
  t.is(shell.look(sleeps).told, 'EINTR');
  shell.ok('sigaction', [SIGCHLD, 1]);
  const waits = shell.start('wait', [-1, 0]);
  m.program().ok('kill', [job.pid, SIGKILL]);
  t.is(shell.look(waits).told, 'ECHILD');
  t.is(m.kernel.processes.find(job.pid), undefined);
});

test('a blocked signal waits until it is let through', (t) => {
  const { shell, job } = session();
  t.is(job.ok('sigprocmask', [SIG_BLOCK, (1 << SIGTERM) | (1 << SIGUSR1) | (1 << SIGKILL)]).r0, 0);
  job.ok('sigaction', [SIGUSR1, 2]);
  shell.ok('kill', [job.pid, SIGUSR1]);
  shell.ok('kill', [job.pid, SIGTERM]);
  const { signals } = job.ok('getppid');
  t.is(signals, 0);
  const mask = job.ok('sigprocmask', [SIG_UNBLOCK, 1 << SIGUSR1]);
  t.deepEqual([mask.r0, mask.signals], [(1 << SIGTERM) | (1 << SIGUSR1), 1 << SIGUSR1]);
  t.is(job.start('sigprocmask', [SIG_UNBLOCK, 1 << SIGTERM]).told, 'DIED');
  t.is(shell.ok('wait', [job.pid, 0]).r1, SIGTERM);
});

test('a group is joined in its own session alone, and no leader leaves', (t) => {
  const { m, shell, tty, job } = session();
  const stranger = m.program();
  t.is(shell.told('setpgid', [0, 0]), 'EPERM');
  t.is(stranger.told('setpgid', [0, job.pid]), 'EPERM');
  t.is(shell.told('tcsetpgrp', [tty, stranger.pid]), 'EPERM');
  t.is(shell.told('tcsetpgrp', [tty, 99_999]), 'EPERM');
  t.is(shell.ok('getsid', [job.pid]).r0, shell.pid);
  t.is(job.told('setsid'), 'EPERM');
});

test('a child is put into the foreground before it runs', (t) => {
  const { m, shell, tty } = session();
  shell.put('/tmp/prog', '#!/bin/none\n', 0o755);
  const request = { path: '/tmp/prog', argv: ['prog'], env: [], pgid: 0, foreground: tty };
  t.is(shell.told('spawn', [], JSON.stringify(request)), 'ENOENT'); // there is no /bin/none
  t.not(m.kernel.terminals.console.foreground, 0);
  t.is(shell.told('spawn', [], JSON.stringify({ ...request, setsid: 1 })), 'EINVAL');
});

test('a group whose last process has ended takes signals until that is waited for', (t) => {
  const { shell, job } = session();
  shell.ok('kill', [-job.pid, SIGKILL]);
  shell.ok('kill', [-job.pid, SIGCONT]);
  shell.ok('wait', [job.pid, 0]);
  t.is(shell.told('kill', [-job.pid, SIGCONT]), 'ESRCH');
});

// Claims about requests that are abandoned, that wait, and about fids after a restart.

import test from 'ava';
import { O_RDONLY, O_RDWR } from '../abi/constants.ts';
import * as E from '../abi/errno.ts';
import { caller, memFs, session } from '../fs/test-session.ts';
import { sleep, type Task, WaitQueue } from '../ipc/task.ts';
import { NOFID, type TMessage } from './types.ts';

class Missing {}

const everyRequest: readonly TMessage[] = [
  { name: 'Tversion', msize: 8192, version: '9P2000.L' },
  { name: 'Tattach', fid: 9, afid: NOFID, uname: '', aname: '', nUname: 0 },
  { name: 'Twalk', fid: 0, newfid: 9, wname: ['d', 'e'] },
  { name: 'Twalk', fid: 2, newfid: 2, wname: ['e'] },
  { name: 'Tlopen', fid: 3, flags: O_RDWR },
  { name: 'Tlcreate', fid: 2, filename: 'new', flags: O_RDWR, mode: 0o644, gid: 0 },
  { name: 'Tclunk', fid: 1 },
  { name: 'Tclunk', fid: 4 },
  { name: 'Tremove', fid: 3 },
  { name: 'Trename', fid: 3, dfid: 2, filename: 'moved' },
  { name: 'Txattrwalk', fid: 3, newfid: 9, attrName: '' },
];

const restarts = test.macro({
  exec(t, message: TMessage) {
    for (let failAt = 0; ; failAt++) {
      t.true(failAt < 50);
      let calls = Number.NEGATIVE_INFINITY;
      const fs = new Proxy(memFs(), {
        get(target, key) {
          const value: unknown = Reflect.get(target, key, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (calls++ === failAt) throw new Missing();
            return value.apply(target, args);
          };
        },
      });
      const s = session(fs);
      s.mkdir(t, 'd');
      s.walk(t, 2, 'd');
      s.mkdir(t, 'e', 2);
      s.make(t, 1, 'f');
      s.walk(t, 3, 'f');
      s.walk(t, 4, 'f');
      s.ok(t, { name: 'Txattrcreate', fid: 4, attrName: 'user.x', attrSize: 0, flags: 0 });
      const before = [...s.server.fids().entries()];
      calls = 0;
      try {
        t.not(s.ask(message).name, 'Rlerror');
        break;
      } catch (error) {
        t.true(error instanceof Missing);
        t.deepEqual([...s.server.fids().entries()], before);
      }
    }
  },
  title: (_, message: TMessage) =>
    `an abandoned ${message.name} of fid ${'fid' in message ? message.fid : ''} changes no fid`,
});
for (const message of everyRequest) test(restarts, message);

test('a fid clunked while it is being opened does not come back', (t) => {
  const fs = memFs();
  const queue = new WaitQueue('open');
  const slow = new Proxy(fs, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (key === 'open') return slowOpen;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  function* slowOpen(): Task<void> {
    yield* sleep(queue);
  }
  const s = session(slow);
  s.mkdir(t, 'd');
  s.walk(t, 1, 'd');
  const task = s.server.dispatch(caller, { name: 'Tlopen', fid: 1, flags: O_RDONLY });
  t.false(task.next().done);
  s.clunk(t, 1);
  t.deepEqual(task.next().value as unknown, { name: 'Rlerror', ecode: E.EBADF });
  t.is(s.server.fids().lookup(1), undefined);
});

test('fids restored after a restart are as they were', (t) => {
  const fs = memFs();
  const old = session(fs);
  old.make(t, 1, 'f', 'kept');
  old.walk(t, 2, 'f');
  const s = { ...session(fs) };
  for (const [fid, { node, qid, open, flags }] of old.server.fids().entries()) {
    if (fid !== 0) s.server.restore(fid, { node, qid, flags: open ? flags : undefined });
  }
  t.is(s.text(t, 1), 'kept');
  s.refused(t, { name: 'Tread', fid: 2, offset: 0, count: 1 }, E.EBADF);
  s.ok(t, { name: 'Tlopen', fid: 2, flags: O_RDONLY });
  t.is(s.text(t, 2), 'kept');
  t.is(s.server.fids().uses(s.server.fids().lookup(1)?.qid.path ?? 0), 2);
});

test('an error is told in words before it becomes a number', (t) => {
  const told: string[] = [];
  const s = session(memFs(), { onError: (e, m) => told.push(`${m.name}: ${e.message}`) });
  s.refused(t, { name: 'Tclunk', fid: 77 }, E.EBADF);
  t.deepEqual(told, ['Tclunk: fid 77 is unknown']);
});

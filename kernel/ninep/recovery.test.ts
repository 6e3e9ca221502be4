// A session that outlives its server: what the transport sends again when the worker at the other end
// was replaced, in which order, and which request it gives up.

import test from 'ava';
import { O_RDONLY } from '../abi/constants.ts';
import { EIO } from '../abi/errno.ts';
import { Executor } from '../ipc/executor.ts';
import { Ring } from '../ipc/ring.ts';
import type { Task } from '../ipc/task.ts';
import { rig, SEAT_A } from '../ipc/testing/rig.ts';
import { NinepClient } from './client.ts';
import { decodeMessage } from './codec.ts';
import { byName, byQid, FidLedger, files } from './ledger.ts';
import { MOST_IN_FLIGHT, putReply, RingTransport } from './transport-ring.ts';
import { type Message, NOFID, type Qid, type RMessage, type TMessage } from './types.ts';

const qid = (path: number): Qid => ({ type: 0, version: 0, path });

interface Taken {
  readonly tag: number;
  readonly message: Message;
  readonly repeated: boolean;
}

/** A client over rings, and a server that takes requests and answers what it is told. */
function machine(replay: typeof byName | typeof byQid = byName) {
  const { ram, ring } = rig();
  const shape = { slots: 32, slotSize: 1024, producer: SEAT_A, consumer: SEAT_A };
  const requests = new Ring(ram, ring(shape));
  const replies = new Ring(ram, ring(shape));
  const clock = { monotonicMs: () => 0, wallclock: () => ({ sec: 0, nsec: 0 }) };
  const bugs: unknown[] = [];
  const executor = new Executor({ ram, seat: SEAT_A, clock, onBug: (error) => bugs.push(error) });
  const poisoned: string[] = [];
  const ledger = new FidLedger('names');
  const onPoison = ({ name }: TMessage): void => void poisoned.push(name);
  const recovery = { ledger, replay, onPoison };
  const transport = new RingTransport({ executor, requests, replies, recovery });
  const settle = (): void => {
    for (let i = 0; i < 1000 && executor.turn(); i++);
  };
  return {
    ...{ ledger, poisoned, bugs, settle, replies },
    client: new NinepClient(transport),
    start(task: Task<void>): void {
      executor.start(task, 'client');
      settle();
    },
    /** What the server finds in its ring; what is of an old session it lets pass. */
    take(): Taken[] {
      const out: Taken[] = [];
      settle();
      for (let slot = requests.peek(); slot; slot = requests.peek()) {
        const decoded = decodeMessage(slot.payload.slice(0, slot.length), { granted: false });
        const { repeated, session } = slot;
        requests.release();
        if (session === requests.session && typeof decoded === 'object') {
          out.push({ ...decoded, repeated });
        }
        settle();
      }
      return out;
    },
    answer(tag: number, message: RMessage): void {
      putReply(replies, { tag, message, granted: false });
      settle();
    },
    die(cause: 'server failed' | 'ordered' = 'ordered'): void {
      for (const one of [requests, replies]) one.newSession(cause);
      settle();
    },
  };
}

const names = (taken: readonly Taken[]): string[] => taken.map(({ message }) => message.name);

function* ask(client: NinepClient, messages: readonly TMessage[], into: RMessage[]): Task<void> {
  into.push(...(yield* client.all(messages.map((message) => ({ message })))));
}

const clunk = (fid: number): TMessage => ({ name: 'Tclunk', fid });

test('the fids come back first, then what was not answered, in order and with its tags', (t) => {
  const m = machine();
  const got: RMessage[] = [];
  const attach: TMessage = {
    ...{ name: 'Tattach', fid: 1, afid: NOFID, uname: '', aname: '', nUname: 0 },
  };
  const walk: TMessage = { name: 'Twalk', fid: 1, newfid: 2, wname: ['sdC0', 'data'] };
  const open: TMessage = { name: 'Tlopen', fid: 2, flags: O_RDONLY };
  m.start(ask(m.client, [attach, walk, open, clunk(1), clunk(2)], got));
  const [one, two, three, four, five] = m.take();
  m.answer(one?.tag ?? 0, { name: 'Rattach', qid: qid(7) });
  m.answer(two?.tag ?? 0, { name: 'Rwalk', wqid: [qid(8), qid(9)] });
  m.answer(three?.tag ?? 0, { name: 'Rlopen', qid: qid(9), iounit: 0 });
  m.die();
  const replayed = m.take();
  t.deepEqual(names(replayed), ['Tversion', 'Tattach', 'Twalk', 'Tlopen']);
  t.like(replayed[2]?.message, { fid: 1, newfid: 2, wname: ['sdC0', 'data'] });
  for (const { tag, message } of replayed) {
    if (message.name === 'Tversion') m.answer(tag, { name: 'Rversion', msize: 8192, version: 'x' });
    else m.answer(tag, { name: 'Rlerror', ecode: EIO }); // whatever it says, the session goes on
  }
  const again = m.take();
  t.deepEqual(
    again.map(({ tag, repeated }) => [tag, repeated]),
    [
      [four?.tag, true],
      [five?.tag, true],
    ],
  );
  for (const { tag } of again) m.answer(tag, { name: 'Rclunk' });
  t.deepEqual(got.map(({ name }) => name).slice(3), ['Rclunk', 'Rclunk']);
  t.deepEqual(m.ledger.live, []);
  t.deepEqual(m.bugs, []);
});

test('a reply that was there when the server died counts, one of its session that comes later does not', (t) => {
  const m = machine(byQid);
  const got: RMessage[] = [];
  m.start(ask(m.client, [clunk(1), clunk(2)], got));
  const [one, two] = m.take();
  const old = m.replies.session;
  putReply(m.replies, { tag: one?.tag ?? 0, message: { name: 'Rclunk' }, granted: false });
  m.die();
  t.deepEqual(
    m.take().map(({ tag }) => tag),
    [two?.tag],
  );
  const late = { tag: two?.tag ?? 0, message: { name: 'Rclunk' }, granted: false } as const;
  putReply(m.replies, { ...late, session: old });
  m.settle();
  t.deepEqual(got, []);
  m.answer(late.tag, late.message);
  t.is(got.length, 2);
});

test('a request that was alone at three failures is answered EIO, the others go on', (t) => {
  const m = machine(byQid);
  const got: RMessage[] = [];
  m.start(ask(m.client, [clunk(1), clunk(2), clunk(3)], got));
  const seen: number[] = [];
  for (let lives = 0; lives < 9; lives++) {
    const taken = m.take();
    if (taken.length === 0) break;
    seen.push(taken.length);
    const dies = taken.some(({ message }) => message.name === 'Tclunk' && message.fid === 2);
    if (dies) m.die('server failed');
    else for (const { tag } of taken) m.answer(tag, { name: 'Rclunk' });
  }
  t.deepEqual(seen, [3, 3, 1, 1, 1, 1, 1], 'together twice, then one by one');
  t.deepEqual(m.poisoned, ['Tclunk']);
  t.deepEqual(
    got.map(({ name }) => name),
    ['Rclunk', 'Rlerror', 'Rclunk'],
  );
});

test('a request that is under way when somebody kills its server by hand is not to blame', (t) => {
  const m = machine(byQid);
  const got: RMessage[] = [];
  m.start(ask(m.client, [clunk(1)], got));
  for (let i = 0; i < 9; i++) {
    t.is(m.take().length, 1);
    m.die('ordered');
  }
  for (const { tag } of m.take()) m.answer(tag, { name: 'Rclunk' });
  t.deepEqual(got, [{ name: 'Rclunk' }]);
});

test('no two requests under way have tags that are the same modulo the stored replies', (t) => {
  const m = machine(byQid);
  const got: RMessage[] = [];
  const many = Array.from({ length: 3 * MOST_IN_FLIGHT }, (_, fid) => clunk(fid));
  m.start(ask(m.client, many, got));
  const flying: number[] = [];
  for (let i = 0; i < many.length; i++) {
    flying.push(...m.take().map(({ tag }) => tag));
    t.true(flying.length <= MOST_IN_FLIGHT);
    t.is(new Set(flying.map((tag) => tag % MOST_IN_FLIGHT)).size, flying.length);
    const [tag = 0] = flying.splice((i * 7) % flying.length, 1);
    m.answer(tag, { name: 'Rclunk' });
  }
  t.is(got.length, many.length);
});

test('the fid of an attribute is no file: it is made again by what made it', (t) => {
  const ledger = new FidLedger('qids');
  const attach: TMessage = {
    ...{ name: 'Tattach', fid: 1, afid: NOFID, uname: '', aname: '', nUname: 0 },
  };
  const learn = (message: TMessage, reply: RMessage): void => ledger.learn({ message }, reply);
  learn(attach, { name: 'Rattach', qid: qid(2) });
  learn(
    { name: 'Txattrwalk', fid: 1, newfid: 3, attrName: 'user.x' },
    { name: 'Rxattrwalk', size: 1 },
  );
  learn({ name: 'Twalk', fid: 1, newfid: 4, wname: [] }, { name: 'Rwalk', wqid: [] });
  const create: TMessage = {
    ...{ name: 'Txattrcreate', fid: 4, attrName: 'user.y', attrSize: 2, flags: 0 },
  };
  learn(create, { name: 'Rxattrcreate' });
  learn(
    { name: 'Tlcreate', fid: 9, filename: 'f', flags: 2, mode: 0, gid: 0 },
    { name: 'Rlerror', ecode: EIO },
  );
  t.deepEqual(
    files(ledger.live).map(({ fid }) => fid),
    [1, 4],
  );
  t.deepEqual(
    [...byQid(ledger.live)].map(({ message }) => message.name),
    ['Tgetattr', 'Txattrwalk', 'Txattrcreate'],
  );
});

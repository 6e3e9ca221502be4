// What a message costs, there and back: node dist/kernel/ninep/codec.bench.js

import { decodeMessage, encodeMessage } from './codec.ts';
import { Cursor } from './cursor.ts';
import type { Message } from './types.ts';

const ROUNDS = 300_000;
const time = { sec: 1_700_000_000, nsec: 5 };
const qid = { type: 0, version: 1, path: 2 ** 40 };

const samples: Message[] = [
  { name: 'Tread', fid: 1, offset: 2 ** 33, count: 4096 },
  { name: 'Twalk', fid: 1, newfid: 2, wname: ['usr', 'lib', 'modules.dep'] },
  {
    name: 'Rgetattr',
    attr: {
      valid: 0x7ff,
      qid,
      mode: 0o100644,
      uid: 0,
      gid: 0,
      nlink: 1,
      rdev: 0,
      size: 12345,
      blksize: 4096,
      blocks: 32,
      atime: time,
      mtime: time,
      ctime: time,
      btime: time,
      gen: 0,
      dataVersion: 1,
    },
  },
];

const slot = new Uint8Array(new SharedArrayBuffer(8192));
for (const message of [...samples, ...samples]) {
  const start = performance.now();
  let size = 0;
  for (let i = 0; i < ROUNDS; i++) size = encodeMessage(new Cursor(slot), i & 0xffff, message);
  const middle = performance.now();
  const bytes = slot.subarray(0, size);
  for (let i = 0; i < ROUNDS; i++) decodeMessage(bytes);
  const end = performance.now();
  const ns = (ms: number): string => `${((ms * 1e6) / ROUNDS).toFixed(0)} ns`;
  console.log(`${message.name}: encode ${ns(middle - start)}, decode ${ns(end - middle)}`);
}

// The bytes of messages, built by hand from the layouts of diod's protocol.md and 9P2000's
// section 5, and not by the codec: what a Linux client would put on the wire.

import test from 'ava';
import { EPROTO } from '../abi/errno.ts';
import { decodeMessage, messageBytes } from './codec.ts';
import type { Message } from './types.ts';

/** `4:300` is 300 in four bytes, little-endian; `s:usr` a string; `x:00ff` raw bytes. */
function build(type: number, tag: number, fields: string): Uint8Array {
  const body: number[] = [type, tag & 0xff, tag >> 8];
  for (const field of fields.split(' ').filter((f) => f !== '')) {
    const [kind, value = ''] = field.split(':');
    if (kind === 's') {
      const text = [...new TextEncoder().encode(value)];
      body.push(text.length & 0xff, text.length >> 8, ...text);
    } else if (kind === 'x') {
      for (let i = 0; i < value.length; i += 2) body.push(Number(`0x${value.slice(i, i + 2)}`));
    } else {
      for (let n = BigInt(value), i = 0; i < Number(kind); i++, n >>= 8n)
        body.push(Number(n & 255n));
    }
  }
  const size = body.length + 4;
  return new Uint8Array([size & 255, (size >> 8) & 255, size >> 16, 0, ...body]);
}

const qid = { type: 0x80, version: 7, path: 0x1_0000_0002 };
const QID = '1:128 4:7 8:4294967298';

const layout = test.macro({
  exec(t, type: number, fields: string, message: Message) {
    const bytes = build(type, 0x1234, fields);
    t.deepEqual(messageBytes(0x1234, message), bytes);
    t.deepEqual(decodeMessage(bytes), { tag: 0x1234, message });
    for (let cut = 0; cut < bytes.length; cut++) {
      const short = bytes.slice(0, cut);
      if (cut >= 4) short[0] = cut;
      t.is(decodeMessage(short), EPROTO, `cut to ${cut}`);
    }
    t.is(decodeMessage(new Uint8Array([...bytes, 0])), EPROTO);
    t.is(decodeMessage(build(type, 1, `${fields} 1:0`)), EPROTO, 'trailing byte');
  },
  title: (_, type: number, _fields: string, message: Message) =>
    `${message.name} is message ${type} with the documented layout`,
});

test(layout, 100, '4:8192 s:9P2000.L', { name: 'Tversion', msize: 8192, version: '9P2000.L' });
test(layout, 101, '4:512 s:unknown', { name: 'Rversion', msize: 512, version: 'unknown' });
test(layout, 102, '4:1 s:root s:/ 4:1000', {
  name: 'Tauth',
  afid: 1,
  uname: 'root',
  aname: '/',
  nUname: 1000,
});
test(layout, 103, QID, { name: 'Rauth', aqid: qid });
test(layout, 7, '4:2', { name: 'Rlerror', ecode: 2 });
test(layout, 138, '4:5 4:3 8:4096 8:8192', {
  ...{ name: 'Tallocate', fid: 5, mode: 3, offset: 4096, length: 8192 },
});
test(layout, 139, '8:4096', { name: 'Rallocate', length: 4096 });
test(layout, 144, '4:5 8:4096 4:3', { name: 'Tseek', fid: 5, offset: 4096, whence: 3 });
test(layout, 145, '8:8192 4:1', { name: 'Rseek', offset: 8192, found: 1 });
test(layout, 108, '2:258', { name: 'Tflush', oldtag: 258 });
test(layout, 109, '', { name: 'Rflush' });
test(layout, 104, '4:1 4:4294967295 s:me s:/x 4:0', {
  name: 'Tattach',
  fid: 1,
  afid: 0xffff_ffff,
  uname: 'me',
  aname: '/x',
  nUname: 0,
});
test(layout, 105, QID, { name: 'Rattach', qid });
test(layout, 110, '4:1 4:2 2:2 s:usr s:größe', {
  name: 'Twalk',
  fid: 1,
  newfid: 2,
  wname: ['usr', 'größe'],
});
test(layout, 111, `2:2 ${QID} ${QID}`, { name: 'Rwalk', wqid: [qid, qid] });
test(layout, 12, '4:1 4:32768', { name: 'Tlopen', fid: 1, flags: 0x8000 });
test(layout, 13, `${QID} 4:4096`, { name: 'Rlopen', qid, iounit: 4096 });
test(layout, 14, '4:1 s:f 4:66 4:420 4:5', {
  name: 'Tlcreate',
  fid: 1,
  filename: 'f',
  flags: 66,
  mode: 0o644,
  gid: 5,
});
test(layout, 15, `${QID} 4:0`, { name: 'Rlcreate', qid, iounit: 0 });
test(layout, 16, '4:1 s:l s:../t 4:5', {
  name: 'Tsymlink',
  dfid: 1,
  filename: 'l',
  symtgt: '../t',
  gid: 5,
});
test(layout, 17, QID, { name: 'Rsymlink', qid });
test(layout, 18, '4:1 s:n 4:8630 4:1 4:3 4:5', {
  name: 'Tmknod',
  dfid: 1,
  filename: 'n',
  mode: 0o20666,
  major: 1,
  minor: 3,
  gid: 5,
});
test(layout, 19, QID, { name: 'Rmknod', qid });
test(layout, 20, '4:1 4:2 s:n', { name: 'Trename', fid: 1, dfid: 2, filename: 'n' });
test(layout, 21, '', { name: 'Rrename' });
test(layout, 22, '4:9', { name: 'Treadlink', fid: 9 });
test(layout, 23, 's:/a/b', { name: 'Rreadlink', target: '/a/b' });
test(layout, 24, '4:9 8:2047', { name: 'Tgetattr', fid: 9, requestMask: 0x7ff });
test(
  layout,
  25,
  `8:2047 ${QID} 4:16877 4:1 4:2 8:3 8:4 8:5 8:4096 8:8 8:10 8:11 8:12 8:13 8:14 8:15 8:16 8:17 8:18 8:19`,
  {
    name: 'Rgetattr',
    attr: {
      valid: 0x7ff,
      qid,
      mode: 0o40755,
      uid: 1,
      gid: 2,
      nlink: 3,
      rdev: 4,
      size: 5,
      blksize: 4096,
      blocks: 8,
      atime: { sec: 10, nsec: 11 },
      mtime: { sec: 12, nsec: 13 },
      ctime: { sec: 14, nsec: 15 },
      btime: { sec: 16, nsec: 17 },
      gen: 18,
      dataVersion: 19,
    },
  },
);
test(layout, 26, '4:9 4:511 4:420 4:1 4:2 8:3 8:18446744073709551615 8:5 8:6 8:7', {
  name: 'Tsetattr',
  fid: 9,
  attr: {
    valid: 0x1ff,
    mode: 0o644,
    uid: 1,
    gid: 2,
    size: 3,
    atime: { sec: -1, nsec: 5 }, // before 1970
    mtime: { sec: 6, nsec: 7 },
  },
});
test(layout, 27, '', { name: 'Rsetattr' });
test(layout, 30, '4:1 4:2 s:user.x', { name: 'Txattrwalk', fid: 1, newfid: 2, attrName: 'user.x' });
test(layout, 31, '8:65536', { name: 'Rxattrwalk', size: 65536 });
test(layout, 32, '4:1 s:user.x 8:3 4:1', {
  name: 'Txattrcreate',
  fid: 1,
  attrName: 'user.x',
  attrSize: 3,
  flags: 1,
});
test(layout, 33, '', { name: 'Rxattrcreate' });
test(layout, 40, '4:1 8:77 4:4096', { name: 'Treaddir', fid: 1, offset: 77, count: 4096 });
test(layout, 41, '4:3 x:0102ff', {
  name: 'Rreaddir',
  count: 3,
  data: new Uint8Array([1, 2, 255]),
});
test(layout, 50, '4:1 4:1', { name: 'Tfsync', fid: 1, datasync: 1 });
test(layout, 51, '', { name: 'Rfsync' });
test(layout, 52, '4:1 1:1 4:1 8:2 8:3 4:44 s:host', {
  name: 'Tlock',
  fid: 1,
  type: 1,
  flags: 1,
  start: 2,
  length: 3,
  procId: 44,
  clientId: 'host',
});
test(layout, 53, '1:1', { name: 'Rlock', status: 1 });
test(layout, 54, '4:1 1:0 8:2 8:3 4:44 s:host', {
  name: 'Tgetlock',
  fid: 1,
  type: 0,
  start: 2,
  length: 3,
  procId: 44,
  clientId: 'host',
});
test(layout, 55, '1:2 8:2 8:3 4:44 s:host', {
  name: 'Rgetlock',
  type: 2,
  start: 2,
  length: 3,
  procId: 44,
  clientId: 'host',
});
test(layout, 70, '4:1 4:2 s:n', { name: 'Tlink', dfid: 1, fid: 2, filename: 'n' });
test(layout, 71, '', { name: 'Rlink' });
test(layout, 72, '4:1 s:d 4:493 4:5', {
  name: 'Tmkdir',
  dfid: 1,
  filename: 'd',
  mode: 0o755,
  gid: 5,
});
test(layout, 73, QID, { name: 'Rmkdir', qid });
test(layout, 74, '4:1 s:a 4:2 s:b', {
  name: 'Trenameat',
  olddirfid: 1,
  oldname: 'a',
  newdirfid: 2,
  newname: 'b',
});
test(layout, 75, '', { name: 'Rrenameat' });
test(layout, 76, '4:1 s:a 4:512', { name: 'Tunlinkat', dirfd: 1, filename: 'a', flags: 0x200 });
test(layout, 77, '', { name: 'Runlinkat' });
test(layout, 116, '4:1 8:1099511627776 4:5', { name: 'Tread', fid: 1, offset: 2 ** 40, count: 5 });
test(layout, 117, '4:2 x:6869', { name: 'Rread', count: 2, data: new Uint8Array([0x68, 0x69]) });
test(layout, 118, '4:1 8:9007199254740991 4:1 x:aa', {
  name: 'Twrite',
  fid: 1,
  offset: 2 ** 53 - 1,
  count: 1,
  data: new Uint8Array([0xaa]),
});
test(layout, 119, '4:1', { name: 'Rwrite', count: 1 });
test(layout, 120, '4:1', { name: 'Tclunk', fid: 1 });
test(layout, 121, '', { name: 'Rclunk' });
test(layout, 122, '4:1', { name: 'Tremove', fid: 1 });
test(layout, 123, '', { name: 'Rremove' });
test(layout, 8, '4:1', { name: 'Tstatfs', fid: 1 });
test(layout, 9, '4:16914836 4:4096 8:1 8:2 8:3 8:4 8:5 8:6 4:255', {
  name: 'Rstatfs',
  stat: {
    type: 0x1021994,
    bsize: 4096,
    blocks: 1,
    bfree: 2,
    bavail: 3,
    files: 4,
    ffree: 5,
    fsid: 6,
    namelen: 255,
  },
});

const malformed = test.macro({
  exec(t, type: number, fields: string) {
    t.is(decodeMessage(build(type, 1, fields)), EPROTO);
  },
  title: (what) => `${what} is a protocol error`,
});
test('an offset of 2^53', malformed, 116, '4:1 8:9007199254740992 4:5');
test('a walk of 17 names', malformed, 110, `4:1 4:2 2:17${' s:a'.repeat(17)}`);
test('a walk with fewer names than it says', malformed, 110, '4:1 4:2 2:3 s:a s:b');
test('a walk of 65,535 names', malformed, 110, '4:1 4:2 2:65535 s:a');
test('a read of more data than there is', malformed, 117, '4:4294967295 x:6869');
test('a string longer than its message', malformed, 23, '2:65535 x:61');
test('an unknown message', malformed, 99, '');
test('a message of 9P2000 that 9P2000.L has not', malformed, 112, '4:1 1:0');
test(
  'a nanosecond count of a whole second',
  malformed,
  26,
  `4:9 4:511 4:0 4:1 4:2 8:3 8:4 8:1000000000 8:6 8:7`,
);

test('fields of Tsetattr that valid does not name may hold anything', (t) => {
  const junk = `8:${2n ** 64n - 1n}`;
  const decoded = decodeMessage(
    build(26, 1, `4:9 4:1 4:420 4:1 4:2 ${junk} ${junk} ${junk} ${junk} ${junk}`),
  );
  t.like(decoded, {
    message: {
      fid: 9,
      attr: { valid: 1, mode: 0o644, uid: 0, size: 0, mtime: { sec: 0, nsec: 0 } },
    },
  });
});

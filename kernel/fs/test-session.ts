// A 9P session over a file system in memory, for tests of the server side and of file systems.

import type { ExecutionContext } from 'ava';
import { O_RDWR } from '../abi/constants.ts';
import * as E from '../abi/errno.ts';
import { decodeText, encodeText } from '../abi/text.ts';
import { runNow } from '../ipc/task.ts';
import type { FileServer } from '../ninep/file-server.ts';
import { NinepServer, type ServerOptions } from '../ninep/server.ts';
import { type MessageOf, NOFID, type ReplyTo, type TMessage, type TName } from '../ninep/types.ts';
import type { Caller } from './caller.ts';
import { heapChunks } from './mem-data.ts';
import { MemFs } from './memfs.ts';

export const caller: Caller = { pid: 1, uid: 1000, gid: 1000 };
export const epoch = { sec: 0, nsec: 0 };

export const memFs = () => new MemFs({ now: () => epoch, chunks: heapChunks });

/** A session with fid 0 at the root. */
export function session<N>(fs: FileServer<N, Caller>, options: ServerOptions = {}) {
  const server = new NinepServer(fs, options);
  const ask = (message: TMessage, payload?: Uint8Array[]) =>
    runNow(server.dispatch(caller, message, payload));
  const s = {
    server,
    ask,
    /** The reply to a request that must succeed. */
    ok<N extends TName>(
      t: ExecutionContext,
      message: MessageOf<N> & TMessage,
      payload?: Uint8Array[],
    ): MessageOf<ReplyTo<N>> {
      const reply = ask(message, payload);
      t.is(reply.name, `R${message.name.slice(1)}` as 'Rread', E.strerror(errnoOf(reply)));
      return reply as unknown as MessageOf<ReplyTo<N>>;
    },
    refused(t: ExecutionContext, message: TMessage, errno: E.Errno) {
      const reply = ask(message);
      t.deepEqual(reply, { name: 'Rlerror', ecode: errno }, E.errnoName(errnoOf(reply)));
    },
    /** Makes a file with this content through fid `fid`, left open. */
    make(t: ExecutionContext, fid: number, filename: string, content = '') {
      s.ok(t, { name: 'Twalk', fid: 0, newfid: fid, wname: [] });
      s.ok(t, { name: 'Tlcreate', fid, filename, flags: O_RDWR, mode: 0o644, gid: 5 });
      const data = encodeText(content);
      s.ok(t, { name: 'Twrite', fid, offset: 0, count: data.length, data });
    },
    mkdir(t: ExecutionContext, filename: string, dfid = 0) {
      s.ok(t, { name: 'Tmkdir', dfid, filename, mode: 0o755, gid: 5 });
    },
    walk(t: ExecutionContext, newfid: number, ...wname: string[]) {
      const { wqid } = s.ok(t, { name: 'Twalk', fid: 0, newfid, wname });
      t.is(wqid.length, wname.length);
    },
    text(t: ExecutionContext, fid: number): string {
      const { data } = s.ok(t, { name: 'Tread', fid, offset: 0, count: 1000 });
      return decodeText(data);
    },
    clunk(t: ExecutionContext, fid: number) {
      s.ok(t, { name: 'Tclunk', fid });
    },
  };
  ask({ name: 'Tattach', fid: 0, afid: NOFID, uname: '', aname: '', nUname: 0 });
  return s;
}

export const errnoOf = (reply: object): E.Errno =>
  'ecode' in reply ? E.toErrno(Number(reply.ecode)) : E.EPROTO;

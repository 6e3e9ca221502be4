// What a message's codec is: a hand-written pair over a Cursor. The bodies follow `size[4] type[1]
// tag[2]`, which codec.ts reads and writes.

import type { Cursor } from '../cursor.ts';
import type { MessageName, MessageOf } from '../types.ts';

export interface Codec<N extends MessageName> {
  decode(c: Cursor): MessageOf<N>;
  encode(c: Cursor, m: MessageOf<N>): void;
}

/** The pair of a message without a body. */
export const empty = <N extends MessageName>(name: N): Codec<N> => ({
  decode: () => ({ name }) as MessageOf<N>,
  encode: () => undefined,
});

/** The pair of a message that is one qid. */
export const qidOnly = <N extends 'Rattach' | 'Rsymlink' | 'Rmknod' | 'Rmkdir'>(
  name: N,
): Codec<N> => ({
  decode: (c) => ({ name, qid: c.qid() }) as MessageOf<N>,
  encode: (c, m) => c.putQid(m.qid),
});

/** The pair of a message that is one fid. */
export const fidOnly = <N extends 'Treadlink' | 'Tclunk' | 'Tremove' | 'Tstatfs'>(
  name: N,
): Codec<N> => ({
  decode: (c) => ({ name, fid: c.u32() }) as MessageOf<N>,
  encode: (c, m) => c.putU32(m.fid),
});

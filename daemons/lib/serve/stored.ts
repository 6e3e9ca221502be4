// Of a request that changes blocks: which those are, and the reply that is kept with the changes.

import { messageBytes } from '../../../kernel/ninep/codec.ts';
import type { RMessage, TMessage } from '../../../kernel/ninep/types.ts';
import type { StoredReply } from '../cache/table.ts';
import type { BlockTransaction } from '../tx.ts';

/** Requests that may change blocks; the others never wait for room in the journal. */
export const changing: ReadonlySet<string> = new Set<TMessage['name']>([
  ...(['Tlopen', 'Tlcreate', 'Tsymlink', 'Tmknod', 'Trename', 'Tsetattr', 'Txattrcreate'] as const),
  ...(['Tlink', 'Tmkdir', 'Trenameat', 'Tunlinkat', 'Tremove', 'Twrite', 'Tclunk'] as const),
  'Tallocate',
]);

export const outcome =
  (tag: number, granted: boolean) => (reply: RMessage, tx: BlockTransaction) => {
    if (reply.name === 'Rlerror') return 'drop';
    return tx.changes && !('data' in reply) ? stored9p(tag, reply, granted) : undefined;
  };

export const stored9p = (tag: number, reply: RMessage, granted: boolean): StoredReply => ({
  tag,
  bytes: messageBytes(tag, reply, { granted, msize: 1024 }),
});

// Serves a volume that could not be mounted: the session begins, everything else is the reason.

import type { Errno } from '../../../kernel/abi/errno.ts';
import type { Executor } from '../../../kernel/ipc/executor.ts';
import type { Ring } from '../../../kernel/ipc/ring.ts';
import { decodeMessage } from '../../../kernel/ninep/codec.ts';
import { putReply } from '../../../kernel/ninep/transport-ring.ts';
import { P9_VERSION, type RMessage } from '../../../kernel/ninep/types.ts';

export interface Refusal {
  readonly executor: Executor;
  readonly requests: Ring;
  readonly replies: Ring;
  readonly errno: Errno;
}

export function refuseAll({ executor, requests, replies, errno }: Refusal): void {
  executor.produce(replies);
  executor.consume(requests, (ring) => {
    if (replies.full) return false;
    const slot = ring.peek();
    if (slot === undefined) return false;
    const bytes = slot.payload.slice(0, slot.length);
    const granted = slot.grant !== undefined;
    const stale = slot.session !== ring.session;
    ring.release();
    if (stale) return true;
    const decoded = decodeMessage(bytes, { granted });
    if (typeof decoded === 'number') return true;
    const { tag, message } = decoded;
    let reply: RMessage = { name: 'Rlerror', ecode: errno };
    if (message.name === 'Tversion') {
      const version = message.version === P9_VERSION ? P9_VERSION : 'unknown';
      reply = { name: 'Rversion', msize: Math.min(message.msize, replies.slotSize - 32), version };
    }
    putReply(replies, { tag, message: reply, granted });
    return true;
  });
}

// Log lines of a server on their way to the kernel log: one line a message, kept back while the ring
// is full. A long line is cut, not lost.

import { encodeText } from '../abi/text.ts';
import type { Executor } from './executor.ts';
import type { Ring } from './ring.ts';

/** Lines kept back at most; what comes beyond is counted and told. */
const MOST_KEPT = 200;

export function ringLogger(executor: Executor, ring: Ring): (line: string) => void {
  const kept: string[] = [];
  let lost = 0;
  const drain = (): boolean => {
    let sent = 0;
    for (;;) {
      const [line] = kept;
      const slot = line === undefined ? undefined : ring.reserve();
      if (line === undefined || slot === undefined) break;
      const bytes = encodeText(line).subarray(0, slot.payload.length);
      slot.payload.set(bytes);
      slot.length = bytes.length;
      ring.publish();
      kept.shift();
      sent++;
    }
    return sent > 0;
  };
  executor.produce(ring);
  executor.poll(drain);
  return (line) => {
    if (kept.length >= MOST_KEPT) {
      lost++;
      return;
    }
    if (lost > 0) kept.push(`${lost} lines were lost`);
    lost = 0;
    kept.push(line);
    drain();
  };
}

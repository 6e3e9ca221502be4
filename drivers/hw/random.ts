// The board's randomness: the host's, or in a repeatable run a named stream of its seed.

import { randomFillSync } from 'node:crypto';
import { namedStream } from '../../kernel/ipc/random-stream.ts';

export function randomSource(seed: number | undefined, name: string): (into: Uint8Array) => void {
  if (seed === undefined) return fromHost;
  const stream = namedStream(seed, name);
  return (into) => stream.fill(into);
}

/** Through memory of our own: the host fills no shared memory. */
function fromHost(into: Uint8Array): void {
  if (into.buffer instanceof ArrayBuffer) randomFillSync(into);
  else into.set(randomFillSync(new Uint8Array(into.length)));
}

// Exactly so many bytes at a time from a socket. What a client sends ahead waits in the socket, not here.

import type { Socket } from 'node:net';

export class SocketReader {
  readonly #pieces: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** undefined: the client has gone. */
  async take(length: number): Promise<Buffer | undefined> {
    const got: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#pieces.next();
        if (next.done) return undefined;
        this.#rest = next.value;
      }
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      got.push(piece);
      missing -= piece.length;
    }
    return got.length === 1 ? got[0] : Buffer.concat(got);
  }
}

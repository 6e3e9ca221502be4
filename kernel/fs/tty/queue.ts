// What a terminal's reader may have: lines in canonical mode, bytes otherwise. A line stays one piece
// until it is read, however the mode changes meanwhile; an empty piece is an end of file.

export class InputQueue {
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a reader of lines has something to read, if only an end of file. */
  get hasLine(): boolean {
    return this.#pieces.length > 0;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
  }

  /** Takes from the first line, never beyond its end; 0 is an end of file. */
  takeLine(into: Uint8Array): number {
    const line = this.#pieces[0] ?? NOTHING;
    const count = Math.min(line.length, into.length);
    into.set(line.subarray(0, count));
    if (count === line.length) this.#pieces.shift();
    else this.#pieces[0] = line.subarray(count);
    this.#bytes -= count;
    return count;
  }

  /** Takes bytes across lines. */
  takeBytes(into: Uint8Array): number {
    let done = 0;
    while (done < into.length && this.#pieces.length > 0) {
      done += this.takeLine(into.subarray(done));
    }
    return done;
  }
}

const NOTHING = new Uint8Array(0);

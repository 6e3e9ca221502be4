// The file of a trace: Trace Event Format, JSON object form. Every write ends with the closing
// brackets, and the next one begins where they stood: the file is whole at any moment, also when the
// host's process is killed.

import { closeSync, openSync, writeSync } from 'node:fs';
import { hostCall } from '../disk/host-file.ts';

export class TraceFile {
  readonly #name: string;
  readonly #fd: number;
  #at: number; // where the closing brackets stand
  #empty = true;

  /** Throws a PosixError when the file cannot be made. */
  constructor(name: string) {
    this.#name = name;
    this.#fd = hostCall(name, () => openSync(name, 'w'));
    this.#at = this.#write('{"displayTimeUnit":"ns","traceEvents":[', 0);
    this.append([], 0);
  }

  /** Adds events, each the text of one JSON object; `lost` is how many there are none of, in all. */
  append(events: readonly string[], lost: number): void {
    const body = events.length === 0 ? '' : `${this.#empty ? '' : ','}\n${events.join(',\n')}`;
    if (events.length > 0) this.#empty = false;
    this.#write(`${body}\n],"otherData":{"lost":${lost}}}\n`, this.#at);
    this.#at += Buffer.byteLength(body);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Returns the bytes written. */
  #write(text: string, at: number): number {
    const bytes = Buffer.from(text);
    let done = 0;
    while (done < bytes.length) {
      done += hostCall(this.#name, () =>
        writeSync(this.#fd, bytes, done, bytes.length - done, at + done),
      );
    }
    return done;
  }
}

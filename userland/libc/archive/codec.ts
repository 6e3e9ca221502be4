// Packing and unpacking as streams: bytes are pushed in, what comes of them goes to a sink at once.

/** Takes bytes that are valid until it returns. */
export type Sink = (bytes: Uint8Array) => void;

export interface Codec {
  push(bytes: Uint8Array): void;
  /** There is no more: writes what is left; throws FormatError when something is missing. */
  end(): void;
}

/** What is wrong with packed data, in gzip's words. */
export class FormatError {
  readonly message: string;
  /** All that came before it is good and was written. */
  readonly onlyWarning: boolean;

  constructor(message: string, onlyWarning = false) {
    this.message = message;
    this.onlyWarning = onlyWarning;
  }
}

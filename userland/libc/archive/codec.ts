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
  /** A warning: all that came before it is good and was written. An end: gzip takes no further file. */
  readonly weight: 'fault' | 'warning' | 'end';

  constructor(message: string, weight: FormatError['weight'] = 'fault') {
    this.message = message;
    this.weight = weight;
  }
}

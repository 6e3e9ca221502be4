// A WebAssembly module (WebAssembly Core Specification 2.0 §5.5) from its bytes to one that may start.
// Compiled modules are kept: the engine compiles equal bytes once for all workers, as long as one of
// them holds the module.

import { ENOEXEC, ENOMEM, fail } from '../../kernel/abi/errno.ts';

/** A memory's page. */
const WASM_PAGE = 65_536;
const MOST_PAGES = 65_536;
const HEADER = 8;
const MEMORY_SECTION = 5;
const HAS_MAXIMUM = 1;
/** Modules that a worker keeps, the last used at the end. */
const KEPT = 4;

const kept: WebAssembly.Module[] = [];

/** Compiles a module whose memory never grows beyond `limitBytes`. ENOEXEC tells what is wrong. */
export function compile(bytes: Uint8Array<ArrayBuffer>, limitBytes: number): WebAssembly.Module {
  try {
    const module = new WebAssembly.Module(limited(bytes, limitBytes));
    kept.push(module);
    if (kept.length > KEPT) kept.shift();
    return module;
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    return fail(ENOEXEC, error.message.replace(/^WebAssembly\.Module\(\): /, ''));
  }
}

/** The module with a lower maximum in its memory section; itself when there is no limit. */
function limited(bytes: Uint8Array<ArrayBuffer>, limitBytes: number): Uint8Array<ArrayBuffer> {
  const pages = Math.floor(limitBytes / WASM_PAGE);
  if (pages >= MOST_PAGES) return bytes;
  const reader = new Reader(bytes, HEADER);
  while (!reader.ended) {
    const start = reader.at;
    const id = reader.byte();
    const size = reader.leb();
    const end = reader.at + size;
    if (id === MEMORY_SECTION && end <= bytes.length) {
      const section = memorySection(new Reader(bytes.subarray(0, end), reader.at), pages);
      return joined([bytes.subarray(0, start), section, bytes.subarray(end)]);
    }
    reader.at = end;
  }
  return bytes;
}

/** What it is with all memories capped. One that begins above the cap cannot be had: ENOMEM. */
function memorySection(from: Reader, pages: number): Uint8Array<ArrayBuffer> {
  const count = from.leb();
  const body: number[] = [...leb(count)];
  for (let i = 0; i < count && !from.ended; i++) {
    const flags = from.byte();
    const minimum = from.leb();
    const maximum = flags & HAS_MAXIMUM ? from.leb() : MOST_PAGES;
    if (minimum > pages) fail(ENOMEM, `needs ${minimum} pages of memory, may have ${pages}`);
    body.push(flags | HAS_MAXIMUM, ...leb(minimum), ...leb(Math.min(maximum, pages)));
  }
  return Uint8Array.from([MEMORY_SECTION, ...leb(body.length), ...body]);
}

/** Reads unsigned LEB128; beyond the end it reads zeroes: the compiler tells what is wrong. */
class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  get ended(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0;
  }

  leb(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  }
}

function leb(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const more = rest >= 0x80;
    out.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest = Math.floor(rest / 0x80);
  } while (rest > 0);
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

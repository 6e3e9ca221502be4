// Sorting more than memory holds: runs of lines are sorted and written to temporary files, and all
// runs are merged. Lines are strings of one-byte characters (latin1.ts).

import { O_CREAT, O_EXCL, O_RDWR, SEEK_SET } from '../../../kernel/abi/constants.ts';
import { EEXIST, PosixError, strerror } from '../../../kernel/abi/errno.ts';
import type { Tool } from '../program.ts';
import { Exit, Input, Output } from '../stdio.ts';
import type { Sys } from '../sys.ts';
import { toLatin1 } from '../text/latin1.ts';
import { quoted } from '../text/quote.ts';
import type { Comparison } from './keys.ts';

/** What one line costs besides its characters. */
const LINE_OVERHEAD = 16;
/** At most so many runs are merged at once. */
const FAN_IN = 64;

/** Sorted lines, one after the other. */
export interface Run {
  /** A stream may be a file that the program is also to write. */
  readonly kind: 'memory' | 'temporary' | 'stream';
  next(): string | undefined;
  close(): void;
}

export class LineReader {
  readonly #input: Input;
  readonly #delimiter: number;

  constructor(sys: Sys, fd: number, delimiter: number) {
    this.#input = new Input(sys, fd);
    this.#delimiter = delimiter;
  }

  next(): string | undefined {
    const line = this.#input.line(this.#delimiter);
    return line === undefined ? undefined : toLatin1(line);
  }
}

export function fileRun(sys: Sys, fd: number, delimiter: number): Run {
  const reader = new LineReader(sys, fd, delimiter);
  return {
    kind: 'stream',
    next: () => reader.next(),
    close: () => {
      if (fd !== 0) sys.close(fd);
    },
  };
}

function memoryRun(lines: readonly string[]): Run {
  let at = 0;
  return { kind: 'memory', next: () => lines[at++], close: () => undefined };
}

export class Sorter {
  readonly #tool: Tool;
  readonly #plan: { order: Comparison; delimiter: number; budget: number; directory: string };
  #lines: string[] = [];
  #used = 0;
  #runs: Run[] = [];

  constructor(
    tool: Tool,
    plan: { order: Comparison; delimiter: number; budget: number; directory: string },
  ) {
    this.#tool = tool;
    this.#plan = plan;
  }

  add(reader: LineReader): void {
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      this.#lines.push(line);
      this.#used += line.length + LINE_OVERHEAD;
      if (this.#used >= this.#plan.budget) this.#spill();
    }
  }

  finish(): Run[] {
    this.#runs.push(memoryRun(this.#sorted()));
    return this.#runs;
  }

  #sorted(): string[] {
    return this.#plan.order.sort(this.#lines);
  }

  #spill(): void {
    this.#runs.push(this.#store(this.#sorted()));
    this.#lines = [];
    this.#used = 0;
    if (this.#runs.length < FAN_IN) return;
    // Older runs come first, so that equal lines keep their order.
    this.#runs = [this.#write(mergeRuns(this.#runs, this.#plan.order))];
  }

  /** In a file; in memory when the temporary directory is full or takes no file so large. */
  #store(lines: readonly string[]): Run {
    try {
      return this.#write(lines);
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      return memoryRun(lines);
    }
  }

  /** A temporary file that has no name any more when it is read. */
  #write(lines: Iterable<string>): Run {
    const { sys } = this.#tool;
    const { fd, path } = this.#create();
    const end = String.fromCharCode(this.#plan.delimiter);
    sys.unlink(path);
    const out = new Output(sys, fd, { trouble: 2, what: `write failed: ${path}` });
    try {
      for (const line of lines) out.latin1(line + end);
      out.flush();
    } catch (error) {
      sys.close(fd); // gives the space back
      throw error;
    }
    sys.lseek(fd, 0, SEEK_SET);
    const run = fileRun(sys, fd, this.#plan.delimiter);
    return { ...run, kind: 'temporary' };
  }

  #create(): { fd: number; path: string } {
    const { sys } = this.#tool;
    const { directory } = this.#plan;
    const random = new Uint8Array(6);
    for (let bound = 0; bound < 100; bound++) {
      sys.getrandom(random);
      const path = `${directory}/sort${[...random].map((byte) => byte.toString(36)).join('')}`;
      try {
        return { fd: sys.open(path, O_RDWR | O_CREAT | O_EXCL, 0o600), path };
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        if (error.errno !== EEXIST)
          this.#tool.die(
            `cannot create temporary file in ${quoted(directory)}: ${strerror(error.errno)}`,
          );
      }
    }
    return this.#tool.die(`cannot create temporary file in ${quoted(directory)}: File exists`);
  }
}

interface Head {
  line: string;
  readonly run: Run;
  readonly rank: number;
}

/** All lines of all runs in order; of equal lines those of the earlier run come first. */
export function* mergeRuns(runs: readonly Run[], order: Comparison): Generator<string> {
  const heap: Head[] = [];
  const before = (a: Head, b: Head): boolean =>
    (order.lines(a.line, b.line) || a.rank - b.rank) < 0;
  for (const [rank, run] of runs.entries()) {
    const line = run.next();
    if (line === undefined) run.close();
    else heap.push({ line, run, rank });
  }
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(heap, i, before);
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    yield top.line;
    const line = top.run.next();
    if (line !== undefined) top.line = line;
    else {
      top.run.close();
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) heap[0] = last;
    }
    sink(heap, 0, before);
  }
}

/** Moves the head at `from` down to its place. */
function sink(heap: Head[], from: number, before: (a: Head, b: Head) => boolean): void {
  for (let at = from; ; ) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      const [a, b] = [heap[child], heap[least]];
      if (a !== undefined && b !== undefined && before(a, b)) least = child;
    }
    const [a, b] = [heap[at], heap[least]];
    if (least === at || a === undefined || b === undefined) return;
    heap[at] = b;
    heap[least] = a;
    at = least;
  }
}

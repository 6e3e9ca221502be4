// Copying many small files: what each of them needs of the kernel travels with that of the others, in a few
// submissions for all. Whatever does not go as expected is done once more for itself, which tells what is wrong.

import { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } from '../../../kernel/abi/constants.ts';
import { strerror } from '../../../kernel/abi/errno.ts';
import type { Tool } from '../program.ts';
import type { BatchCall } from '../runtime/batch.ts';
import { quoted } from '../text/quote.ts';
import { copyData, type FileCopy, pump } from './copy.ts';

/** The largest file that is copied so, and how many go together at most. */
const SMALL_BYTES = 16 * 1024;
const TOGETHER_FILES = 128;
const TOGETHER_BYTES = 192 * 1024; // they fit one submission

/** Files that are all new, without holes. */
export class SmallCopies {
  readonly #tool: Tool;
  readonly #done: (copy: FileCopy) => void;
  #waiting: FileCopy[] = [];
  #bytes = 0;

  /** `done` is told of each that was copied, in their order. */
  constructor(tool: Tool, done: (copy: FileCopy) => void) {
    this.#tool = tool;
    this.#done = done;
  }

  /** False: it is none of those. */
  take(copy: FileCopy): boolean {
    const { stat, exists, sparse } = copy;
    const holes = sparse === 'always' || stat.blocks * 512 < stat.size;
    if (exists || stat.size > SMALL_BYTES || (holes && sparse !== 'never')) return false;
    if (this.#bytes + stat.size > TOGETHER_BYTES) this.flush();
    this.#waiting.push(copy);
    this.#bytes += stat.size + 1;
    if (this.#waiting.length === TOGETHER_FILES) this.flush();
    return true;
  }

  /** Copies those that were taken and not copied yet. */
  flush(): void {
    const copies = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    const [only] = copies;
    const copied =
      only !== undefined && copies.length === 1
        ? [copyData(this.#tool, only)]
        : copyTogether(this.#tool, copies);
    copies.forEach((copy, i) => {
      if (copied[i]) this.#done(copy);
    });
  }
}

interface Under {
  readonly copy: FileCopy;
  readonly source: number;
  readonly target: number;
  /** The content, and a byte that is there only if the file has grown. */
  readonly bytes: Uint8Array;
  done: boolean;
}

/** Whether each of them was copied; of the others there is a message. */
function copyTogether(tool: Tool, copies: readonly FileCopy[]): boolean[] {
  const under = openAll(tool, copies);
  const open = under.filter((one) => one !== undefined);
  const results = tool.sys.batch(
    open.map(({ source, bytes }) => ({ call: 'pread', fd: source, bytes, offset: 0 })),
  );
  const whole = open.filter(({ copy }, i) => results[i]?.count === copy.stat.size);
  const full = whole.filter(({ copy }) => copy.stat.size > 0);
  const wrote = tool.sys.batch(
    full.map(({ copy, target, bytes }) => ({
      ...{ call: 'pwrite', fd: target, offset: 0 },
      bytes: bytes.subarray(0, copy.stat.size),
    })),
  );
  for (const one of whole) one.done = one.copy.stat.size === 0;
  full.forEach((one, i) => {
    one.done = wrote[i]?.count === one.copy.stat.size;
  });
  for (const one of open) one.done ||= pump(tool, one.copy, one);
  closeAll(tool, open);
  return under.map((one, i) => {
    if (one !== undefined) return one.done;
    const copy = copies[i];
    return copy !== undefined && copyData(tool, copy);
  });
}

/** Undefined where the source could not be opened, or the target not be made. */
function openAll(tool: Tool, copies: readonly FileCopy[]): (Under | undefined)[] {
  const { sys } = tool;
  const sources = sys.batch(
    copies.map(({ from }) => ({ call: 'open', path: from, flags: O_RDONLY, mode: 0 })),
  );
  const making = copies.flatMap(({ to, mode }, i) =>
    sources[i]?.fd === undefined
      ? []
      : [{ call: 'open' as const, path: to, flags: O_WRONLY | O_CREAT | O_EXCL, mode }],
  );
  const targets = sys.batch(making);
  let next = 0;
  return copies.map((copy, i) => {
    const source = sources[i]?.fd;
    if (source === undefined) return undefined;
    const target = targets[next++]?.fd;
    if (target === undefined) {
      sys.close(source);
      return undefined;
    }
    return { copy, source, target, bytes: new Uint8Array(copy.stat.size + 1), done: false };
  });
}

function closeAll(tool: Tool, open: readonly Under[]): void {
  const calls: BatchCall[] = open.flatMap(({ source, target }) => [
    { call: 'close', fd: target },
    { call: 'close', fd: source },
  ]);
  const closed = tool.sys.batch(calls);
  open.forEach((one, i) => {
    const errno = closed[2 * i]?.errno ?? 0;
    if (errno === 0) return;
    tool.warn(`failed to close ${quoted(one.copy.to)}: ${strerror(errno)}`);
    one.done = false;
  });
}

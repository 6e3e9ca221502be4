// What the trace knows: every event with its number on the wire and the names of its arguments, and
// every counter. trace.ts writes them; drivers/hw/trace reads them.

/** One kind of event. */
export interface TraceEvent {
  readonly id: number;
  readonly name: string;
  /** Names of the two numbers it carries, and, of a span, of the number that its end carries. */
  readonly args: readonly [string?, string?];
  readonly result?: string;
}

/** What a0 or a1 is called when a label (a text that was sent before) stands behind the number. */
export const LABEL = 'label';

export const EVENTS = {
  label: { id: 0, name: LABEL, args: [] },
  worker: { id: 1, name: 'worker', args: [LABEL] }, // what this worker is
  process: { id: 2, name: 'process', args: ['pid', LABEL] }, // what this process runs
  // Every worker
  idle: { id: 3, name: 'idle', args: [] }, // nothing to do: it spins, then sleeps
  sleep: { id: 4, name: 'sleep', args: [] },
  wake: { id: 5, name: 'wake', args: ['seat'] }, // a bell that had to wake its owner
  step: { id: 6, name: 'step', args: [LABEL] }, // a task runs up to its next wait
  publish: { id: 7, name: 'publish', args: ['ring', 'message'] }, // ring: address; message: its number
  take: { id: 8, name: 'take', args: ['ring', 'message'] },
  // A process's side of a call, and the kernel's
  call: { id: 9, name: 'call', args: ['number'] },
  syscall: { id: 10, name: 'syscall', args: ['number', 'pid'], result: 'errno' },
  cpuRun: { id: 11, name: 'run', args: ['pid'] },
  cpuWait: { id: 12, name: 'wait for cpu', args: ['pid'] },
  cpuBlock: { id: 13, name: 'block', args: ['pid'] },
  // Kernel memory
  pageMiss: { id: 14, name: 'page miss', args: ['ino', 'page'] },
  pageFill: { id: 15, name: 'page fill', args: ['ino', 'pages'] },
  pageFlush: { id: 16, name: 'page flush', args: ['ino', 'pages'] },
  // Servers
  rpc: { id: 17, name: '9p', args: ['type', 'tag'], result: 'reply' },
  serve: { id: 18, name: 'serve', args: ['type', 'tag'], result: 'reply' },
  transaction: { id: 19, name: 'transaction', args: ['run'], result: 'outcome' },
  missing: { id: 20, name: 'missing', args: ['blocks', 'first'] },
  fetch: { id: 21, name: 'fetch', args: ['blocks', 'first'] },
  commit: { id: 22, name: 'commit', args: ['transaction', 'blocks'] },
  checkpoint: { id: 23, name: 'checkpoint', args: ['blocks'] },
  // Drivers and devices
  blockRead: { id: 24, name: 'block read', args: ['lba', 'count'], result: 'errno' },
  blockWrite: { id: 25, name: 'block write', args: ['lba', 'count'], result: 'errno' },
  blockFlush: { id: 26, name: 'block flush', args: [], result: 'errno' },
  blockTrim: { id: 27, name: 'block trim', args: ['lba', 'count'], result: 'errno' },
  issue: { id: 28, name: 'issue', args: ['lba', 'count'] }, // a command, of one request or several
  dma: { id: 29, name: 'dma', args: ['lba', 'bytes'] },
  fault: { id: 30, name: 'fault', args: [LABEL, 'firing'] }, // a rule fired, by its name
} as const satisfies Record<string, TraceEvent>;

/** Outcomes of a transaction's run. */
export const OUTCOME = { published: 0, readOnly: 1, missing: 2, failed: 3 } as const;

/** Counters of each worker, as indices: sums since power-on. */
export const COUNTERS = {
  bells: 0, // rung for others
  wakes: 1, // those of them that had to wake their owner
  sleeps: 2,
  messages: 3, // published
  messageBytes: 4,
  copies: 5, // of file data, by a processor
  copiedBytes: 6,
  syscalls: 7,
  rpcs: 8, // 9P requests sent
  transactions: 9, // runs
  restarts: 10, // runs that missed a block
  commits: 11,
  blockRequests: 12,
  dmas: 13, // transfers between device and memory
  dmaBytes: 14,
  pageHits: 15,
  pageMisses: 16,
  pagesFilled: 17,
  pagesFlushed: 18,
} as const;

export type CounterName = keyof typeof COUNTERS;

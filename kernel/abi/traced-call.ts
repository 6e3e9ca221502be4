// One call of a traced process, as a line of JSON in its tracer's pipe: kernel/proc/tracing.ts writes it,
// userland/bin/strace.ts reads it.

export interface TracedCall {
  readonly pid: number;
  /** SYS of syscall.ts. */
  readonly number: number;
  readonly args: readonly number[];
  /** The beginning of what the caller gave: paths joined by NUL, or bytes. */
  readonly data: string;
  /** How much it gave in all. */
  readonly length: number;
  readonly errno: number;
  readonly r0: number;
  readonly r1: number;
  /** The beginning of what it got: bytes read, a path. */
  readonly answer: string;
  readonly answerLength: number;
  readonly beganMs: number;
  readonly tookMs: number;
}

// The ways a command ends early: a syntax error, an error that ends the shell or the built-in it
// happened in, `exit`, and an interrupt at the prompt. None carries a stack.

function withoutStack<T extends Error>(make: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

export class ShellSyntaxError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** An error that ends a non-interactive shell unless a regular built-in or `command` stops it. */
export class ShellError extends Error {
  readonly status: number;
  /** Set once the message is on standard error. */
  reported = false;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** `exit`, or a signal that ends a subshell that runs inside this process. */
export class ShellExit extends Error {
  readonly status: number;
  /** The EXIT trap does not run: the shell was ended by a signal, or by `exec`. */
  readonly abrupt: boolean;

  constructor(status: number, how: 'exit' | 'abrupt' = 'exit') {
    super('exit');
    this.status = status;
    this.abrupt = how === 'abrupt';
  }
}

/** Ctrl-C in an interactive shell: back to the prompt. */
export class Interrupted extends Error {}

export function raise(message: string, status = 2): never {
  throw withoutStack(() => new ShellError(status, message));
}

export function leave(status: number, how: 'exit' | 'abrupt' = 'exit'): never {
  throw withoutStack(() => new ShellExit(status, how));
}

// watch: runs a command again and again and shows its output on the whole screen, as procps watch(1) has
// it: -n -d -t -b -e -g -q -x -c.

import { POLLIN, SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGWINCH } from '../../kernel/abi/constants.ts';
import { EINTR, PosixError } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { findProgram, shellStatus } from '../libc/stdlib.ts';
import type { FdAction } from '../libc/sys.ts';
import { parseDuration } from '../libc/text/numbers.ts';
import { strftime } from '../libc/time/date.ts';
import { Keyboard } from '../libc/tty/keyboard.ts';
import { Screen } from '../libc/tty/screen.ts';
import { marked, rowsOf, titleOf } from '../libc/tty/watch-rows.ts';

const usage = `[-bcegtx] [-d[permanent]] [-n SECONDS] [-q COUNT] COMMAND [ARG]...
  -n  seconds between two runs (2)              -t  without the title
  -d  marks what changed since the last run, -d=permanent since the first
  -g  leaves when the output changed            -q  leaves when it did not change COUNT times
  -e  stops at a status that is not 0, and leaves at a key; -b rings the bell then
  -c  lets colours through                      -x  runs COMMAND itself, without sh -c
q leaves, space runs the command now.`;

/** No more of a command's output is kept: no screen shows as much. */
const MAX_OUTPUT = 1 << 20;

export const main = program(
  {
    usage,
    short: 'bcd::egn:q:tx',
    long: {
      ...{ beep: 'b', color: 'c', 'differences=?': 'd', errexit: 'e', chgexit: 'g' },
      ...{ 'interval=': 'n', 'equexit=': 'q', 'no-title': 't', exec: 'x' },
    },
    stopAtOperand: true,
  },
  (tool, options) => {
    const argv = options.operands;
    if (argv.length === 0) return tool.misuse('missing command');
    const text = options.value('n') ?? tool.sys.env.get('WATCH_INTERVAL') ?? '2';
    const seconds = parseDuration(text.replace(',', '.'));
    if (seconds === undefined) return tool.die(`failed to parse argument: '${text}'`);
    const equal = options.value('q') ?? '0';
    if (!/^\d{1,9}$/.test(equal)) return tool.die(`failed to parse argument: '${equal}'`);
    if (!tool.sys.isatty(1)) return tool.die('standard output is not a terminal');
    const watch = new Watch(tool, {
      argv: options.has('x') ? argv : ['/bin/sh', '-c', argv.join(' ')],
      shown: argv.join(' '),
      // As procps: a tenth of a second is the shortest.
      intervalMs: Math.min(Math.max(seconds, 0.1), 2_678_400) * 1000,
      differences: !options.has('d') ? 'no' : options.value('d') === '' ? 'last' : 'first',
      ...{ title: !options.has('t'), colours: options.has('c') },
      ...{ stopOnError: options.has('e'), beep: options.has('b') },
      ...{ stopOnChange: options.has('g'), equalRuns: Number(equal) },
    });
    return watch.run();
  },
);

interface Settings {
  readonly argv: readonly string[];
  /** The command as the title has it. */
  readonly shown: string;
  readonly intervalMs: number;
  readonly differences: 'no' | 'last' | 'first';
  readonly title: boolean;
  readonly colours: boolean;
  readonly stopOnError: boolean;
  readonly stopOnChange: boolean;
  /** Leaves after so many runs with the same output; 0 = never. */
  readonly equalRuns: number;
  readonly beep: boolean;
}

class Watch {
  readonly #tool: Tool;
  readonly #settings: Settings;
  readonly #screen: Screen;
  readonly #keys: Keyboard;
  #resized = false;
  #ended = false;
  #output = '';
  #status = 0;
  /** The rows before, and the cells that have ever changed. */
  #last: string[] | undefined;
  #marks: Set<number>[] = [];

  constructor(tool: Tool, settings: Settings) {
    const { sys } = tool;
    this.#tool = tool;
    this.#settings = settings;
    const input = sys.isatty(0) ? 0 : 1;
    this.#screen = new Screen(sys, { input, output: 1, interrupt: 'signal', init: 'alternate' });
    this.#keys = new Keyboard(sys, { fd: input, escape: 'alone' });
    sys.sigaction(SIGWINCH, () => {
      this.#resized = true;
    });
    for (const signal of [SIGINT, SIGTERM, SIGHUP]) {
      sys.sigaction(signal, () => {
        this.#ended = true;
      });
    }
  }

  run(): number {
    const { sys } = this.#tool;
    const { stopOnError, stopOnChange, equalRuns, intervalMs, beep } = this.#settings;
    this.#screen.enter();
    let equal = 0;
    try {
      for (let first = true; !this.#ended; first = false) {
        const startMs = sys.monotonicMs();
        const before = this.#output;
        this.#execute();
        if (this.#ended) break;
        this.#paint('marked');
        if (this.#status !== 0 && beep) this.#screen.bell();
        if (this.#status !== 0 && stopOnError) {
          this.#paint('stopped');
          this.#pause(-1);
          return this.#status;
        }
        equal = !first && before === this.#output ? equal + 1 : 0;
        if (!first && stopOnChange && before !== this.#output) break;
        if (equalRuns > 0 && equal >= equalRuns) break;
        this.#pause(startMs + intervalMs);
      }
    } finally {
      this.#screen.leave();
    }
    return 0;
  }

  /** Until the time (-1: until a key). A key other than q lets the command run at once. */
  #pause(untilMs: number): void {
    const { sys } = this.#tool;
    while (!this.#ended) {
      if (this.#resized) this.#paint('unmarked');
      const left = untilMs < 0 ? -1 : Math.ceil(Math.max(0, untilMs - sys.monotonicMs()));
      const came = this.#keys.wait(-1, left);
      if (came === 'time') return;
      if (came === 'signal') continue;
      const key = this.#keys.next();
      if (key === 'q' || key === 'end') this.#ended = true;
      if (key === '^L') this.#screen.measure();
      if (key === '^Z') this.#screen.suspend();
      if (key === ' ' || untilMs < 0) return;
    }
  }

  /** Runs the command, its output and its errors in one pipe. */
  #execute(): void {
    const { sys } = this.#tool;
    const [name = ''] = this.#settings.argv;
    const found = findProgram(sys, name);
    if (!('path' in found)) this.#leaveAndDie(`${name}: command not found`);
    const pipe = sys.pipe();
    const fdActions: FdAction[] = [
      { op: 'open', fd: 0, path: '/dev/null', flags: 0, mode: 0 },
      { op: 'dup2', from: pipe.write, to: 1 },
      { op: 'dup2', from: pipe.write, to: 2 },
      { op: 'close', fd: pipe.read },
      { op: 'close', fd: pipe.write },
    ];
    const { columns, rows } = this.#screen.size;
    const env = new Map(sys.env);
    env.set('COLUMNS', String(columns)).set('LINES', String(rows));
    const pid = sys.spawn({ path: found.path, argv: this.#settings.argv, env, fdActions });
    sys.close(pipe.write);
    this.#output = this.#read(pipe.read, pid);
    sys.close(pipe.read);
    this.#status = shellStatus(this.#wait(pid));
  }

  #leaveAndDie(message: string): never {
    this.#screen.leave();
    return this.#tool.die(message, 127);
  }

  /** All of it, as far as it can be shown; what comes behind is read and forgotten. */
  #read(fd: number, pid: number): string {
    const { sys } = this.#tool;
    const pieces: Uint8Array[] = [];
    const buffer = new Uint8Array(65536);
    let kept = 0;
    for (;;) {
      try {
        if (this.#ended) sys.kill(pid, SIGKILL);
        // A handler has its turn while poll waits; read would go on by itself.
        if (sys.poll([{ fd, events: POLLIN }], -1).length === 0) continue;
        const count = sys.read(fd, buffer);
        if (count === 0 || this.#ended) break;
        if (kept < MAX_OUTPUT) pieces.push(buffer.slice(0, count));
        kept += count;
      } catch (error) {
        if (!(error instanceof PosixError) || error.errno !== EINTR) throw error;
      }
    }
    const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return decodeText(all);
  }

  #wait(pid: number): number {
    for (;;) {
      try {
        return this.#tool.sys.wait(pid).status;
      } catch (error) {
        if (!(error instanceof PosixError) || error.errno !== EINTR) throw error;
      }
    }
  }

  /** `unmarked`: the same output on another screen; `stopped`: with a last row that says so. */
  #paint(how: 'marked' | 'unmarked' | 'stopped'): void {
    if (this.#resized) {
      this.#resized = false;
      this.#screen.measure();
      this.#last = undefined;
    }
    const { columns, rows } = this.#screen.size;
    const { title, shown, intervalMs, colours, differences } = this.#settings;
    const { sys } = this.#tool;
    const head = title
      ? [
          titleOf(columns, {
            left: `Every ${(intervalMs / 1000).toFixed(1)}s: ${shown}`,
            right: `${sys.uname().nodename}: ${strftime('%a %b %e %H:%M:%S %Y', sys.now())}`,
          }),
          '',
        ]
      : [];
    const body = rowsOf(this.#output, {
      columns,
      colours: colours && differences === 'no', // cells are compared as they look without
    }).slice(0, rows - head.length);
    let painted = body;
    if (differences !== 'no' && how === 'marked' && this.#last !== undefined) {
      if (differences === 'last') this.#marks = [];
      painted = marked(body, this.#last, this.#marks);
    }
    if (how === 'marked') this.#last = body;
    const lines = [...head, ...painted];
    if (how === 'stopped') {
      while (lines.length < rows) lines.push('');
      lines[rows - 1] = 'command exit with a non-zero status, press a key to exit';
    }
    this.#screen.paint(lines, undefined);
  }
}

// top: processes, servers, queues and hops, again and again: on a terminal by keys, or with -b as text
// for a file or a pipe. Options and keys as procps top(1) has them, where there is such a thing here.

import { SIGHUP, SIGINT, SIGTERM, SIGWINCH } from '../../kernel/abi/constants.ts';
import { contents } from '../libc/processes.ts';
import { program, type Tool } from '../libc/program.ts';
import { strftime } from '../libc/time/date.ts';
import { delayOf, help, pressed, type TopState } from '../libc/top/commands.ts';
import {
  cutTo,
  type Frame,
  frameOf,
  type Moment,
  type SortKey,
  sortKeys,
} from '../libc/top/frame.ts';
import { type Sample, takeSample } from '../libc/top/sample.ts';
import { Keyboard } from '../libc/tty/keyboard.ts';
import { readLine } from '../libc/tty/line-input.ts';
import { reverse, Screen } from '../libc/tty/screen.ts';
import { Users } from '../libc/users.ts';

const usage = `[-bci] [-d SECONDS] [-n COUNT] [-o COLUMN] [-p PID[,PID]...] [-u USER] [-w COLUMNS]
  -b  as text, without keys     -d  seconds between two looks (3)     -n  so many looks
  -c  whole command lines       -i  without idle processes            -p  these processes alone
  -u  of this user              -o  sorted by: ${sortKeys.join(' ')}; -COLUMN in the other order
  -w  lines of -b are cut there (512)
On a terminal h lists the keys.`;

export const main = program(
  {
    usage,
    short: 'bcd:in:o:p:u:w:',
    long: {
      ...{ 'batch-mode': 'b', 'cmdline-toggle': 'c', 'delay=': 'd', 'idle-toggle': 'i' },
      ...{ 'iterations=': 'n', 'sort-override=': 'o', 'pid=': 'p', 'user=': 'u', 'width=': 'w' },
    },
  },
  (tool, options) => {
    if (options.operands.length > 0)
      return tool.misuse(`unknown argument '${options.operands[0]}'`);
    const number = (name: string, usual: number): number => {
      const text = options.value(name) ?? String(usual);
      if (!/^\d{1,9}$/.test(text) || Number(text) === 0)
        tool.die(`bad -${name} argument '${text}'`);
      return Number(text);
    };
    const users = new Users(tool.sys);
    const delay = options.value('d') ?? '3';
    const user = options.value('u');
    const state: TopState = {
      options: {
        ...sortOf(tool, options.value('o') ?? 'cpu'),
        ...{ lines: options.has('c'), idle: !options.has('i'), servers: true },
        pids: pidsOf(tool, options.values('p')),
        uid: user === undefined ? undefined : (users.uid(user) ?? tool.die(`Invalid user`)),
      },
      delayMs: delayOf(delay) ?? tool.die(`bad delay interval '${delay}'`),
      ...{ first: 0, message: '', help: false, done: false },
    };
    const looks = number('n', 999_999_999);
    if (options.has('b')) batch(tool, { state, users, looks, columns: number('w', 512) });
    else if (!tool.sys.isatty(0) || !tool.sys.isatty(1)) tool.die('failed tty get');
    else new Display(tool, state, users).run(looks);
    return tool.status;
  },
);

function sortOf(tool: Tool, text: string): { sort: SortKey; reversed: boolean } {
  const name = text.replace(/^[-+]/, '').replace('%', '').toLowerCase();
  const sort = sortKeys.find((key) => key === name);
  if (sort === undefined) return tool.die(`unrecognized field name '${text}'`);
  return { sort, reversed: text.startsWith('-') };
}

function pidsOf(tool: Tool, lists: readonly string[]): number[] {
  return lists
    .flatMap((list) => list.split(','))
    .map((text) => {
      if (!/^\d{1,9}$/.test(text)) return tool.die(`bad pid '${text}'`);
      return Number(text) === 0 ? tool.sys.getpid() : Number(text);
    });
}

interface Batch {
  readonly state: TopState;
  readonly users: Users;
  readonly looks: number;
  readonly columns: number;
}

function batch(tool: Tool, { state, users, looks, columns }: Batch): void {
  let before: Sample | undefined;
  for (let look = 0; look < looks; look++) {
    if (look > 0) tool.sys.sleep(state.delayMs);
    const now = takeSample(tool.sys);
    const frame = frameOf(momentOf(tool, now, before), state.options, users);
    const servers = frame.servers.length > 0 ? ['', ...frame.servers] : [];
    const rows = [...frame.summary, ...servers, '', frame.head, ...frame.processes, ''];
    for (const row of rows) tool.out.text(`${cutTo(row, columns)}\n`);
    tool.out.flush();
    before = now;
  }
}

function momentOf(tool: Tool, now: Sample, before: Sample | undefined): Moment {
  const seconds = Number.parseFloat(contents(tool.sys, '/proc/uptime') ?? '') || 0;
  const hours = Math.floor(seconds / 3600);
  const up = `${hours}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}`;
  return { now, before, clock: `${strftime('%H:%M:%S', tool.sys.now())} up ${up}` };
}

const looksAgain = [' ', '^M', '^J'];

class Display {
  readonly #tool: Tool;
  readonly #state: TopState;
  readonly #users: Users;
  readonly #screen: Screen;
  readonly #keys: Keyboard;
  #resized = false;
  #moment: Moment;

  constructor(tool: Tool, state: TopState, users: Users) {
    const { sys } = tool;
    this.#tool = tool;
    this.#state = state;
    this.#users = users;
    this.#screen = new Screen(sys, { input: 0, output: 1, interrupt: 'signal', init: 'alternate' });
    this.#keys = new Keyboard(sys, { fd: 0, escape: 'alone' });
    this.#moment = momentOf(tool, takeSample(sys), undefined);
    sys.sigaction(SIGWINCH, () => {
      this.#resized = true;
    });
    for (const signal of [SIGINT, SIGTERM, SIGHUP]) {
      sys.sigaction(signal, () => {
        state.done = true;
      });
    }
  }

  run(looks: number): void {
    this.#screen.enter();
    try {
      for (let look = 1; !this.#state.done; ) {
        this.#paint();
        const due = this.#moment.now.atMs + this.#state.delayMs;
        const left = Math.max(0, due - this.#tool.sys.monotonicMs());
        const came = this.#keys.wait(-1, Math.ceil(left));
        const key = came === 'key' ? this.#keys.next() : '';
        if (key !== '') this.#key(key);
        if (came !== 'time' && !looksAgain.includes(key)) continue;
        if (++look > looks) break;
        this.#look();
      }
    } finally {
      this.#screen.leave();
    }
  }

  #look(): void {
    this.#moment = momentOf(this.#tool, takeSample(this.#tool.sys), this.#moment.now);
  }

  #key(key: string): void {
    if (key === '^Z') this.#screen.suspend();
    if (key === '^L') this.#screen.measure();
    const history: string[] = [];
    pressed(this.#state, key, {
      sys: this.#tool.sys,
      users: this.#users,
      page: Math.max(1, this.#screen.size.rows - 10),
      ask: (prompt) => {
        const show = (text: string): void => {
          this.#state.message = text;
          this.#paint();
        };
        const next = (): string => (this.#state.done ? 'end' : this.#keys.next());
        const line = readLine({ prompt, history, next, show });
        this.#state.message = '';
        return line;
      },
    });
  }

  #paint(): void {
    if (this.#resized) {
      this.#resized = false;
      this.#screen.measure();
    }
    const { columns, rows } = this.#screen.size;
    const state = this.#state;
    const frame = frameOf(this.#moment, state.options, this.#users);
    state.first = Math.min(state.first, Math.max(0, frame.processes.length - 1));
    const lines = (state.help ? [...frame.summary, ...help] : this.#body(frame)).slice(0, rows);
    this.#screen.paint(
      lines.map((line) =>
        line === frame.head ? reverse(cutTo(line.padEnd(columns), columns)) : cutTo(line, columns),
      ),
      undefined,
    );
  }

  /** The servers have at most half of what the summary leaves. */
  #body(frame: Frame): string[] {
    const room = this.#screen.size.rows - frame.summary.length - 2;
    const servers = frame.servers.slice(0, Math.max(2, Math.floor(room / 2)));
    return [
      ...frame.summary,
      this.#state.message,
      ...servers,
      frame.head,
      ...frame.processes.slice(this.#state.first),
    ];
  }
}

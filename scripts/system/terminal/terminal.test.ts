// A shell on a PTY, with the keys that a person would press.

import test from 'ava';
import { type Atoll, boot } from '../../../host/atoll.ts';
import type { Terminal } from '../../../host/terminal.ts';

let system: Atoll;
test.before(async () => {
  system = await boot({ disks: [] });
});
test.after.always(() => system.shutdown());

/** How long a screen may take to show what it should before the test fails. */
const PATIENCE_MS = 30_000;

/** As /etc/profile sets it. */
const PROMPT = ':/root# ';

/** A person in front of a terminal: types, and looks until something is on the screen. */
class Person {
  readonly terminal: Terminal;
  #screen = '';
  #seen = 0;
  #look = (): void => {};

  constructor(terminal: Terminal) {
    this.terminal = terminal;
    terminal.onData((bytes) => {
      this.#screen += new TextDecoder().decode(bytes);
      this.#look();
    });
  }

  /** Presses keys; does not wait for what they do. */
  async type(keys: string): Promise<void> {
    await this.terminal.write(keys);
  }

  /** Waits until this is shown, behind what was looked at before; what was shown up to it. */
  async sees(what: RegExp | string): Promise<string> {
    const wanted = typeof what === 'string' ? new RegExp(what.replace(/[^\w\s]/g, '\\$&')) : what;
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = wanted.exec(this.#screen.slice(this.#seen));
      if (found) {
        const shown = this.#screen.slice(this.#seen, this.#seen + found.index + found[0].length);
        this.#seen += found.index + found[0].length;
        return shown;
      }
      await new Promise<void>((resolve, reject) => {
        this.#look = resolve;
        deadline.onabort = () =>
          reject(new Error(`no ${wanted} in ${JSON.stringify(this.#screen.slice(this.#seen))}`));
      });
    }
  }
}

/** Waits until a process with this command line is there. */
async function runs(args: string): Promise<void> {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  const list = async (): Promise<string> => (await system.exec('ps -e -o args')).stdout;
  while (!(await list()).split('\n').includes(args)) deadline.throwIfAborted();
}

const open = async (): Promise<Person> => {
  const person = new Person(await system.openShell({ cols: 100, rows: 30 }));
  await person.sees(PROMPT);
  return person;
};

test('a command is echoed, its output follows, and the prompt comes again', async (t) => {
  const person = await open();
  await person.type('echo one; tty; stty size\r');
  await person.sees('one\r\n/dev/pts/');
  await person.sees('30 100');
  await person.sees(PROMPT);
  await person.type('exit 3\r');
  t.deepEqual(await person.terminal.exit, { status: 3, signal: null, timedOut: false });
});

test('Ctrl-C ends the command in the foreground, not the shell', async (t) => {
  const person = await open();
  await person.type('sh -c "echo sta\\rted; exec sleep 1000"; echo not this\r');
  await person.sees('started');
  await person.type('\x03');
  await person.sees('^C');
  await person.sees(PROMPT);
  await person.type('echo $((6*7))\r');
  t.notRegex(await person.sees('42'), /not this\r/);
  await person.type('exit\r');
  t.is((await person.terminal.exit).status, 0);
});

test('Ctrl-C at the prompt leads to a new one, Ctrl-D ends the shell', async (t) => {
  const person = await open();
  await person.type('half a line\x03');
  await person.sees(PROMPT);
  await person.type('\x04');
  t.is((await person.terminal.exit).signal, null);
});

test('Ctrl-D ends what reads the terminal', async (t) => {
  const person = await open();
  await person.type('echo re""ady; cat | tr a-z A-Z\r');
  await person.sees('ready');
  await person.type('shout\r');
  await person.sees('shout\r\n');
  await person.type('\x04');
  await person.sees('SHOUT\r\n');
  await person.sees(PROMPT);
  await person.terminal.close();
  t.is((await person.terminal.exit).signal, 'SIGHUP');
});

test('a loop that makes no system calls dies of Ctrl-C', async (t) => {
  const person = await open();
  await person.type("sh -c 'echo lo''oping; while :; do :; done'\r");
  await person.sees('looping');
  await person.type('\x03');
  await person.sees(PROMPT);
  await person.type('echo al""ive\r');
  t.truthy(await person.sees('alive'));
  await person.terminal.close();
});

test('closing the terminal hangs up on a shell and what it runs', async (t) => {
  const person = await open();
  await person.type('echo pi""d $$; sleep 4321\r');
  const shown = await person.sees(/pid \d+\r\n/);
  const pid = Number(/pid (\d+)/.exec(shown)?.[1]);
  t.is(pid, person.terminal.pid);
  await person.terminal.close();
  await person.terminal.exit;
  for (let tries = 0; tries < 100; tries++) {
    if (!(await system.exec('ps -e -o args')).stdout.includes('sleep 4321')) return t.pass();
  }
  t.fail('the sleep went on');
});

test('iterated, a terminal ends with its shell', async (t) => {
  const terminal = await system.openShell();
  await terminal.write('echo it""erated; exit\r');
  let screen = '';
  for await (const piece of terminal) screen += new TextDecoder().decode(piece);
  t.regex(screen, /iterated\r\n$/);
  t.is((await terminal.exit).status, 0);
  await terminal.write('nobody listens');
  await terminal.resize(10, 10);
  await terminal.close();
});

test('many terminals live side by side', async (t) => {
  const people = await Promise.all([1, 2, 3].map(open));
  await Promise.all(people.map((person, i) => person.type(`echo I am $((${i} + 100))\r`)));
  await Promise.all(people.map((person, i) => person.sees(`I am ${i + 100}\r\n`)));
  await Promise.all(people.map((person) => person.terminal.close()));
  t.pass();
});

test('Ctrl-Z stops a job, fg brings it back with the terminal', async (t) => {
  const person = await open();
  await person.type('cat\r');
  await runs('cat');
  await person.type('one\r');
  await person.sees(/one\r\none\r\n/);
  await person.type('\x1a');
  await person.sees('Stopped');
  await person.sees(PROMPT);
  await person.type('jobs; fg; echo sta""tus $?\r');
  await person.sees('Stopped');
  await person.type('two\r');
  await person.sees('two\r\n'); // its echo
  await person.sees('two\r\n');
  await person.type('\x03');
  await person.sees(PROMPT);
  await person.type('jobs; echo no m""ore\r');
  t.notRegex(await person.sees('no more'), /Running|Stopped/);
  await person.terminal.close();
});

test('a stopped job goes on in the background, where it may not read the terminal', async (t) => {
  const person = await open();
  await person.type('sleep 1000\r');
  await runs('sleep 1000');
  await person.type('\x1a');
  await person.sees('Stopped');
  await person.sees(PROMPT);
  await person.type('bg; jobs\r');
  await person.sees('Running');
  await person.sees(PROMPT);
  await person.type('kill %1; wait; cat &\r');
  await person.sees(PROMPT);
  await person.type('sleep .3; jobs\r');
  t.regex(await person.sees('cat'), /Stopped/);
  await person.terminal.close();
});

test('stty shows and sets what the terminal does, and SIGWINCH tells of a new size', async (t) => {
  const person = await open();
  await person.type('stty -echo intr ^X; stty; stty sane; stty -a\r');
  await person.sees('intr = ^X;');
  await person.sees('-echo');
  await person.sees('intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D;');
  await person.sees(PROMPT);
  // A program in the foreground would get the signal instead of the shell.
  await person.type('trap "stty size" WINCH; echo re""ady; while :; do :; done\r');
  await person.sees('ready');
  await person.terminal.resize(132, 43);
  await person.sees('43 132');
  await person.type('\x03');
  await person.terminal.close();
  t.is((await system.exec('stty; tty; tty -s; echo $?')).stdout, 'not a tty\n1\n');
});

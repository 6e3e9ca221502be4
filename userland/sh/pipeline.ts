// Pipelines and asynchronous lists (POSIX.1-2024 XCU §2.9.2, §2.9.3.1). There is no fork: programs
// are spawned; a built-in that only writes runs first, into memory; one stage of shell code runs
// inside this process while the others run beside it; further ones get a child shell.

import { PIPE_BUF, S_IFIFO, S_IFMT, SEEK_SET } from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { builtins } from './builtins/registry.ts';
import { ShellError } from './errors.ts';
import { execute } from './exec.ts';
import { expandFields } from './expand/expand.ts';
import { shellStatus } from './jobs.ts';
import { openScratch, Plan, Sink } from './redirect.ts';
import { posixWords, type Shell } from './shell.ts';
import { startProgram } from './simple.ts';
import { controlsJobs, Drains, drainAll, findProgram, Group, waitFor } from './spawn.ts';
import { inSubshell, spawnSubshell } from './subshell.ts';
import type { Command, Pipeline, Redir, Simple, Word } from './syntax/ast.ts';
import { waitForeground } from './terminal.ts';

export function runPipeline(shell: Shell, node: Pipeline): void {
  const { tested } = shell;
  if (node.bang) shell.tested = true;
  const only = node.commands.length === 1 ? node.commands[0] : undefined;
  if (only !== undefined) execute(shell, only);
  else shell.status = foreground(shell, node.commands);
  shell.tested = tested;
  if (node.bang && shell.skip === 'none') shell.status = shell.status === 0 ? 1 : 0;
}

type Kind = 'program' | 'writer' | 'shell';

function kindOf(shell: Shell, command: Command): Kind {
  if (command.type !== 'simple') return 'shell';
  const name = commandName(shell, command);
  if (name === undefined || shell.state.functions.has(name)) return 'shell';
  const builtin = builtins.get(name);
  if (builtin === undefined) return 'program';
  return builtin.writesOnly ? 'writer' : 'shell';
}

/** Of a command that runs beside others: opening a FIFO may wait for one that this shell is yet to start. */
function kindBeside(shell: Shell, command: Command): Kind {
  const waits = command.type === 'simple' && command.redirs.some((redir) => mayWait(shell, redir));
  return waits ? 'shell' : kindOf(shell, command);
}

function mayWait(shell: Shell, { op, target }: Redir): boolean {
  if (op === '<<' || op === '<&' || op === '>&') return false;
  const path = plainText(shell, target);
  if (path === undefined) return true; // finding it out could have effects
  try {
    return (shell.sys.stat(path).mode & S_IFMT) === S_IFIFO;
  } catch (error) {
    if (error instanceof PosixError) return false; // there is none: whoever opens it says so
    throw error;
  }
}

/** The command's name, when finding it has no effects of its own. */
const commandName = (shell: Shell, command: Simple): string | undefined =>
  plainText(shell, command.words[0]);

function plainText(shell: Shell, word: Word | undefined): string | undefined {
  if (word === undefined) return undefined;
  if (word.lit !== undefined) return word.lit;
  const plain = word.parts.every(
    (part) =>
      part.type === 'lit' || part.type === 'quoted' || (part.type === 'param' && part.op === ''),
  );
  return plain && !shell.state.options.nounset ? expandFields(shell, [word])[0] : undefined;
}

interface Stage {
  readonly command: Command;
  readonly kind: Kind;
  pid?: number;
  /** Why it could not be started. */
  lost?: ShellError;
  status: number;
}

/** A pipeline on its way: what the next stage reads, and what later children must not keep. */
class Stages {
  readonly drains: Drains;
  input: number | undefined;
  private readonly shell: Shell;
  private readonly held: number[] = [];

  constructor(shell: Shell) {
    this.shell = shell;
    this.drains = new Drains(shell);
  }

  /** Standard input and output of a child. */
  plan(output: { read: number; write: number } | undefined): Plan {
    const plan = new Plan();
    if (this.input !== undefined) this.connect(plan, { fd: 0, from: this.input });
    if (output !== undefined) {
      plan.bind({ fd: output.read, from: undefined }, undefined);
      this.connect(plan, { fd: 1, from: output.write });
    }
    for (const fd of this.held) plan.bind({ fd, from: undefined }, undefined);
    return plan;
  }

  private connect(plan: Plan, step: { fd: number; from: number }): void {
    plan.bind(step, step.from);
    if (step.from > 1) plan.bind({ fd: step.from, from: undefined }, undefined);
  }

  hold(fd: number | undefined): void {
    if (fd !== undefined) this.held.push(fd);
  }

  closeInput(): void {
    if (this.input !== undefined) this.shell.sys.close(this.input);
    this.input = undefined;
  }
}

function foreground(shell: Shell, commands: readonly Command[]): number {
  const stages = commands.map(
    (command): Stage => ({ command, kind: kindBeside(shell, command), status: 0 }),
  );
  const group = controlsJobs(shell) ? new Group() : undefined;
  const grouped = group === undefined ? {} : { group };
  const here = group === undefined ? stageForThisProcess(shell, stages) : -1;
  const state = new Stages(shell);
  let own: { input: number | undefined; output: number | undefined } | undefined;
  for (const [i, stage] of stages.entries()) {
    const last = i === stages.length - 1;
    if (stage.kind === 'writer' && !last) {
      state.closeInput();
      state.input = writeAhead(shell, stage);
      continue;
    }
    const pipe = last ? undefined : shell.sys.pipe();
    if (i === here) {
      own = { input: state.input, output: pipe?.write };
      state.hold(state.input);
      state.hold(pipe?.write);
    } else {
      const { drains } = state;
      startStage(shell, stage, { plan: state.plan(pipe), drains, background: false, ...grouped });
      state.closeInput();
      if (pipe !== undefined) shell.sys.close(pipe.write);
    }
    state.input = pipe?.read;
  }
  state.drains.seal();
  const mine = stages[here];
  if (mine !== undefined && own !== undefined) mine.status = runHere(shell, mine.command, own);
  state.drains.readPipes();
  if (group === undefined) awaitEach(shell, stages);
  else awaitGroup(shell, stages, group);
  state.drains.readFiles();
  checkLost(stages);
  return pipelineStatus(shell, stages);
}

/** The last stage that needs a shell; none when its output could fill a pipe that we must drain. */
function stageForThisProcess(shell: Shell, stages: readonly Stage[]): number {
  const last = stages.length - 1;
  const index = stages.findLastIndex(
    (stage, i) => stage.kind === 'shell' || (stage.kind === 'writer' && i === last),
  );
  return shell.fds.sinks.size > 0 && index !== last ? -1 : index;
}

/** A built-in that only writes: its output is there before the reader starts. */
function writeAhead(shell: Shell, stage: Stage): number {
  const sink = new Sink();
  const before = shell.fds.sinks.get(1);
  shell.fds.sinks.set(1, sink);
  try {
    stage.status = inSubshell(shell, () => execute(shell, stage.command));
  } finally {
    if (before === undefined) shell.fds.sinks.delete(1);
    else shell.fds.sinks.set(1, before);
  }
  drainAll(shell, sink);
  const bytes = sink.bytes();
  if (bytes.length <= PIPE_BUF) {
    const pipe = shell.sys.pipe();
    if (bytes.length > 0) shell.sys.write(pipe.write, bytes);
    shell.sys.close(pipe.write);
    return pipe.read;
  }
  const fd = openScratch(shell);
  shell.sys.write(fd, bytes);
  shell.sys.lseek(fd, 0, SEEK_SET);
  return fd;
}

interface StageOptions {
  readonly plan: Plan;
  readonly drains: Drains;
  readonly background: boolean;
  readonly group?: Group;
}

function startStage(shell: Shell, stage: Stage, options: StageOptions): void {
  const { command } = stage;
  if (stage.kind === 'program' && command.type === 'simple') {
    stage.status = inSubshell(shell, () => {
      const pid = startProgram(shell, command, options);
      if (pid !== undefined) stage.pid = pid;
    });
  } else {
    try {
      stage.pid = spawnSubshell(shell, command, options);
    } catch (error) {
      stage.lost = new ShellError(2, `Cannot fork: ${posixWords(error)}`);
    }
  }
}

/** A shell that could not start its child ends, once the rest of the pipeline has. */
function checkLost(stages: readonly Stage[]): void {
  for (const { lost } of stages) if (lost !== undefined) throw lost;
}

function runHere(
  shell: Shell,
  command: Command,
  ends: { input: number | undefined; output: number | undefined },
): number {
  shell.guardSigpipe();
  const plan = new Plan();
  for (const [fd, from] of [[0, ends.input] as const, [1, ends.output] as const]) {
    if (from === undefined || from === fd) continue;
    plan.bind({ fd, from }, from);
    plan.own(from);
  }
  const restore = shell.fds.apply(plan);
  try {
    return inSubshell(shell, () => execute(shell, command));
  } finally {
    restore();
  }
}

function awaitEach(shell: Shell, stages: readonly Stage[]): void {
  for (const stage of stages) {
    if (stage.pid !== undefined) stage.status = waitFor(shell, stage.pid);
  }
}

/** Under job control: the pipeline may stop, and is a job then. */
function awaitGroup(shell: Shell, stages: readonly Stage[], group: Group): void {
  const pids = stages.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  if (pids.length === 0) return;
  const job = shell.jobs.make(pids, { text: shell.typed, pgid: group.pgid });
  const status = waitForeground(shell, job);
  for (const stage of stages) {
    const ended = stage.pid === undefined ? undefined : job.statuses.get(stage.pid);
    if (stage.pid !== undefined) stage.status = ended === undefined ? status : shellStatus(ended);
  }
}

function pipelineStatus(shell: Shell, stages: readonly Stage[]): number {
  const last = stages[stages.length - 1]?.status ?? 0;
  if (!shell.state.options.pipefail) return last;
  return stages.findLast((stage) => stage.status !== 0)?.status ?? 0;
}

/** Under job control a subshell is a process, so that it can be stopped and go on. */
export function runSubshellJob(shell: Shell, command: Command): number {
  return foreground(shell, [command]);
}

/** Starts an asynchronous list; `$!` becomes the pid of its last process. */
export function runBackground(shell: Shell, command: Command, text: string): void {
  const commands = command.type === 'pipeline' && !command.bang ? command.commands : [command];
  const state = new Stages(shell);
  const stages: Stage[] = [];
  const group = controlsJobs(shell) ? new Group() : undefined;
  const grouped = group === undefined ? {} : { group };
  shell.jobs.poll(shell.sys);
  for (const [i, one] of commands.entries()) {
    const pipe = i === commands.length - 1 ? undefined : shell.sys.pipe();
    const stage: Stage = { command: one, kind: backgroundKind(shell, one), status: 0 };
    const options = { plan: state.plan(pipe), drains: state.drains, background: true, ...grouped };
    startStage(shell, stage, options);
    stages.push(stage);
    state.closeInput();
    if (pipe !== undefined) shell.sys.close(pipe.write);
    state.input = pipe?.read;
  }
  state.drains.seal();
  state.drains.detach();
  shell.status = 0;
  const pids = stages.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  const last = pids.at(-1);
  if (last === undefined) {
    checkLost(stages);
    return;
  }
  const job = shell.jobs.make(pids, { text, pgid: group?.pgid ?? 0 });
  shell.jobs.add(job);
  shell.lastBackground = last;
  if (shell.state.options.interactive && shell.level === 0) {
    shell.write(shell.errorOutput(), `[${job.id}] ${last}\n`);
  }
  checkLost(stages);
}

/** What cannot be found is left to a child shell, so that there is a pid to wait for. */
function backgroundKind(shell: Shell, command: Command): Kind {
  if (kindBeside(shell, command) !== 'program' || command.type !== 'simple') return 'shell';
  const name = commandName(shell, command) ?? '';
  const local = command.assigns.some((assign) => assign.name === 'PATH');
  return !local && findProgram(shell, name).path !== undefined ? 'program' : 'shell';
}

// Simple commands (POSIX.1-2024 XCU §2.9.1): expansions, assignments, redirections, then a special
// built-in, a function, another built-in or a program, in this order.

import { SIGPIPE } from '../../kernel/abi/constants.ts';
import { EPIPE, PosixError } from '../../kernel/abi/errno.ts';
import { type Builtin, builtins, type Io } from './builtins/registry.ts';
import { leave, raise, ShellError } from './errors.ts';
import { execute } from './exec.ts';
import { expandFields, expandString } from './expand/expand.ts';
import { promptText } from './interactive/prompt.ts';
import { Plan, planRedirs } from './redirect.ts';
import { posixWords, type Shell, type Variable } from './shell.ts';
import { controlsJobs, Drains, findProgram, Group, spawn, spawnFailure, waitFor } from './spawn.ts';
import type { Assign, FunctionDef, Part, Redir, Simple, Word } from './syntax/ast.ts';
import { makeWord, tildes } from './syntax/words.ts';
import { waitForeground } from './terminal.ts';

const maxFunctionDepth = 1000;

export function runSimple(shell: Shell, node: Simple): void {
  shell.line = node.line - shell.lineBase;
  shell.substituted = undefined;
  const args = expandCommand(shell, node.words);
  if (args.length === 0) runBare(shell, node);
  else invoke(shell, args, node);
  checkErrexit(shell);
}

/** `set -e`: a failure that nobody tests ends the shell. */
export function checkErrexit(shell: Shell): void {
  if (shell.status === 0 || shell.tested || !shell.state.options.errexit) return;
  if (shell.skip === 'none') leave(shell.status);
}

/** Arguments of these that look like assignments are expanded as such (§2.9.1.1). */
const declarations = new Set(['export', 'readonly', 'local']);

function expandCommand(shell: Shell, words: readonly Word[]): string[] {
  const declares = words[0]?.lit === 'command' ? words[1]?.lit : words[0]?.lit;
  if (declares === undefined || !declarations.has(declares)) return expandFields(shell, words);
  return words.flatMap((word) => {
    const first = word.parts[0];
    if (word.lit !== undefined && !word.lit.includes('~')) return [word.lit];
    if (first?.type !== 'lit' || !/^[A-Za-z_]\w*=/.test(first.text)) {
      return expandFields(shell, [word]);
    }
    return [expandString(shell, makeWord(assignmentTildes(word.parts, first.text)))];
  });
}

/** `name=~/x:~`: the value's tilde-prefixes, after the first `=` and each colon. */
function assignmentTildes(parts: readonly Part[], first: string): Part[] {
  const at = first.indexOf('=') + 1;
  const rest = first.slice(at);
  const value =
    rest === '' ? parts.slice(1) : [{ type: 'lit' as const, text: rest }, ...parts.slice(1)];
  return [{ type: 'lit', text: first.slice(0, at) }, ...tildes(value, 'assignment')];
}

/** Assignments and redirections without a command. */
function runBare(shell: Shell, node: Simple): void {
  let plan: Plan;
  try {
    plan = planRedirs(shell, node.redirs);
  } catch (error) {
    failed(shell, error, 'regular');
    return;
  }
  plan.release(shell);
  const traced: string[] = [];
  for (const assign of node.assigns) {
    const value = expandString(shell, assign.value);
    if (shell.state.options.xtrace) traced.push(`${assign.name}=${value}`);
    shell.set(assign.name, value);
  }
  if (traced.length > 0) trace(shell, traced);
  shell.status = shell.substituted ?? 0;
}

interface Invocation {
  readonly assigns: readonly Assign[];
  readonly redirs: readonly Redir[];
  /** `command` looks no functions up, and takes the special from special built-ins. */
  readonly plain?: true;
  readonly path?: string;
}

export function invoke(shell: Shell, args: readonly string[], how: Invocation): void {
  const name = args[0] ?? '';
  const builtin = builtins.get(name);
  const special = builtin?.special === true && how.plain !== true;
  const fn = special || how.plain === true ? undefined : shell.state.functions.get(name);
  if (fn === undefined && builtin === undefined) {
    shell.status = runProgram(shell, args, how);
    return;
  }
  let plan: Plan;
  try {
    plan = planRedirs(shell, how.redirs);
  } catch (error) {
    failed(shell, error, special ? 'special' : 'regular');
    return;
  }
  const stays = special && !(name === 'exec' && args.length > 1);
  const assigned = assign(shell, how.assigns, stays ? 'stay' : 'for the command');
  try {
    if (shell.state.options.xtrace) trace(shell, [...assigned.traced, ...args]);
    if (fn !== undefined) callFunction(shell, { fn, args }, plan);
    else if (builtin !== undefined) callBuiltin(shell, { builtin, args, special }, plan);
  } finally {
    plan.release(shell);
    for (const [variable, old] of assigned.before) shell.restore(variable, old);
  }
}

function assign(
  shell: Shell,
  assigns: readonly Assign[],
  scope: 'stay' | 'for the command',
): { before: Map<string, Variable | undefined>; traced: string[] } {
  const before = new Map<string, Variable | undefined>();
  const traced: string[] = [];
  for (const { name, value: word } of assigns) {
    const value = expandString(shell, word);
    traced.push(`${name}=${value}`);
    if (scope === 'stay') shell.set(name, value);
    else {
      if (!before.has(name)) before.set(name, shell.state.vars.get(name));
      shell.declare(name, { value, exported: true });
    }
  }
  return { before, traced };
}

function trace(shell: Shell, words: readonly string[]): void {
  const prefix = promptText(shell, shell.get('PS4') ?? '+ ');
  try {
    shell.write(shell.errorOutput(), `${prefix}${words.join(' ')}\n`);
  } catch (error) {
    posixWords(error); // standard error is closed
  }
}

/** A redirection or built-in failed: a special built-in takes the shell with it. */
function failed(shell: Shell, error: unknown, kind: 'special' | 'regular', prefix = ''): void {
  if (!(error instanceof ShellError)) throw error;
  if (error.message !== '' && !error.reported) shell.complain(`${prefix}${error.message}`);
  error.reported = true;
  if (kind === 'special') throw error;
  shell.status = error.status;
}

function callFunction(
  shell: Shell,
  call: { fn: FunctionDef; args: readonly string[] },
  plan: Plan,
): void {
  if (shell.functionDepth >= maxFunctionDepth) {
    raise(`Maximum function recursion depth (${maxFunctionDepth}) reached`);
  }
  const restore = plan.steps.length === 0 ? undefined : shell.fds.apply(plan);
  const { params, optOffset } = shell.state;
  const { loopDepth, lineBase } = shell;
  shell.state.params = call.args.slice(1);
  shell.locals.push(new Map());
  shell.functionDepth++;
  shell.loopDepth = 0;
  shell.lineBase = call.fn.line - 1;
  try {
    execute(shell, call.fn.body);
  } catch (error) {
    shell.report(error);
    throw error;
  } finally {
    for (const [name, old] of shell.locals.pop() ?? []) shell.restore(name, old);
    shell.functionDepth--;
    shell.state.params = params;
    shell.state.optOffset = optOffset;
    shell.loopDepth = loopDepth;
    shell.lineBase = lineBase;
    restore?.();
  }
  if (shell.skip === 'return') shell.skip = 'none';
}

interface BuiltinCall {
  readonly builtin: Builtin;
  readonly args: readonly string[];
  readonly special: boolean;
}

function callBuiltin(shell: Shell, call: BuiltinCall, plan: Plan): void {
  const { builtin, args } = call;
  const name = args[0] ?? '';
  const outer = shell.builtinErrors;
  let restore: (() => void) | undefined;
  let io = standardIo(shell, plan);
  try {
    if (name === 'exec') shell.fds.applyForGood(plan);
    else if (builtin.runsCommands && plan.steps.length > 0) {
      restore = shell.fds.apply(plan);
      io = standardIo(shell, new Plan());
    }
    shell.builtinErrors = builtin.runsCommands ? undefined : { to: io.err };
    shell.status = builtin.run(shell, args.slice(1), io);
  } catch (error) {
    if (error instanceof PosixError) shell.status = systemError(shell, name, error);
    else failed(shell, error, call.special ? 'special' : 'regular', `${name}: `);
  } finally {
    shell.builtinErrors = outer;
    restore?.();
  }
}

function standardIo(shell: Shell, plan: Plan): Io {
  const source = (fd: number) => (plan.map.has(fd) ? plan.map.get(fd) : shell.fds.resolve(fd));
  return { in: source(0), out: source(1), err: source(2) };
}

/** A system call failed inside a built-in. */
function systemError(shell: Shell, name: string, error: PosixError): number {
  if (error.errno === EPIPE && !shell.ignores(SIGPIPE)) {
    if (shell.level > 0) throw error; // ends the subshell as SIGPIPE would
    shell.sys.sigaction(SIGPIPE, 'default');
    shell.sys.kill(shell.sys.getpid(), SIGPIPE);
    leave(128 + SIGPIPE, 'abrupt');
  }
  shell.complain(`${name}: ${posixWords(error)}`);
  return 1;
}

function runProgram(shell: Shell, args: readonly string[], how: Invocation): number {
  const drains = new Drains(shell);
  const plan = new Plan();
  const group = controlsJobs(shell) ? new Group() : undefined;
  const grouped = group === undefined ? {} : { group };
  const pid = start(shell, args, { ...how, plan, drains, background: false, ...grouped });
  drains.seal();
  drains.readPipes();
  // Why it died is told where its own errors went, which is not looked for when that is elsewhere.
  const death = how.redirs.some((redir) => redir.fd === 2) ? 'silent' : 'told';
  let status = shell.status;
  if (pid !== undefined && group !== undefined) {
    const job = shell.jobs.make([pid], { text: shell.typed, pgid: group.pgid });
    status = waitForeground(shell, job);
  } else if (pid !== undefined) status = waitFor(shell, pid, death);
  drains.readFiles();
  return status;
}

interface ProgramOptions {
  /** Descriptors set already, for a pipeline; the command's redirections come after. */
  readonly plan: Plan;
  readonly drains: Drains;
  readonly background: boolean;
  readonly group?: Group;
}

/** Starts a stage of a pipeline that is a program; undefined, with a status, if that fails. */
export function startProgram(
  shell: Shell,
  node: Simple,
  options: ProgramOptions,
): number | undefined {
  shell.line = node.line - shell.lineBase;
  const args = expandCommand(shell, node.words);
  return start(shell, args, { assigns: node.assigns, redirs: node.redirs, ...options });
}

function start(
  shell: Shell,
  args: readonly string[],
  options: Invocation & ProgramOptions,
): number | undefined {
  const name = args[0] ?? '';
  const { plan } = options;
  try {
    planRedirs(shell, options.redirs, plan);
  } catch (error) {
    failed(shell, error, 'regular');
    return undefined;
  }
  const assigned = assign(shell, options.assigns, 'for the command');
  try {
    if (shell.state.options.xtrace) trace(shell, [...assigned.traced, ...args]);
    const found = findProgram(shell, name, options.path ?? shell.get('PATH'));
    if (found.path === undefined) return missing(shell, { name, ...found }, plan);
    return spawn(shell, {
      path: found.path,
      argv: args,
      plan,
      drains: options.drains,
      background: options.background,
      ...(options.group === undefined ? {} : { group: options.group }),
    });
  } catch (error) {
    plan.release(shell);
    if (!(error instanceof PosixError)) throw error;
    shell.hash.delete(name);
    return missing(shell, { name, ...spawnFailure(error) }, plan);
  } finally {
    for (const [variable, old] of assigned.before) shell.restore(variable, old);
  }
}

/** Says why a program cannot run, where its standard error would have been. */
function missing(
  shell: Shell,
  what: { name: string; status: number; message: string },
  plan: Plan,
): undefined {
  const to = plan.map.has(2) ? plan.map.get(2) : shell.fds.resolve(2);
  shell.complain(`${what.name}: ${what.message}`, to);
  plan.release(shell);
  shell.status = what.status;
  return undefined;
}

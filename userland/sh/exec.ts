// Running the syntax tree (POSIX.1-2024 XCU §2.9): lists, compound commands, functions. The exit
// status is left in shell.status; break, continue and return travel in shell.skip.

import { raise, ShellError, ShellSyntaxError } from './errors.ts';
import { expandFields, expandPattern, expandString } from './expand/expand.ts';
import { compilePattern, matches } from './pattern.ts';
import { runBackground, runPipeline, runSubshellJob } from './pipeline.ts';
import { planRedirs } from './redirect.ts';
import type { Shell } from './shell.ts';
import { checkErrexit, runSimple } from './simple.ts';
import { controlsJobs } from './spawn.ts';
import { inSubshell } from './subshell.ts';
import type {
  AndOr,
  CaseClause,
  Command,
  Compound,
  ForLoop,
  IfClause,
  List,
  Loop,
  Redir,
} from './syntax/ast.ts';
import { Lexer } from './syntax/lexer.ts';
import { Parser } from './syntax/parser.ts';
import { poll, runTraps } from './traps.ts';

export function execute(shell: Shell, command: Command): void {
  if (shell.state.options.noexec && !shell.state.options.interactive) return;
  switch (command.type) {
    case 'simple':
      runSimple(shell, command);
      break;
    case 'list':
      runList(shell, command);
      break;
    case 'andor':
      runAndOr(shell, command);
      break;
    case 'pipeline':
      runPipeline(shell, command);
      if (!command.bang) checkErrexit(shell);
      break;
    case 'function':
      shell.state.functions.set(command.name, command);
      shell.status = 0;
      break;
    default:
      runCompound(shell, command);
  }
  if (shell.caught.length > 0) runTraps(shell);
}

/** Parses and runs a text: eval, trap actions. Lines count from 1. */
export function runText(shell: Shell, text: string): void {
  runSource(shell, new Lexer({ text, aliases: shell.state.aliases }));
}

/** Runs a source command by command. Its status is that of the last one, 0 without any. */
export function runSource(shell: Shell, lexer: Lexer): void {
  const parser = new Parser(lexer);
  let ran = false;
  for (;;) {
    const command = parseNext(shell, parser);
    if (command === null) break;
    if (command === undefined) continue;
    ran = true;
    execute(shell, command);
    if (shell.skip !== 'none') return;
  }
  if (!ran) shell.status = 0;
}

function parseNext(shell: Shell, parser: Parser): Command | undefined | null {
  try {
    return parser.parseComplete();
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    shell.line = error.line;
    shell.complain(`Syntax error: ${error.message}`);
    return raise('', 2);
  }
}

function runList(shell: Shell, list: List): void {
  for (const item of list.items) {
    if (item.async === undefined) execute(shell, item.command);
    else runBackground(shell, item.command, item.async);
    if (shell.skip !== 'none') return;
  }
}

function runAndOr(shell: Shell, node: AndOr): void {
  const { tested } = shell;
  const last = node.rest.length - 1;
  shell.tested = true;
  execute(shell, node.first);
  for (let i = 0; i <= last; i++) {
    const next = node.rest[i];
    if (shell.skip !== 'none') break;
    if (next === undefined || (shell.status === 0) !== (next.op === '&&')) continue;
    shell.tested = i === last ? tested : true;
    execute(shell, next.command);
  }
  shell.tested = tested;
}

function runCompound(shell: Shell, node: Compound): void {
  if (node.redirs === undefined) runBody(shell, node);
  else withRedirs(shell, node, node.redirs);
  if (node.type === 'subshell') checkErrexit(shell);
}

function withRedirs(shell: Shell, node: Compound, redirs: readonly Redir[]): void {
  let restore: () => void;
  try {
    shell.line = node.line - shell.lineBase;
    restore = shell.fds.apply(planRedirs(shell, redirs));
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    shell.complain(error.message);
    shell.status = error.status;
    checkErrexit(shell);
    return;
  }
  try {
    runBody(shell, node);
  } catch (error) {
    shell.report(error);
    throw error;
  } finally {
    restore();
  }
}

function runBody(shell: Shell, node: Compound): void {
  switch (node.type) {
    case 'brace':
      execute(shell, node.body);
      return;
    case 'subshell':
      shell.status = controlsJobs(shell)
        ? runSubshellJob(shell, { ...node, redirs: [] })
        : inSubshell(shell, () => execute(shell, node.body));
      return;
    case 'if':
      runIf(shell, node);
      return;
    case 'while':
    case 'until':
      runLoop(shell, node);
      return;
    case 'for':
      runFor(shell, node);
      return;
    case 'case':
      runCase(shell, node);
  }
}

/** Runs a command whose failure is an answer. */
function test(shell: Shell, command: Command): boolean {
  const { tested } = shell;
  shell.tested = true;
  execute(shell, command);
  shell.tested = tested;
  return shell.status === 0;
}

function runIf(shell: Shell, node: IfClause): void {
  for (const arm of node.arms) {
    const yes = test(shell, arm.condition);
    if (shell.skip !== 'none') return;
    if (yes) {
      execute(shell, arm.body);
      return;
    }
  }
  if (node.otherwise === undefined) shell.status = 0;
  else execute(shell, node.otherwise);
}

/** Turns of a loop between two looks for signals. */
const pollInterval = 256;

function runLoop(shell: Shell, node: Loop): void {
  const wanted = node.type === 'while';
  let status = 0;
  shell.loopDepth++;
  for (let turn = 1; ; turn++) {
    if (turn % pollInterval === 0) poll(shell);
    const yes = test(shell, node.condition);
    if (shell.skip !== 'none') {
      status = shell.status;
      if (!nextTurn(shell)) break;
      continue;
    }
    if (yes !== wanted) break;
    execute(shell, node.body);
    status = shell.status;
    if (shell.skip !== 'none' && !nextTurn(shell)) break;
  }
  shell.loopDepth--;
  shell.status = status;
}

function runFor(shell: Shell, node: ForLoop): void {
  shell.line = node.line - shell.lineBase;
  const values = node.words === undefined ? shell.state.params : expandFields(shell, node.words);
  let status = 0;
  shell.loopDepth++;
  for (const [turn, value] of values.entries()) {
    if (turn % pollInterval === pollInterval - 1) poll(shell);
    shell.set(node.name, value);
    execute(shell, node.body);
    status = shell.status;
    if (shell.skip !== 'none' && !nextTurn(shell)) break;
  }
  shell.loopDepth--;
  shell.status = status;
}

/** After break or continue: does this loop go on? */
function nextTurn(shell: Shell): boolean {
  if (shell.skip === 'return') return false;
  if (shell.skipCount > 1) {
    shell.skipCount--;
    return false;
  }
  const again = shell.skip === 'continue';
  shell.skip = 'none';
  shell.skipCount = 0;
  return again;
}

function runCase(shell: Shell, node: CaseClause): void {
  shell.line = node.line - shell.lineBase;
  const subject = expandString(shell, node.subject);
  shell.status = 0;
  let falling = false;
  for (const item of node.items) {
    const hit =
      falling ||
      item.patterns.some((word) => matches(compilePattern(expandPattern(shell, word)), subject));
    if (!hit) continue;
    if (item.body !== undefined) execute(shell, item.body);
    else shell.status = 0;
    falling = item.fallThrough && shell.skip === 'none';
    if (!falling) return;
  }
}

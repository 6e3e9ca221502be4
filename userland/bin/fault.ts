// fault: breaks things on purpose, by rules (docs/faults.md). The command face of /dev/fault.

import { globPattern } from '../../kernel/abi/fault/points.ts';
import { checkedRule, FaultEngine, rulesIn } from '../libc/fault/engine.ts';
import { runUnder } from '../libc/fault/run.ts';
import { sweep } from '../libc/fault/sweep.ts';
import { type Options, parseOptions } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { Exit } from '../libc/stdio.ts';

const USAGE = `'RULE' | COMMAND
  fault '[NAME:] on POINT {CONDITION} do ACTION{, ACTION}'   add a rule, print its name
  fault ls                            the rules, with how often they were met and fired
  fault rm NAME...                    forget rules
  fault reset                         forget all rules and firings
  fault log [-f]                      what fired; -f goes on as more does
  fault plan                          rules that do the same again, hit by hit
  fault points [PATTERN]              where faults can come in, and which
  fault run FILE -- CMD [ARG]...      run a command under the rules of a file
  fault replay PLAN -- CMD [ARG]...   run a command under a plan, and tell what did not fire
  fault sweep [OPTION]... POINT [CONDITION]... ACTION -- CMD [ARG]...
                                      fail each hit of a point in turn, a run for each
    -b SCRIPT    run before each run, without the fault
    -a SCRIPT    run after each: its failure is a broken promise; $STATUS is the command's status
    -t SECONDS   a run that takes longer is killed and counts as hung (60)
    -n FIRST[-LAST]  the hits that are failed (1-10000)`;

/** How often `log -f` looks. */
const FOLLOW_MS = 100;

export const main = program(
  { usage: USAGE, short: '', stopAtOperand: true, trouble: 2 },
  (tool, { operands }) => {
    const [verb = tool.missingOperand(), ...args] = operands;
    const engine = new FaultEngine(tool.sys);
    if (/\s/.test(verb) && args.length === 0) {
      tool.out.text(`${engine.add(checkedRule(tool, verb))}\n`);
      return;
    }
    const run = verbs[verb] ?? (() => tool.misuse(`no command '${verb}'`));
    return run({ tool, engine, args });
  },
);

interface Work {
  readonly tool: Tool;
  readonly engine: FaultEngine;
  readonly args: readonly string[];
}

const verbs: Readonly<Record<string, (work: Work) => number | undefined>> = {
  ls: ({ tool, engine }) => show(tool, engine.read('ctl')),
  plan: ({ tool, engine }) => show(tool, engine.read('plan')),
  rm: ({ tool, engine, args }) => {
    if (args.length === 0) tool.missingOperand();
    for (const name of args) tool.attempt(name, () => engine.remove([name]));
    return undefined;
  },
  reset: ({ engine }) => {
    engine.command('reset');
    return undefined;
  },
  log: ({ tool, engine, args }) =>
    args.includes('-f') ? follow(tool, engine) : show(tool, engine.read('log')),
  points: ({ tool, engine, args }) => {
    const wanted = globPattern(args[0] ?? '*');
    const lines = engine.read('points').split('\n');
    return show(tool, lines.filter((line) => wanted.test(line.split(':')[0] ?? '')).join('\n'));
  },
  run: ({ tool, engine, args }) => {
    const { left, argv } = split(tool, args);
    const rules = rulesIn(tool, left[0] ?? tool.missingOperand());
    return runUnder(tool, engine, { rules, argv, expectsAll: 'some' });
  },
  replay: ({ tool, engine, args }) => {
    const { left, argv } = split(tool, args);
    const rules = rulesIn(tool, left[0] ?? tool.missingOperand());
    return runUnder(tool, engine, { rules, argv, expectsAll: 'all' });
  },
  sweep: startSweep,
};

function show(tool: Tool, text: string): undefined {
  tool.out.text(text === '' || text.endsWith('\n') ? text : `${text}\n`);
}

/** For ever: Ctrl-C ends it. */
function follow(tool: Tool, engine: FaultEngine): never {
  let shown = 0;
  for (;;) {
    const text = engine.read('log');
    if (text.length < shown) shown = 0; // it was reset
    tool.out.text(text.slice(shown));
    tool.out.flush();
    shown = text.length;
    tool.sys.sleep(FOLLOW_MS);
  }
}

/** What stands before `--`, and the command behind it. */
function split(tool: Tool, args: readonly string[]): { left: string[]; argv: string[] } {
  const at = args.indexOf('--');
  const argv = at < 0 ? [] : args.slice(at + 1);
  if (argv.length === 0) tool.misuse("expected '--' and a command");
  return { left: args.slice(0, at), argv };
}

function startSweep({ tool, engine, args }: Work): number {
  const { left, argv } = split(tool, args);
  const options = sweepOptions(tool, left);
  const [point = '', ...rest] = options.operands;
  // Conditions hold a sign; the action is what begins without one.
  const cut = rest.findIndex((word) => !/[=~]/.test(word));
  if (point === '' || cut < 0) tool.misuse('expected a point and an action');
  const where = [point, ...rest.slice(0, cut)].join(' ');
  const action = rest.slice(cut).join(' ');
  checkedRule(tool, `on ${where} nth=1 do ${action}`);
  const [, first = '1', last] = /^(\d+)(?:-(\d+))?$/.exec(options.value('n') ?? '1-10000') ?? [];
  return sweep(tool, engine, {
    ...{ point: where, action, argv },
    before: options.value('b'),
    after: options.value('a'),
    limitMs: Number(options.value('t') ?? 60) * 1000,
    from: Number(first),
    to: Number(last ?? first),
  });
}

function sweepOptions(tool: Tool, args: readonly string[]): Options {
  try {
    return parseOptions({ short: 'b:a:t:n:', stopAtOperand: true }, args);
  } catch (error) {
    if (error instanceof Exit && error.status === -1) return tool.misuse(error.message);
    throw error;
  }
}

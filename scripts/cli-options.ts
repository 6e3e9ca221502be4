// The command line of `atoll`: its own options up to `-c` or FILE; what follows is the script's.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DiskOptions } from '../host/boot.ts';
import { CONTROLLERS } from '../kernel/abi/disk/controllers.ts';
import { isProblem, parseRule, problemText, ruleLines } from '../kernel/abi/fault/parse.ts';
import { STRATEGIES, type Strategy } from '../kernel/ipc/baton/strategy.ts';

export const USAGE = `Usage: atoll [option]... [-c SCRIPT [NAME [ARG]...] | FILE [ARG]...]
Boots a machine, runs a shell in it, and ends with the shell's status.

  -c SCRIPT          run this script; NAME and ARGs are its $0, $1 ...
  FILE               run this file of the host as a script
  --disk FILE[,rw|,ro|,overlay][,ahci|,ide|,virtio]
                     attach an image (.zst: as an overlay); it is mounted at /mnt/sdC0,
                     the next at /mnt/sdC1 (ide: sdD0, virtio: sdF0); without --disk: this
                     package's own images
  --mem N[K|M|G]     memory, 256M unless given
  --cpus N           virtual CPUs, the host's cores unless given
  --no-daemons       file systems get no workers of their own: the kernel runs their code
  --export-nbd PORT  serve the disks by NBD, to this host alone (0: any free port)
  --trace FILE       write a trace of every layer, for ui.perfetto.dev
  --trace-summary FILE [CALL]...
                     where the time of the system calls in a trace went; boots nothing
  --seed N           a repeatable run: the same N gives the same run
  --strategy NAME    how the seed chooses who runs: random (unless given), priority, robin
  --fault FILE       fault rules that hold from the first disk command on (docs/faults.md)
  --hash             at the end, write the hash of a repeatable run to standard error
  --check            do it twice on overlays; if the runs differ, tell the first event that does
  --help, --version

Without -c and FILE: a prompt, or the commands on standard input when that is no terminal.
`;

export type Work =
  | { readonly kind: 'script'; readonly script: string; readonly args: readonly string[] }
  | { readonly kind: 'file'; readonly file: string; readonly args: readonly string[] }
  | { readonly kind: 'stdin' }
  | { readonly kind: 'summary'; readonly file: string; readonly calls: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' };

export interface CommandLine {
  readonly disks: readonly DiskOptions[];
  readonly mem?: number;
  readonly cpus?: number;
  readonly trace?: string;
  readonly nbdPort?: number;
  readonly seed?: number;
  readonly strategy?: Strategy;
  readonly daemons?: false;
  readonly hash: boolean;
  /** Fault rules, a line each. */
  readonly faults?: string;
  readonly check: boolean;
  /** The first event that a run of a check keeps in full. */
  readonly watchFrom?: number;
  /** Options of the shell: -e, -u, -x ... */
  readonly shellFlags: readonly string[];
  readonly work: Work;
}

/** A wrong command line: exits 2 with this message. */
export class UsageError extends Error {}

/** Flags of sh that may stand before its script, alone or together with -c: `-ec`. */
const SHELL_FLAGS = /^-[aefnuvx]+$/;
const SCRIPT_FLAG = /^-[aefnuvx]*c$/;
const VALUE_OPTIONS = [
  '--disk',
  '--mem',
  '--cpus',
  '--trace',
  '--export-nbd',
  '--trace-summary',
  '--seed',
  '--strategy',
  '--fault',
];

export function readCommandLine(args: readonly string[]): CommandLine {
  const { own, flags, rest } = split(args);
  const { values } = parse(own);
  const { mem, cpus, trace } = values;
  return {
    disks: (values.disk ?? []).map(readDisk),
    ...(mem === undefined ? {} : { mem: readBytes(mem) }),
    ...(cpus === undefined ? {} : { cpus: readCount(cpus) }),
    ...(trace === undefined ? {} : { trace }),
    ...readNbd(values['export-nbd']),
    ...(values['no-daemons'] ? { daemons: false } : {}),
    ...readRepeat(values),
    ...(values.fault === undefined ? {} : { faults: readFaults(values.fault) }),
    shellFlags: flags.filter((flag) => flag !== '-c').map((flag) => flag.replace(/c$/, '')),
    work: workOf(values, rest, flags.some((flag) => SCRIPT_FLAG.test(flag)) ? 'script' : 'file'),
  };
}

/** Our options, the shell's flags, and what belongs to the script. */
function split(args: readonly string[]): { own: string[]; flags: string[]; rest: string[] } {
  const own: string[] = [];
  const flags: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (SCRIPT_FLAG.test(arg)) return { own, flags: [...flags, arg], rest: args.slice(i + 1) };
    if (SHELL_FLAGS.test(arg)) flags.push(arg);
    else if (arg === '--' || arg === '-') return { own, flags, rest: args.slice(i + 1) };
    else if (!arg.startsWith('-')) return { own, flags, rest: args.slice(i) };
    else {
      own.push(arg);
      const value = args[i + 1];
      if (VALUE_OPTIONS.includes(arg) && value !== undefined) own.push(args[++i] ?? '');
    }
  }
  return { own, flags, rest: [] };
}

function parse(own: string[]) {
  try {
    return parseArgs({
      args: own,
      options: {
        disk: { type: 'string', multiple: true },
        mem: { type: 'string' },
        cpus: { type: 'string' },
        trace: { type: 'string' },
        'export-nbd': { type: 'string' },
        'trace-summary': { type: 'string' },
        seed: { type: 'string' },
        strategy: { type: 'string' },
        fault: { type: 'string' },
        'no-daemons': { type: 'boolean' },
        hash: { type: 'boolean' },
        check: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(message.replace(/\. To specify.*$/s, '').replace(/^U/, 'u'));
  }
}

function workOf(
  values: { help?: boolean; version?: boolean; 'trace-summary'?: string },
  rest: readonly string[],
  kind: 'script' | 'file',
): Work {
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  const { 'trace-summary': file } = values;
  return file === undefined ? readWork(rest, kind) : { kind: 'summary', file, calls: rest };
}

function readWork(rest: readonly string[], kind: 'script' | 'file'): Work {
  const [first, ...args] = rest;
  if (kind === 'script') {
    if (first === undefined) throw new UsageError('-c needs a script');
    return { kind, script: first, args };
  }
  return first === undefined ? { kind: 'stdin' } : { kind, file: first, args };
}

const MODES = ['rw', 'ro', 'overlay'] as const;

/** `FILE[,rw|,ro|,overlay][,CONTROLLER]`; a comma before anything else belongs to the name. */
function readDisk(text: string): DiskOptions {
  let file = text;
  let mode: DiskOptions['mode'];
  let controller: DiskOptions['controller'];
  for (;;) {
    const at = file.lastIndexOf(',');
    const word = at < 0 ? '' : file.slice(at + 1);
    const named = MODES.find((one) => one === word);
    const plug = CONTROLLERS.find((one) => one === word);
    if (named === undefined && plug === undefined) break;
    mode = named ?? mode;
    controller = plug ?? controller;
    file = file.slice(0, at);
  }
  if (file === '') throw new UsageError(`--disk '${text}': no file`);
  return {
    file,
    ...(mode === undefined ? {} : { mode }),
    ...(controller === undefined ? {} : { controller }),
  };
}

/** The rules of a file of the host; a wrong one is told with its line and column. */
function readFaults(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--fault '${file}': ${error instanceof Error ? error.message : error}`);
  }
  for (const { line, text: rule } of ruleLines(text)) {
    const parsed = parseRule(rule);
    if (isProblem(parsed)) throw new UsageError(`${file}:${line}: ${problemText(parsed)}`);
  }
  return text;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function readBytes(text: string): number {
  const [, number, unit = ''] = /^(\d+)([KMG]?)$/i.exec(text) ?? [];
  if (number === undefined) throw new UsageError(`--mem '${text}': want a size such as 256M`);
  return Number(number) * (UNITS[unit.toUpperCase()] ?? 1);
}

function readRepeat(values: {
  readonly seed?: string;
  readonly strategy?: string;
  readonly hash?: boolean;
  readonly check?: boolean;
}): Pick<CommandLine, 'seed' | 'strategy' | 'hash' | 'check'> {
  const { seed, strategy: name, hash = false, check = false } = values;
  if (seed === undefined) {
    const first = check ? '--check' : hash ? '--hash' : name !== undefined ? '--strategy' : '';
    if (first !== '') throw new UsageError(`${first} needs a --seed`);
    return { hash, check };
  }
  const number = /^\d{1,16}$/.test(seed) ? Number(seed) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new UsageError(`--seed '${seed}': want a number`);
  const strategy = STRATEGIES.find((one) => one === name);
  if (name !== undefined && strategy === undefined) {
    throw new UsageError(`--strategy '${name}': want ${STRATEGIES.join(', ')}`);
  }
  return { seed: number, ...(strategy === undefined ? {} : { strategy }), hash, check };
}

function readNbd(text: string | undefined): { nbdPort?: number } {
  if (text === undefined) return {};
  const nbdPort = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(nbdPort < 65_536)) throw new UsageError(`--export-nbd '${text}': want a port`);
  return { nbdPort };
}

function readCount(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new UsageError(`--cpus '${text}': want a number from 1`);
  return count;
}

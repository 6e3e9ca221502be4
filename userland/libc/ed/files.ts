// Where ed reads lines from and writes them to: files, and shell commands behind `!`.

import { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../../kernel/abi/errno.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import type { Tool } from '../program.ts';
import { Exit, Input, Output } from '../stdio.ts';
import type { FdAction } from '../sys.ts';
import { fromLatin1, toLatin1 } from '../text/latin1.ts';
import type { Line } from './buffer.ts';
import { refuse } from './scanner.ts';

/** Whether standard error is told why a file cannot be used (-q). */
export type Diagnostics = 'loud' | 'quiet';

export interface Loaded {
  readonly lines: readonly Line[];
  readonly bytes: number;
  /** The last line had no newline; one was added. */
  readonly unfinished: boolean;
}

/** `name` as the command line gave it, one character a byte. Tells of a fault and refuses. */
export function load(tool: Tool, name: string, diagnostics: Diagnostics): Loaded {
  const source = name.startsWith('!') ? startShell(tool, name.slice(1), 'read') : undefined;
  const fd = source?.fd ?? open(tool, name, { flags: O_RDONLY, what: 'input', diagnostics });
  const lines: Line[] = [];
  let bytes = 0;
  let unfinished = false;
  try {
    const input = new Input(tool.sys, fd);
    for (let line = input.line(); line !== undefined; line = input.line()) {
      lines.push({ text: toLatin1(line) });
      bytes += line.length + 1;
      unfinished = !input.terminated;
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    complain(tool, { name, diagnostics }, error);
    refuse('Cannot read input file');
  } finally {
    tool.sys.close(fd);
    if (source !== undefined) tool.sys.wait(source.pid);
  }
  return { lines, bytes, unfinished };
}

/** The number of bytes written. */
export function save(
  tool: Tool,
  target: { name: string; mode: 'replace' | 'append'; diagnostics: Diagnostics },
  lines: readonly Line[],
): number {
  const { name, mode, diagnostics } = target;
  const flags = O_WRONLY | O_CREAT | (mode === 'append' ? O_APPEND : O_TRUNC);
  const sink = name.startsWith('!') ? startShell(tool, name.slice(1), 'write') : undefined;
  const fd = sink?.fd ?? open(tool, name, { flags, what: 'output', diagnostics });
  let bytes = 0;
  try {
    const out = new Output(tool.sys, fd);
    for (const { text } of lines) {
      out.latin1(`${text}\n`);
      bytes += text.length + 1;
    }
    out.flush();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    if (sink === undefined) refuse('Cannot write to output file');
  } finally {
    tool.sys.close(fd);
    if (sink !== undefined) tool.sys.wait(sink.pid);
  }
  return bytes;
}

const path = (name: string): string => decodeText(fromLatin1(name));

function open(
  tool: Tool,
  name: string,
  how: { flags: number; what: string; diagnostics: Diagnostics },
): number {
  try {
    return tool.sys.open(path(name), how.flags, 0o666);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    complain(tool, { name, diagnostics: how.diagnostics }, error);
    return refuse(`Cannot open ${how.what} file`);
  }
}

function complain(
  tool: Tool,
  about: { name: string; diagnostics: Diagnostics },
  error: PosixError,
): void {
  if (about.diagnostics === 'quiet') return;
  tool.out.flush();
  tool.error(`${path(about.name)}: ${strerror(error.errno)}\n`);
}

/** Runs a command of the shell to its end, on ed's own input and output. */
export function runShell(tool: Tool, command: string): void {
  tool.out.flush();
  const pid = tool.sys.spawn(shell(tool, command, []));
  tool.sys.wait(pid);
}

const shell = (tool: Tool, command: string, fdActions: readonly FdAction[]) => ({
  path: '/bin/sh',
  argv: ['sh', '-c', path(command)],
  env: tool.sys.env,
  fdActions,
});

/** A command whose output is read, or whose input is written. */
function startShell(
  tool: Tool,
  command: string,
  direction: 'read' | 'write',
): { fd: number; pid: number } {
  tool.out.flush();
  const pipe = tool.sys.pipe();
  const [ours, theirs] = direction === 'read' ? [pipe.read, pipe.write] : [pipe.write, pipe.read];
  const pid = tool.sys.spawn(
    shell(tool, command, [
      { op: 'dup2', from: theirs, to: direction === 'read' ? 1 : 0 },
      { op: 'close', fd: pipe.read },
      { op: 'close', fd: pipe.write },
    ]),
  );
  tool.sys.close(theirs);
  return { fd: ours, pid };
}

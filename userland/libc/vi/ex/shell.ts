// Commands that run from within the editor: on the terminal, or with lines going to them and coming back.

import { O_CREAT, O_EXCL, O_RDWR, SEEK_SET } from '../../../../kernel/abi/constants.ts';
import { encodeText } from '../../../../kernel/abi/text.ts';
import type { FdAction } from '../../sys.ts';
import type { Editor } from '../editor.ts';
import { linesOf, readAll } from '../file.ts';
import type { ExCall } from './commands.ts';

/** `!command`: the terminal is the command's until it ends and a key is pressed. */
export function runShell(vi: Editor, command: string): undefined {
  const expanded = command.replace(/\\?%/g, (text) => (text === '%' ? (vi.name ?? '') : '%'));
  onTerminal(vi, () => {
    spawned(vi, command === '' ? ['sh'] : ['sh', '-c', expanded], []);
    if (command !== '') {
      vi.tool.error('\n[Press RETURN to go on]');
    }
  });
  if (command !== '') {
    vi.screen.enter();
    vi.keyboard.next();
  }
  vi.screen.measure();
}

/** `w !command`: lines are its standard input. */
export function pipeTo(vi: Editor, command: string, lines: readonly string[]): undefined {
  const input = inputOf(vi, lines);
  onTerminal(vi, () => {
    spawned(vi, ['sh', '-c', command], [{ op: 'dup2', from: input, to: 0 }]);
    vi.tool.error('\n[Press RETURN to go on]');
  });
  vi.tool.sys.close(input);
  vi.keyboard.next();
  vi.screen.measure();
}

/** Lines that the range becomes. */
export function filter({ vi, range, args }: ExCall): undefined {
  const lines = vi.buffer.lines.slice(range.from, range.to + 1);
  const output = outputOf(vi, args, lines);
  if (output === undefined) return;
  vi.buffer.splice(range.from, range.to - range.from + 1, linesOf(output).lines);
  vi.toLine(range.from);
}

/** What a command writes, its errors among it; undefined, and a message, when it failed. */
export function outputOf(
  vi: Editor,
  command: string,
  lines: readonly string[],
): Uint8Array | undefined {
  const { sys } = vi.tool;
  const input = inputOf(vi, lines);
  const pipe = sys.pipe();
  try {
    for (const fd of [pipe.read, pipe.write, input]) sys.setCloexec(fd, true);
    const pid = sys.spawn({
      ...{ path: '/bin/sh', argv: ['sh', '-c', command], env: sys.env },
      fdActions: [
        { op: 'dup2', from: input, to: 0 },
        { op: 'dup2', from: pipe.write, to: 1 },
        { op: 'dup2', from: pipe.write, to: 2 },
      ],
    });
    sys.close(pipe.write);
    const output = readAll(sys, pipe.read, 65_536);
    const { status } = sys.wait(pid);
    if (status === 0) return output;
    vi.complain(`The command failed: ${linesOf(output).lines[0] ?? ''}`);
  } catch (error) {
    vi.fault(command, error);
  } finally {
    sys.close(pipe.read);
    sys.close(input);
  }
  return undefined;
}

/** A file without a name that holds the lines. */
function inputOf({ tool: { sys } }: Editor, lines: readonly string[]): number {
  const path = `/tmp/vi.${sys.getpid()}`;
  const fd = sys.open(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
  sys.unlink(path);
  for (const line of lines) sys.write(fd, encodeText(`${line}\n`));
  sys.lseek(fd, 0, SEEK_SET);
  return fd;
}

function onTerminal(vi: Editor, action: () => void): undefined {
  vi.screen.leave();
  try {
    action();
  } catch (error) {
    vi.fault('sh', error);
  } finally {
    vi.screen.enter();
  }
}

function spawned(
  { tool: { sys } }: Editor,
  argv: string[],
  fdActions: readonly FdAction[],
): undefined {
  sys.wait(sys.spawn({ path: '/bin/sh', argv, env: sys.env, fdActions }));
}

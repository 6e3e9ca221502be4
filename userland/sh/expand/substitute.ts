// Command substitution (POSIX.1-2024 XCU §2.6.3): the command runs in a subshell inside this process
// with standard output in memory; programs that it starts write into pipes drained to there.

import { execute } from '../exec.ts';
import { Sink } from '../redirect.ts';
import type { Shell } from '../shell.ts';
import { drainAll } from '../spawn.ts';
import { inSubshell } from '../subshell.ts';
import type { CommandPart } from '../syntax/ast.ts';

export function substitute(shell: Shell, part: CommandPart): string {
  const { body } = part;
  if (body === undefined) {
    shell.substituted = 0;
    return '';
  }
  const sink = new Sink();
  const { tested, status } = shell;
  const before = shell.fds.sinks.get(1);
  shell.fds.sinks.set(1, sink);
  try {
    shell.tested = false;
    shell.substituted = inSubshell(shell, () => execute(shell, body));
  } finally {
    shell.tested = tested;
    shell.status = status;
    if (before === undefined) shell.fds.sinks.delete(1);
    else shell.fds.sinks.set(1, before);
  }
  drainAll(shell, sink);
  return trim(sink.text());
}

function trim(text: string): string {
  const whole = text.includes('\0') ? text.replaceAll('\0', '') : text;
  let end = whole.length;
  while (end > 0 && whole.charCodeAt(end - 1) === 10) end--;
  return whole.slice(0, end);
}

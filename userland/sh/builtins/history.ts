// fc and history (POSIX.1-2024 XCU fc): what was typed, to look at, to run again, or to edit.

import { O_CLOEXEC, O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } from '../../../kernel/abi/constants.ts';
import { encodeText } from '../../../kernel/abi/text.ts';
import { raise } from '../errors.ts';
import { runText } from '../exec.ts';
import { readFile } from '../input.ts';
import type { History } from '../interactive/history.ts';
import type { Shell } from '../shell.ts';
import type { Io } from './registry.ts';
import { quote } from './vars.ts';

/** `fc -l` shows this many. */
const listed = 16;

export function history(shell: Shell, args: readonly string[], io: Io): number {
  const kept = known(shell);
  const count = args[0] === undefined ? kept.entries.length : Number(args[0]);
  if (!Number.isInteger(count) || count < 0) raise(`Illegal number: ${args[0]}`);
  const from = Math.max(0, kept.entries.length - count);
  print(shell, io, lines(kept, { from, to: kept.entries.length - 1 }, 'numbered'));
  return 0;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

export function fc(shell: Shell, args: readonly string[], io: Io): number {
  const kept = known(shell);
  let letters = '';
  let editor = shell.get('FCEDIT') ?? 'ed';
  let at = 0;
  for (; /^-[elnrs]+$/.test(args[at] ?? ''); at++) {
    letters += (args[at] ?? '').slice(1);
    if (args[at]?.endsWith('e')) editor = args[++at] ?? raise('-e requires an argument');
  }
  if (args[at] === '--') at++;
  const rest = args.slice(at);
  // The command that runs fc is the last entry; it means those before.
  const last = kept.entries.length - (letters.includes('l') ? 1 : 2);
  if (letters.includes('s')) return again(shell, io, { kept, rest, last });
  const usual = letters.includes('l') ? Math.max(0, last - listed + 1) : last;
  const from = rest[0] === undefined ? usual : find(kept, rest[0], last);
  const to =
    rest[1] === undefined ? (letters.includes('l') ? last : from) : find(kept, rest[1], last);
  const range = { from: Math.min(from, to), to: Math.max(from, to) };
  const backwards = from > to !== letters.includes('r');
  if (!letters.includes('l')) return edit(shell, { kept, range, editor, backwards });
  const text = lines(kept, range, letters.includes('n') ? 'plain' : 'numbered');
  print(shell, io, backwards ? text.reverse() : text);
  return 0;
}

const known = (shell: Shell): History => shell.history ?? raise('no history: not interactive', 1);

function lines(kept: History, { from, to }: Range, form: 'numbered' | 'plain'): string[] {
  return kept.entries.slice(from, to + 1).map((entry, i) => {
    const text = entry.replaceAll('\n', '\n\t');
    return form === 'plain' ? `\t${text}\n` : `${kept.first + from + i}\t${text}\n`;
  });
}

const print = (shell: Shell, io: Io, text: readonly string[]): void =>
  shell.write(io.out, text.join(''));

/** A number, a negative number back from the last, or the beginning of a command. */
function find(kept: History, spec: string, last: number): number {
  const number = /^[-+]?[0-9]+$/.test(spec) ? Number(spec) : undefined;
  const at =
    number === undefined
      ? kept.entries.findLastIndex((entry, i) => i <= last && entry.startsWith(spec))
      : number < 0
        ? last + 1 + number
        : number - kept.first;
  if (at < 0 || at >= kept.entries.length) raise(`${spec}: no such command`, 1);
  return at;
}

interface Again {
  readonly kept: History;
  readonly rest: readonly string[];
  readonly last: number;
}

/** `fc -s [old=new] [first]`: runs it again, changed. */
function again(shell: Shell, io: Io, { kept, rest, last }: Again): number {
  const change = rest[0]?.includes('=') ? rest[0] : undefined;
  const spec = change === undefined ? rest[0] : rest[1];
  const entry = kept.entries[spec === undefined ? last : find(kept, spec, last)];
  if (entry === undefined) return raise('no such command', 1);
  const equals = change?.indexOf('=') ?? 0;
  const text =
    change === undefined
      ? entry
      : entry.replace(change.slice(0, equals), () => change.slice(equals + 1));
  return rerun(shell, io.err, kept, text);
}

function rerun(shell: Shell, echo: Io['err'], kept: History, text: string): number {
  shell.write(echo, `${text}\n`);
  kept.entries.pop();
  kept.add(text);
  runText(shell, text);
  return shell.status;
}

interface Edit {
  readonly kept: History;
  readonly range: Range;
  readonly editor: string;
  readonly backwards: boolean;
}

function edit(shell: Shell, { kept, range, editor, backwards }: Edit): number {
  const chosen = kept.entries.slice(range.from, range.to + 1);
  if (chosen.length === 0) raise('history is empty', 1);
  const path = `/tmp/.fc-${shell.pid}-${kept.next}`;
  const fd = shell.sys.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600);
  try {
    const text = (backwards ? chosen.reverse() : chosen).map((entry) => `${entry}\n`).join('');
    shell.sys.write(fd, encodeText(text));
    shell.sys.close(fd);
    runText(shell, `${editor} ${quote(path)}`);
    if (shell.status !== 0) return shell.status;
    const changed = readFile(shell.sys, shell.sys.open(path, O_RDONLY | O_CLOEXEC));
    return rerun(shell, shell.errorOutput(), kept, changed.trimEnd());
  } finally {
    shell.sys.unlink(path);
  }
}

// Prompts (POSIX.1-2024 XCU §2.5.3 PS1, PS2, PS4): expanded as a here-document is; in PS1 and PS2 `!` is
// the number of the command, and a few letters behind a backslash say what bash's do.

import { ShellError, ShellSyntaxError } from '../errors.ts';
import { expandString } from '../expand/expand.ts';
import type { Shell } from '../shell.ts';
import { Lexer } from '../syntax/lexer.ts';
import { Parser } from '../syntax/parser.ts';
import { scanPrompt } from '../syntax/words.ts';

/** PS1 or PS2 as it is shown. */
export function screenPrompt(shell: Shell, prompt: string, number: number): string {
  const numbered = prompt.replace(/!!|(?<![$\\{])!/g, (mark) =>
    mark === '!!' ? '!' : `${number}`,
  );
  const lettered = numbered.replace(/\\(.)/gs, (whole, letter: string) => {
    const value = letters[letter]?.(shell);
    return value === undefined ? whole : value.replace(/[\\$`]/g, '\\$&');
  });
  return promptText(shell, lettered);
}

const letters: Readonly<Record<string, (shell: Shell) => string>> = {
  u: (shell) => shell.get('LOGNAME') ?? shell.get('USER') ?? String(shell.sys.geteuid()),
  h: (shell) => shell.sys.uname().nodename.replace(/\..*/s, ''),
  H: (shell) => shell.sys.uname().nodename,
  w: (shell) => shortened(shell),
  W: (shell) => shortened(shell).replace(/.*\/(?=.)/s, ''),
  $: (shell) => (shell.sys.geteuid() === 0 ? '#' : '$'),
  n: () => '\n',
  a: () => '\x07',
  e: () => '\x1b',
  '[': () => '', // sequences that move nothing need no marks here
  ']': () => '',
};

/** The working directory with `~` for HOME. */
function shortened(shell: Shell): string {
  const { cwd } = shell.state;
  const home = shell.get('HOME');
  if (home === undefined || home === '' || home === '/') return cwd;
  return cwd === home || cwd.startsWith(`${home}/`) ? `~${cwd.slice(home.length)}` : cwd;
}

/** The prompt's text; one that does not expand is shown as it is. */
export function promptText(shell: Shell, prompt: string): string {
  if (!/[$`\\]/.test(prompt)) return prompt;
  const { status, substituted } = shell;
  try {
    const lexer = new Lexer({ text: prompt });
    new Parser(lexer);
    return expandString(shell, scanPrompt(lexer));
  } catch (error) {
    if (error instanceof ShellError || error instanceof ShellSyntaxError) return prompt;
    throw error;
  } finally {
    shell.status = status;
    shell.substituted = substituted;
  }
}

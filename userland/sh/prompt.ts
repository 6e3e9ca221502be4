// Prompts (POSIX.1-2024 XCU §2.5.3 PS1, PS2, PS4): expanded as a here-document is.

import { ShellError, ShellSyntaxError } from './errors.ts';
import { expandString } from './expand/expand.ts';
import type { Shell } from './shell.ts';
import { Lexer } from './syntax/lexer.ts';
import { Parser } from './syntax/parser.ts';
import { scanPrompt } from './syntax/words.ts';

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

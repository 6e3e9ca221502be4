// What e, f, r and w name: files, and commands of the shell behind `!`.

import { refuse, type Scanner } from './scanner.ts';

export class Names {
  readonly #restricted: boolean;
  readonly #print: (text: string) => void;
  /** The file's name that is remembered; '' = none. */
  file = '';
  #shell: string | undefined;

  constructor(restricted: boolean, print: (text: string) => void) {
    this.#restricted = restricted;
    this.#print = print;
  }

  /** The file's name behind a command; '' when there is none. */
  operand(scanner: Scanner): string {
    const c = scanner.peek();
    if (c !== '' && !/^[ \t]$/.test(c)) refuse('Unexpected command suffix');
    scanner.skipBlanks();
    const name = scanner.rest();
    if (name.startsWith('!')) {
      if (this.#restricted) refuse('Shell access restricted');
      return `!${this.shellText(name.slice(1))}`;
    }
    if (this.#restricted && (name.includes('/') || name === '..'))
      refuse('Directory access restricted');
    return name;
  }

  /** `!` at the beginning is the last command, `%` the file's name; what that makes is shown. */
  shellText(text: string): string {
    let expanded = text.startsWith('!')
      ? (this.#shell ?? refuse('No previous command')) + text.slice(1)
      : text;
    let changed = text.startsWith('!');
    expanded = expanded.replace(/\\%|%/g, (found) => {
      if (found !== '%') return '%';
      changed = true;
      return this.file || refuse('No current filename');
    });
    this.#shell = expanded;
    if (changed) this.#print(`${expanded}\n`);
    return expanded;
  }
}

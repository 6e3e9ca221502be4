// The files that a script of sed writes: made as soon as the script names them, whatever becomes of the rest
// of it (POSIX.1-2024 sed, "w wfile").

import { O_CREAT, O_TRUNC, O_WRONLY } from '../../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../../kernel/abi/errno.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import type { Tool } from '../program.ts';
import { Output } from '../stdio.ts';
import { fromLatin1 } from '../text/latin1.ts';

export class WrittenFiles {
  readonly #tool: Tool;
  readonly #outputs = new Map<string, Output>();

  constructor(tool: Tool) {
    this.#tool = tool;
  }

  open(path: string): Output {
    const known = this.#outputs.get(path);
    if (known !== undefined) return known;
    const output = path === '/dev/stdout' ? this.#tool.out : this.#create(path);
    this.#outputs.set(path, output);
    return output;
  }

  #create(path: string): Output {
    const { sys } = this.#tool;
    try {
      return new Output(sys, sys.open(nameOf(path), O_WRONLY | O_CREAT | O_TRUNC, 0o666));
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return this.#tool.die(`couldn't open file ${nameOf(path)}: ${strerror(error.errno)}`, 4);
    }
  }

  flush(): void {
    for (const output of this.#outputs.values()) output.flush();
  }
}

/** A script is bytes, a character each; a name is text. */
export const nameOf = (path: string): string => decodeText(fromLatin1(path));

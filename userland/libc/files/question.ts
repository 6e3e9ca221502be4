// Questions that a program asks before it overwrites or removes (POSIX.1-2024 §2.9.3, "affirmative response").

import type { Tool } from '../program.ts';
import { Input } from '../stdio.ts';

/** Answers come from standard input, a line each; none means no. */
export class Questions {
  readonly #tool: Tool;
  readonly #answers: Input;

  constructor(tool: Tool) {
    this.#tool = tool;
    this.#answers = new Input(tool.sys, 0);
  }

  agrees(question: string): boolean {
    this.#tool.out.flush();
    this.#tool.error(`${this.#tool.name}: ${question}? `);
    const [first] = this.#answers.line() ?? [];
    return first === 0x79 || first === 0x59; // y, Y
  }
}

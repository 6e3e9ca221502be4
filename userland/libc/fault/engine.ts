// The fault engine as a program sees it: /dev/fault, with rules checked here first, so that a wrong
// one can be shown with the column that is wrong.

import { O_RDONLY, O_WRONLY } from '../../../kernel/abi/constants.ts';
import {
  isProblem,
  parseRule,
  type RuleProblem,
  ruleLines,
} from '../../../kernel/abi/fault/parse.ts';
import { printRule } from '../../../kernel/abi/fault/print.ts';
import { decodeText, encodeText } from '../../../kernel/abi/text.ts';
import type { Tool } from '../program.ts';
import { COPY_BYTES } from '../stdio.ts';
import type { Sys } from '../sys.ts';

/** A rule as ctl lists it. */
export interface ListedRule {
  readonly name: string;
  readonly seen: number;
  readonly fired: number;
  readonly text: string;
}

export class FaultEngine {
  readonly #sys: Sys;

  constructor(sys: Sys) {
    this.#sys = sys;
  }

  command(text: string): void {
    const fd = this.#sys.open('/dev/fault/ctl', O_WRONLY);
    try {
      this.#sys.write(fd, encodeText(text));
    } finally {
      this.#sys.close(fd);
    }
  }

  read(name: 'ctl' | 'log' | 'plan' | 'points'): string {
    return readFile(this.#sys, `/dev/fault/${name}`);
  }

  rules(): ListedRule[] {
    const line = /^(?:on |off) seen=(\d+) fired=(\d+) (([\w-]+): .*)$/;
    return this.read('ctl')
      .split('\n')
      .flatMap((text) => {
        const [, seen, fired, rule = '', name = ''] = line.exec(text) ?? [];
        return name === '' ? [] : [{ name, seen: Number(seen), fired: Number(fired), text: rule }];
      });
  }

  /** Adds a rule under a name that no other has; returns the name. */
  add(text: string): string {
    const before = new Set(this.rules().map(({ name }) => name));
    this.command(text);
    return this.rules().find(({ name }) => !before.has(name))?.name ?? '';
  }

  remove(names: readonly string[]): void {
    for (const name of names) this.command(`rm ${name}`);
  }
}

function readFile(sys: Sys, path: string): string {
  const fd = sys.open(path, O_RDONLY);
  const pieces: string[] = [];
  try {
    const buffer = new Uint8Array(COPY_BYTES);
    for (let count = sys.read(fd, buffer); count > 0; count = sys.read(fd, buffer)) {
      pieces.push(decodeText(buffer.slice(0, count)));
    }
  } finally {
    sys.close(fd);
  }
  return pieces.join('');
}

/** The rule, in its usual form; a wrong one ends the program with the place that is wrong. */
export function checkedRule(tool: Tool, text: string, where = ''): string {
  const rule = parseRule(text);
  return isProblem(rule) ? tool.die(shown(text, where, rule), 2) : printRule(rule);
}

function shown(text: string, where: string, { column, problem }: RuleProblem): string {
  return `${where}column ${column}: ${problem}\n  ${text}\n  ${' '.repeat(column - 1)}^`;
}

/** The rules of a file, all checked. */
export function rulesIn(tool: Tool, file: string): string[] {
  return ruleLines(readFile(tool.sys, file)).map(({ line, text }) =>
    checkedRule(tool, text.trim(), `${file}:${line}: `),
  );
}

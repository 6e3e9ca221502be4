// Random shell scripts whose output both shells must agree on: field splitting, read, patterns,
// arithmetic, printf. Each line prints its number, so that the first difference names its line.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are parameters of the shell

import { integersFrom } from '../../../kernel/ipc/random.ts';

class Writer {
  private readonly below: (n: number) => number;

  constructor(seed: number) {
    this.below = integersFrom(seed);
  }

  pick(from: readonly string[]): string {
    return from[this.below(from.length)] ?? '';
  }

  some(most: number, from: readonly string[]): string {
    return Array.from({ length: this.below(most + 1) }, () => this.pick(from)).join('');
  }

  value(): string {
    return `'${this.some(8, [' ', ' ', ':', ':', 'x', 'a', 'b', '\t', ','])}'`;
  }

  ifs(): string {
    return `'${this.pick([' ', ':', ' :', ':x', ' x', '', ',: ', '\t '])}'`;
  }

  /** One unquoted expansion a word, no "$@": dash splits two that touch apart, others do not. */
  splitting(): string {
    const split = [
      '$v',
      '${w}',
      '${v:-d e}',
      '${n:-a b}',
      '$(printf %s "$v")',
      '${v%:*}',
      '$*',
      '',
    ];
    const quoted = ['"$v"', '"$w"', 'a', '"$*"', "'q r'", '\\ ', '""', '"${w#*a}"', '${#v}'];
    const word = (): string => this.some(2, quoted) + this.pick(split) + this.some(2, quoted);
    const loop = `for i in ${word()} ${word()}; do printf '<%s>' "$i"; done`;
    return `v=${this.value()} w=${this.value()}; IFS=${this.ifs()}; ${loop}; IFS=' '`;
  }

  /** With -r: dash loses an escaped character at the end of a line. */
  reading(): string {
    const names = this.pick(['a', 'a b', 'a b c']);
    const line = this.value().replace('\t', '\\');
    return `unset a b c; IFS=${this.ifs()}; read -r ${names} <<E\n${line}\nE\nIFS=' '; printf '{%s}' "$a" "$b" "$c"`;
  }

  pattern(): string {
    const text = this.some(5, ['a', 'b', 'x', ':', '*', '[', '-']);
    const pieces = [
      '*',
      '?',
      '[ab]',
      '[!a]',
      'a',
      'b',
      ':',
      '\\*',
      '"*"',
      '[a-c]',
      '[x',
      ']',
      '-',
      '$w',
    ];
    const p = this.some(5, pieces);
    const w = this.some(3, ['a', 'b', '*', '?']);
    const forms = ['#', '##', '%', '%%'].map((op) => `\${v${op}${p}}`).join('|');
    const test = `case $v in ${p === '' ? '""' : p}) echo m;; *) echo n;; esac`;
    return `v='${text}' w='${w}'; ${test}; printf '%s' "${forms}|\${v#"$w"}|\${v%%$w}"`;
  }

  arithmetic(): string {
    const numbers = [
      '0',
      '1',
      '-1',
      '7',
      '010',
      '0x1f',
      '2147483647',
      'x',
      'y',
      '123456789',
      '(3)',
    ];
    const big = ['9223372036854775806', '3037000500', '-4611686018427387905', '9007199254740993'];
    const operators = [
      '+',
      '-',
      '*',
      '/',
      '%',
      '&',
      '|',
      '^',
      '&&',
      '||',
      '==',
      '!=',
      '<',
      '<=',
      '>',
    ];
    let text = this.pick(numbers);
    for (let n = this.below(4); n > 0; n--) {
      const operator = this.pick(operators);
      const sign = this.pick(['', '', '~', '!']);
      // The smallest number by -1: dash dies of it (differences.txt).
      const operand = /[/%]/.test(operator)
        ? this.pick(['0', '1', '7', '010', '0x1f', '(3)', 'y'])
        : sign + this.pick([...numbers, ...big]);
      text += ` ${operator} ${operand}`;
    }
    const x = this.pick(['3', '-4', '010', '0x10', '']);
    return `x=${x} y=12; (echo $((${text}))) 2>/dev/null || echo error`;
  }

  printing(): string {
    const numbers = ['0', '1', '-1', '42', '255', '010', '0x1f', `"'a"`, '7 8', '65535'];
    const integers = [
      '%d',
      '%5d',
      '%-5d',
      '%05d',
      '%+d',
      '% d',
      '%x',
      '%#x',
      '%#o',
      '%u',
      '%5.3d',
      '%X',
    ];
    const others = [
      '%s',
      '%5s',
      '%-5s',
      '%.1s',
      '%c',
      '%.0f',
      '%.1f',
      '%10.3f',
      '%.2e',
      '%g',
      '%.3g',
    ];
    return `printf '${this.pick([...integers, ...others])}|' ${this.pick(numbers)}`;
  }
}

export function randomScript(seed: number, lineCount: number): string {
  const writer = new Writer(seed);
  const lines = ['set -f; unset n; set -- "a b" "" c'];
  for (let i = 0; i < lineCount; i++) {
    const makers = ['splitting', 'reading', 'pattern', 'arithmetic', 'printing'] as const;
    const maker = makers[i % makers.length] ?? 'splitting';
    lines.push(writer[maker](), `echo ' ${i}'`);
  }
  return `${lines.join('\n')}\n`;
}

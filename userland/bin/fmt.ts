// fmt: fills paragraphs. The lines of a paragraph are chosen together, so that their ends are as even as
// they can be (Knuth and Plass, "Breaking Paragraphs into Lines", 1981). GNU fmt -c -s -t -u -w -p.

import { encodeText } from '../../kernel/abi/text.ts';
import { program, type Tool } from '../libc/program.ts';
import { toLatin1 } from '../libc/text/latin1.ts';
import { parseCount } from '../libc/text/numbers.ts';
import { quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-cstu] [-w WIDTH] [-g GOAL] [-p PREFIX] [FILE]...',
    short: 'cg:p:stuw:',
    long: {
      'crown-margin': 'c',
      'goal=': 'g',
      'prefix=': 'p',
      'split-only': 's',
      'tagged-paragraph': 't',
      'uniform-spacing': 'u',
      'width=': 'w',
    },
    rewrite: (args) => args.map((arg) => (/^-\d+$/.test(arg) ? `-w${arg.slice(1)}` : arg)),
  },
  (tool, options) => {
    const number = (name: string): number | undefined => {
      const text = options.value(name);
      if (text === undefined) return undefined;
      const value = parseCount(text);
      if (value === undefined || value > 2500)
        return tool.die(`invalid width: ${quotedArgument(text)}`);
      return value;
    };
    const goal = number('g');
    const width = number('w') ?? (goal === undefined ? 75 : goal + 10);
    const filler = new Filler(tool, {
      width,
      goal: goal ?? Math.floor((width * 187) / 200),
      prefix: toLatin1(encodeText(options.value('p') ?? '')),
      splitOnly: options.has('s'),
      uniform: options.has('u'),
      margins: options.has('c') ? 'crown' : options.has('t') ? 'tagged' : 'same',
    });
    tool.eachInput(options.operands, (input) => {
      for (let line = input.line(); line !== undefined; line = input.line())
        filler.line(toLatin1(line));
      filler.end();
    });
  },
);

interface Plan {
  readonly width: number;
  readonly goal: number;
  readonly prefix: string;
  readonly splitOnly: boolean;
  readonly uniform: boolean;
  readonly margins: 'crown' | 'tagged' | 'same';
}

interface Word {
  readonly text: string;
  /** Blanks behind it. */
  space: number;
  /** Ends like a sentence; it is one when two blanks or the end of a line follow. */
  readonly period: boolean;
  final: boolean;
  /** Ends with other punctuation; begins with a parenthesis or a quote. */
  readonly punctuated: boolean;
  readonly opens: boolean;
}

/** What breaks cost, so that paragraphs come out as GNU fmt has them. */
const LINE = 70 ** 2;
const SENTENCE_BONUS = 50 ** 2;
const NO_BREAK = 600 ** 2;
const PUNCTUATION_BONUS = 40 ** 2;
const WIDOW = 200 ** 2;
const ORPHAN = 150 ** 2;

class Filler {
  readonly #tool: Tool;
  readonly #plan: Plan;
  #words: Word[] = [];
  #indents: number[] = [];

  constructor(tool: Tool, plan: Plan) {
    this.#tool = tool;
    this.#plan = plan;
  }

  line(line: string): void {
    const { prefix, splitOnly } = this.#plan;
    const lead = /^[ \t]*/.exec(line)?.[0] ?? '';
    if (prefix !== '' && !line.slice(lead.length).startsWith(prefix)) {
      this.end();
      this.#tool.out.latin1(`${line}\n`);
      return;
    }
    const body = line.slice(prefix === '' ? 0 : lead.length + prefix.length);
    const text = expanded(body);
    const indent = text.length - text.trimStart().length;
    if (text.trim() === '') {
      this.end();
      this.#tool.out.latin1(prefix === '' ? '\n' : `${lead}${prefix.trimEnd()}\n`);
      return;
    }
    if (this.#words.length > 0 && !this.#continues(indent)) this.end();
    this.#indents.push(indent);
    this.#add(text.trim());
    if (splitOnly) this.end();
  }

  end(): void {
    if (this.#words.length > 0) this.#print();
    this.#words = [];
    this.#indents = [];
  }

  #continues(indent: number): boolean {
    const [first = 0, second] = this.#indents;
    const { margins } = this.#plan;
    if (margins === 'same') return indent === first;
    if (second !== undefined) return indent === second;
    return margins === 'crown' || indent !== first;
  }

  #add(text: string): void {
    const last = this.#words.at(-1);
    if (last) {
      last.final = last.period;
      last.space = last.final ? 2 : 1;
    }
    for (const [, word = '', blanks = ''] of text.matchAll(/(\S+)(\s*)/g)) {
      const period = /[.?!]["')\]]*$/.test(word);
      const final = period && (blanks.length > 1 || blanks === '');
      const space = this.#plan.uniform ? (final ? 2 : 1) : Math.max(1, blanks.length);
      const punctuated = /[!-/:-@[-`{-~]$/.test(word);
      this.#words.push({
        text: word,
        space,
        period,
        final,
        punctuated,
        opens: /^[(['"`]/.test(word),
      });
    }
  }

  /** The cheapest breaks, from the last word backwards. */
  #print(): void {
    const count = this.#words.length;
    const plan = {
      costs: new Float64Array(count + 1),
      breaks: new Int32Array(count),
      lengths: new Float64Array(count + 1),
    };
    for (let start = count - 1; start >= 0; start--) this.#choose(start, plan);
    this.#emit(plan.breaks);
  }

  /** The best end for the line that begins with a word, once those behind it are known. */
  #choose(start: number, { costs, breaks, lengths }: Plans): void {
    const count = this.#words.length;
    let best = Number.POSITIVE_INFINITY;
    let length = this.#indent(start);
    for (let end = start + 1; end <= count; end++) {
      length += this.#words[end - 1]?.text.length ?? 0;
      if (length >= this.#plan.width && end > start + 1) break;
      let cost = costs[end] ?? 0;
      if (end < count) {
        cost += ((this.#plan.goal - length) * 10) ** 2;
        if ((breaks[end] ?? count) < count) cost += ((length - (lengths[end] ?? 0)) * 10) ** 2 / 2;
      }
      if (cost < best) {
        best = cost;
        breaks[start] = end;
        lengths[start] = length;
      }
      length += this.#words[end - 1]?.space ?? 1;
    }
    costs[start] = best + this.#breakCost(start);
  }

  /** What it costs to begin a line with this word. */
  #breakCost(start: number): number {
    const word = this.#words[start];
    const [before, secondBefore] = [this.#words[start - 1], this.#words[start - 2]];
    let cost = LINE;
    if (before?.period) cost += before.final ? -SENTENCE_BONUS : NO_BREAK;
    else if (before?.punctuated) cost -= PUNCTUATION_BONUS;
    else if (before && secondBefore?.final) cost += WIDOW / (before.text.length + 2);
    if (word?.opens) cost -= PUNCTUATION_BONUS;
    else if (word?.final) cost += ORPHAN / (word.text.length + 2);
    return cost;
  }

  #indent(start: number): number {
    const [first = 0, given] = this.#indents;
    // One tagged line has its other lines indented, so that they would be read as such.
    const usual = this.#plan.margins !== 'tagged' ? first : first === 0 ? 3 : 0;
    return (start === 0 ? first : (given ?? usual)) + this.#plan.prefix.length;
  }

  #emit(breaks: Int32Array): void {
    for (let start = 0; start < this.#words.length; start = breaks[start] ?? this.#words.length) {
      const end = breaks[start] ?? this.#words.length;
      const indent = ' '.repeat(this.#indent(start) - this.#plan.prefix.length);
      let line = this.#plan.prefix + indent;
      for (let i = start; i < end; i++) {
        const word = this.#words[i];
        line += (word?.text ?? '') + (i + 1 < end ? ' '.repeat(word?.space ?? 1) : '');
      }
      this.#tool.out.latin1(`${line}\n`);
    }
  }
}

/** For each word, were a line to begin with it. */
interface Plans {
  readonly costs: Float64Array;
  /** The word behind the line's last. */
  readonly breaks: Int32Array;
  readonly lengths: Float64Array;
}

function expanded(text: string): string {
  let out = '';
  for (const c of text) out += c === '\t' ? ' '.repeat(8 - (out.length % 8)) : c;
  return out;
}

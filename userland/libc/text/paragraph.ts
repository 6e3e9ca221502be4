// The words of a paragraph and the lines that they fall into: all breaks are chosen together, so that the
// ends of the lines are as even as they can be (Knuth and Plass, "Breaking Paragraphs into Lines", 1981).

export interface Word {
  readonly text: string;
  /** Blanks behind it. */
  space: number;
  /** Ends like a sentence; it is one when two blanks or the end of a line follow. */
  period: boolean;
  final: boolean;
  /** Ends with punctuation; begins with a parenthesis or a quote. */
  readonly punctuated: boolean;
  readonly opens: boolean;
}

export interface Measure {
  readonly width: number;
  readonly goal: number;
  /** Columns before the first line's words, and the others'. */
  readonly first: number;
  readonly other: number;
  /** How long the line before the paragraph is; 0 = there is none. */
  readonly before: number;
}

/** For each word, were a line to begin with it. */
export interface Breaks {
  readonly costs: Float64Array;
  /** The word behind the line's last. */
  readonly ends: Int32Array;
  readonly lengths: Float64Array;
}

/** What breaks cost, so that paragraphs come out as GNU fmt has them. */
const LINE = 70 ** 2;
const SENTENCE_BONUS = 50 ** 2;
const NO_BREAK = 600 ** 2;
const PUNCTUATION_BONUS = 40 ** 2;
const WIDOW = 200 ** 2;
const ORPHAN = 150 ** 2;
const SPLIT_CREDIT = 3 ** 2;

export function wordOf(text: string): Word {
  return {
    text,
    space: 1,
    period: /[.?!][)\]'"]*$/.test(text),
    final: false,
    punctuated: /[!-/:-@[-`{-~]$/.test(text),
    opens: /^[(['"`]/.test(text),
  };
}

/** The cheapest breaks, from the last word backwards. */
export function breaksOf(words: readonly Word[], measure: Measure): Breaks {
  const count = words.length;
  const breaks = {
    costs: new Float64Array(count + 1),
    ends: new Int32Array(count + 1),
    lengths: new Float64Array(count + 1),
  };
  for (let start = count - 1; start >= 0; start--) choose(words, start, { breaks, measure });
  return breaks;
}

/** Of a paragraph that goes on: the word that begins a line behind the cheapest break. */
export function splitPoint(count: number, { costs, ends }: Breaks): number {
  let split = count;
  let best = Number.POSITIVE_INFINITY;
  for (let at = ends[0] ?? count; at < count; at = ends[at] ?? count) {
    const cost = (costs[at] ?? 0) - (costs[ends[at] ?? count] ?? 0);
    if (cost < best) {
      split = at;
      best = cost;
    }
    best += SPLIT_CREDIT; // later ones are better at the same price
  }
  return split;
}

/** The best end for the line that begins with a word, once those behind it are known. */
function choose(
  words: readonly Word[],
  start: number,
  { breaks, measure }: { breaks: Breaks; measure: Measure },
): void {
  const { width, goal, before } = measure;
  const count = words.length;
  let best = Number.POSITIVE_INFINITY;
  let length = start === 0 ? measure.first : measure.other;
  for (let end = start + 1; end <= count; end++) {
    length += words[end - 1]?.text.length ?? 0;
    if (length >= width && end > start + 1) break;
    let cost = breaks.costs[end] ?? 0;
    if (end < count) {
      cost += short(goal - length);
      if ((breaks.ends[end] ?? count) < count)
        cost += short(length - (breaks.lengths[end] ?? 0)) / 2;
    }
    if (start === 0 && before > 0) cost += short(length - before) / 2;
    if (cost < best) {
      best = cost;
      breaks.ends[start] = end;
      breaks.lengths[start] = length;
    }
    length += words[end - 1]?.space ?? 1;
  }
  breaks.costs[start] = best + breakCost(words, start);
}

const short = (columns: number): number => (columns * 10) ** 2;

/** What it costs to begin a line with this word. */
function breakCost(words: readonly Word[], start: number): number {
  const word = words[start];
  const [before, secondBefore] = [words[start - 1], words[start - 2]];
  let cost = LINE;
  if (before?.period) cost += before.final ? -SENTENCE_BONUS : NO_BREAK;
  else if (before?.punctuated) cost -= PUNCTUATION_BONUS;
  else if (before && secondBefore?.final) cost += Math.floor(WIDOW / (before.text.length + 2));
  if (word?.opens) cost -= PUNCTUATION_BONUS;
  else if (word?.final) cost += Math.floor(ORPHAN / (word.text.length + 2));
  return cost;
}

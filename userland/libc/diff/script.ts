// The shortest way from one list of lines to another: Myers, "An O(ND) Difference Algorithm and Its
// Variations" (1986), in linear space, from both ends at once. A search that costs too much settles
// for a way that is not the shortest.

/** Lines aStart … aStart+aCount of the first are replaced by bStart … bStart+bCount of the second. */
export interface Change {
  readonly aStart: number;
  readonly aCount: number;
  readonly bStart: number;
  readonly bCount: number;
}

/** Diagonals searched for one split before any split will do. */
const MOST_COST = 4096;

/** Lines are numbers: equal lines have the same. In order, never touching each other. */
export function editScript(a: Int32Array, b: Int32Array): Change[] {
  const marks = { a: new Uint8Array(a.length), b: new Uint8Array(b.length) };
  // A line that the other side has nowhere is changed, whichever way is taken: the rest is searched.
  const left = sharedLines(a, new Set(b), marks.a);
  const right = sharedLines(b, new Set(a), marks.b);
  const found = { a: new Uint8Array(left.length), b: new Uint8Array(right.length) };
  const lines = { a: left.map((i) => a[i] ?? 0), b: right.map((i) => b[i] ?? 0) };
  const whole = { aFrom: 0, aTo: left.length, bFrom: 0, bTo: right.length };
  new Search(lines.a, lines.b, found).run(whole);
  for (const [i, at] of left.entries()) if (found.a[i]) marks.a[at] = 1;
  for (const [i, at] of right.entries()) if (found.b[i]) marks.b[at] = 1;
  slide({ lines: a, changed: marks.a, other: marks.b });
  slide({ lines: b, changed: marks.b, other: marks.a });
  return changesOf(marks.a, marks.b);
}

/** Where the lines stand that the other side has, too; the others are marked. */
function sharedLines(lines: Int32Array, others: Set<number>, marks: Uint8Array): Int32Array {
  const shared: number[] = [];
  for (const [i, line] of lines.entries()) {
    if (others.has(line)) shared.push(i);
    else marks[i] = 1;
  }
  return Int32Array.from(shared);
}

interface Box {
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
}

class Search {
  readonly #a: Int32Array;
  readonly #b: Int32Array;
  readonly #marks: { a: Uint8Array; b: Uint8Array };
  /** The furthest place in `a` on each diagonal a - b, from the start and from the end. */
  readonly #forward: Int32Array;
  readonly #backward: Int32Array;
  readonly #zero: number;

  constructor(a: Int32Array, b: Int32Array, marks: { a: Uint8Array; b: Uint8Array }) {
    this.#a = a;
    this.#b = b;
    this.#marks = marks;
    const diagonals = a.length + b.length + 3;
    this.#forward = new Int32Array(diagonals);
    this.#backward = new Int32Array(diagonals);
    this.#zero = b.length + 1;
  }

  run(whole: Box): void {
    const boxes = [whole];
    for (let box = boxes.pop(); box !== undefined; box = boxes.pop()) {
      const inner = this.#trimmed(box);
      const { aFrom, aTo, bFrom, bTo } = inner;
      if (aFrom === aTo) this.#marks.b.fill(1, bFrom, bTo);
      else if (bFrom === bTo) this.#marks.a.fill(1, aFrom, aTo);
      else {
        const { x, y } = this.#split(inner);
        boxes.push({ aFrom: x, aTo, bFrom: y, bTo }, { aFrom, aTo: x, bFrom, bTo: y });
      }
    }
  }

  #trimmed(box: Box): Box {
    let { aFrom, aTo, bFrom, bTo } = box;
    while (aFrom < aTo && bFrom < bTo && this.#a[aFrom] === this.#b[bFrom]) {
      aFrom++;
      bFrom++;
    }
    while (aFrom < aTo && bFrom < bTo && this.#a[aTo - 1] === this.#b[bTo - 1]) {
      aTo--;
      bTo--;
    }
    return { aFrom, aTo, bFrom, bTo };
  }

  /** A place on the shortest way through the box, about in its middle. */
  #split(box: Box): { x: number; y: number } {
    const { aFrom, aTo, bFrom, bTo } = box;
    const forward = this.#forward;
    const backward = this.#backward;
    const zero = this.#zero;
    const first = aFrom - bFrom;
    const last = aTo - bTo;
    const odd = ((first - last) & 1) !== 0;
    const [least, most] = [aFrom - bTo, aTo - bFrom];
    let [fLow, fHigh, bLow, bHigh] = [first, first, last, last];
    forward[zero + first] = aFrom;
    backward[zero + last] = aTo;
    for (let cost = 1; ; cost++) {
      if (fLow > least) forward[zero + --fLow - 1] = -1;
      else fLow++;
      if (fHigh < most) forward[zero + ++fHigh + 1] = -1;
      else fHigh--;
      for (let d = fHigh; d >= fLow; d -= 2) {
        const x = this.#slideForward(d, box);
        if (odd && bLow <= d && d <= bHigh && (backward[zero + d] ?? 0) <= x)
          return { x, y: x - d };
      }
      if (bLow > least) backward[zero + --bLow - 1] = aTo + 1;
      else bLow++;
      if (bHigh < most) backward[zero + ++bHigh + 1] = aTo + 1;
      else bHigh--;
      for (let d = bHigh; d >= bLow; d -= 2) {
        const x = this.#slideBackward(d, box);
        if (!odd && fLow <= d && d <= fHigh && x <= (forward[zero + d] ?? 0))
          return { x, y: x - d };
      }
      if (cost >= MOST_COST) return this.#best(box, { low: fLow, high: fHigh });
    }
  }

  #slideForward(d: number, { aTo, bTo }: Box): number {
    const at = this.#zero + d;
    const below = this.#forward[at - 1] ?? -1;
    const above = this.#forward[at + 1] ?? -1;
    let x = below < above ? above : below + 1;
    while (x < aTo && x - d < bTo && this.#a[x] === this.#b[x - d]) x++;
    this.#forward[at] = x;
    return x;
  }

  #slideBackward(d: number, { aFrom, bFrom }: Box): number {
    const at = this.#zero + d;
    const below = this.#backward[at - 1] ?? 0;
    const above = this.#backward[at + 1] ?? 0;
    let x = below < above ? below : above - 1;
    while (x > aFrom && x - d > bFrom && this.#a[x - 1] === this.#b[x - d - 1]) x--;
    this.#backward[at] = x;
    return x;
  }

  /** Where the search from the start came furthest. */
  #best({ aTo, bTo, aFrom, bFrom }: Box, { low, high }: { low: number; high: number }) {
    let best = { x: aFrom, y: bFrom };
    for (let d = high; d >= low; d -= 2) {
      const x = Math.min(this.#forward[this.#zero + d] ?? -1, aTo);
      const y = Math.min(x - d, bTo);
      if (x + y > best.x + best.y && x >= aFrom && y >= bFrom) best = { x: y + d, y };
    }
    return best;
  }
}

/**
 * A run of changed lines may begin later when the line behind it equals its first: it is moved as far
 * down as it goes, runs that meet become one, and where it can it lies opposite a run of the other file.
 */
function slide(side: { lines: Int32Array; changed: Uint8Array; other: Uint8Array }): void {
  const { lines, changed, other } = side;
  const end = lines.length;
  const at = (marks: Uint8Array, i: number): boolean => marks[i] === 1;
  for (let i = 0, j = 0; ; ) {
    while (i < end && !at(changed, i)) {
      while (at(other, j)) j++;
      j++;
      i++;
    }
    if (i >= end) return;
    let start = i;
    while (at(changed, i)) i++;
    while (at(other, j)) j++;
    let opposite = end;
    for (let length = -1; length !== i - start; ) {
      length = i - start;
      while (start > 0 && lines[start - 1] === lines[i - 1]) {
        changed[--start] = 1;
        changed[--i] = 0;
        while (start > 0 && at(changed, start - 1)) start--;
        do j--;
        while (at(other, j));
      }
      opposite = j > 0 && at(other, j - 1) ? i : end;
      while (i < end && lines[start] === lines[i]) {
        changed[start++] = 0;
        changed[i++] = 1;
        while (at(changed, i)) i++;
        j++;
        while (at(other, j)) {
          opposite = i;
          j++;
        }
      }
    }
    while (opposite < i) {
      changed[--start] = 1;
      changed[--i] = 0;
      do j--;
      while (at(other, j));
    }
  }
}

function changesOf(a: Uint8Array, b: Uint8Array): Change[] {
  const changes: Change[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const [aStart, bStart] = [i, j];
    while (a[i] === 1) i++;
    while (b[j] === 1) j++;
    if (i > aStart || j > bStart)
      changes.push({ aStart, aCount: i - aStart, bStart, bCount: j - bStart });
    else {
      i++;
      j++;
    }
  }
  return changes;
}

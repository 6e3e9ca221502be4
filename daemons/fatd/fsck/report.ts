// What a check found, by kind: some of it a power cut may leave by rights (careful order), the rest is damage.

/** Kinds of what can be wrong. */
export type Kind =
  | 'boot' // the backup of the boot sector differs
  | 'dirty' // the volume was not unmounted
  | 'copies' // the copies of the table differ
  | 'lost' // clusters in use that nothing names
  | 'tail' // a chain that is longer than its file
  | 'short' // a chain that is shorter than its file
  | 'range' // a chain that leads to what is no cluster in use
  | 'cross' // a cluster in two chains, or twice in one
  | 'name' // a name that cannot be
  | 'duplicate' // two entries with one name
  | 'dots' // '.' and '..'
  | 'orphan' // parts of a long name without their entry
  | 'entry' // fields that contradict each other
  | 'count'; // the number of free clusters

export interface Problem<K extends string = Kind> {
  readonly kind: K;
  readonly text: string;
}

const PROBLEMS_MAX = 2000;

export class Report<K extends string = Kind> {
  readonly problems: Problem<K>[] = [];
  /** How many there are, those that are not in the list included. */
  count = 0;

  bad(kind: K, text: string): void {
    this.count++;
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ kind, text });
  }
}

// What a check found, in words: bounded, as a damaged volume may have one wrong thing in each record.

const PROBLEMS_MAX = 2000;

export class Report {
  readonly problems: string[] = [];
  #more = 0;

  bad(what: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(what);
    else this.#more++;
  }

  /** How many there are, those that are not in the list included. */
  get count(): number {
    return this.problems.length + this.#more;
  }
}

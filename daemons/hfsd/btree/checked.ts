// Which nodes were looked through since their blocks changed last: to do it once for each content, and not
// once for each request.

/** Nodes are forgotten all at once when there are so many. */
const NODES_MAX = 65_536;

export class CheckedNodes {
  readonly #versions = new Map<number, number>();

  /** Was this node found sound with this content? */
  has(tree: number, node: number, version: number): boolean {
    return this.#versions.get(keyOf(tree, node)) === version;
  }

  add(tree: number, node: number, version: number): void {
    if (this.#versions.size >= NODES_MAX) this.#versions.clear();
    this.#versions.set(keyOf(tree, node), version);
  }
}

/** Trees are the files 3, 4 and 8 of a volume. */
const keyOf = (tree: number, node: number): number => node * 16 + tree;

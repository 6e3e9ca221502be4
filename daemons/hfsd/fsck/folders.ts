// The catalog as a tree of folders: every file and folder is in a folder, every folder leads to the
// root, hard links lead to files that count them, folders count what is in them.

import type { Item } from '../catalog/item.ts';
import { INODE, TEMP } from '../catalog/private.ts';
import { EMPTY_FORK, type Run } from '../fork/fork-data.ts';
import { HARD_LINK, NAMELESS_ID, PRIVATE_FOLDER, ROOT_ID, ROOT_PARENT_ID } from '../ondisk.ts';
import { type Entries, type Entry, nameOf } from './entries.ts';
import { viewOf } from './tree.ts';

const LOST = 'lost+found';
const INVISIBLE = 0x5000; // and its name is locked

/** A file of the volume's own in the root. */
export interface OwnFile {
  readonly name: string;
  readonly run: Run;
  readonly sizeBytes: number;
}

export class Folders {
  readonly #entries: Entries;
  readonly #now: number;
  #lost: Entry | undefined;

  constructor(entries: Entries, now: number) {
    this.#entries = entries;
    this.#now = now;
  }

  check(own: readonly OwnFile[]): void {
    this.#root();
    this.#lostFolders();
    for (const file of own) this.#ownFile(file);
    const hidden = this.#privateFolder();
    this.#nameless(hidden);
    this.#parents();
    if (hidden !== undefined) this.#links(hidden);
    this.#entries.checkThreads();
    this.#valences();
  }

  #root(): void {
    const entries = this.#entries;
    const root = entries.byId.get(ROOT_ID);
    if (root?.item.kind === 'folder' && root.item.key.parent === ROOT_PARENT_ID) return;
    entries.bad('catalog: there is no root folder');
    if (root !== undefined) entries.drop(root);
    const told = entries.lostFolders().find(([cnid]) => cnid === ROOT_ID)?.[1];
    const key = { parent: ROOT_PARENT_ID, name: told?.name || 'untitled' };
    entries.make('folder', { cnid: ROOT_ID, key, now: this.#now });
  }

  /** Folders whose threads are left are made again, where something is in them. */
  #lostFolders(): void {
    const entries = this.#entries;
    const wanted = new Set<number>();
    const taken = new Set<string>();
    for (const { item } of entries.list) {
      wanted.add(item.key.parent);
      taken.add(`${item.key.parent} ${item.key.name.toLowerCase()}`);
    }
    const lost = new Map(entries.lostFolders());
    // Those that lead to them, too.
    for (const cnid of wanted) {
      const parent = lost.get(cnid)?.parent;
      if (parent !== undefined) wanted.add(parent);
    }
    for (const [cnid, key] of lost) {
      const place = `${key.parent} ${key.name.toLowerCase()}`;
      if (!wanted.has(cnid) || taken.has(place) || key.name === '') continue;
      entries.bad(`folder ${cnid} '${key.name}': its thread alone is left`);
      entries.make('folder', { cnid, key, now: this.#now });
      taken.add(place);
    }
  }

  /** The journal lies in files, which keep its blocks from others. */
  #ownFile({ name, run, sizeBytes }: OwnFile): void {
    const entries = this.#entries;
    const key = { parent: ROOT_ID, name };
    if (entries.find((item) => item.key.parent === ROOT_ID && item.key.name === name)) return;
    entries.bad(`catalog: '${name}' is missing`);
    const { item } = entries.make('file', { cnid: entries.takeCnid(), key, now: this.#now });
    item.mode = 0o100000;
    viewOf(item.finderInfo).setUint16(8, INVISIBLE);
    item.data = { ...EMPTY_FORK, size: sizeBytes, blocks: run.count, extents: [run] };
  }

  #privateFolder(): Entry | undefined {
    if (this.#entries.volume.kind === 'hfs') return undefined;
    return this.#entries.find(
      ({ key, kind }) => kind === 'folder' && key.parent === ROOT_ID && key.name === PRIVATE_FOLDER,
    );
  }

  /** Files that were open without a name when the system ended. */
  #nameless(hidden: Entry | undefined): void {
    const parent = hidden?.item.cnid ?? NAMELESS_ID;
    if (hidden === undefined && this.#entries.volume.kind === 'hfs+') return;
    for (const entry of [...this.#entries.list]) {
      const { key } = entry.item;
      if (key.parent !== parent || !key.name.startsWith(TEMP)) continue;
      this.#entries.bad(`${nameOf(entry.item)}: deleted, but not yet gone`);
      this.#entries.drop(entry);
    }
  }

  /** Whoever does not lead to the root goes to lost+found. */
  #parents(): void {
    const { byId, list } = this.#entries;
    const leads = new Map<number, 'root' | 'under way'>([[ROOT_ID, 'root']]);
    for (const entry of [...list]) {
      const path: Entry[] = [];
      for (let at: Entry = entry; !leads.has(at.item.cnid); ) {
        path.push(at);
        leads.set(at.item.cnid, 'under way');
        const up = byId.get(at.item.key.parent);
        if (up?.item.kind === 'folder' && leads.get(up.item.cnid) !== 'under way') {
          at = up;
          continue;
        }
        const why = up?.item.kind === 'folder' ? 'it is inside itself' : 'its folder is not there';
        this.#entries.bad(`${nameOf(at.item)}: ${why}`);
        this.#entries.move(at, this.#placeInLost(at.item, leads));
        break;
      }
      for (const { item } of path) leads.set(item.cnid, 'root');
    }
  }

  #placeInLost(item: Item, leads: Map<number, 'root' | 'under way'>) {
    const entries = this.#entries;
    this.#lost ??= entries.find(
      ({ key, kind }) => kind === 'folder' && key.parent === ROOT_ID && key.name === LOST,
    );
    this.#lost ??= entries.make('folder', {
      cnid: entries.takeCnid(),
      key: { parent: ROOT_ID, name: LOST },
      now: this.#now,
    });
    const parent = this.#lost.item.cnid;
    leads.set(parent, 'root');
    const longest = entries.volume.names.longest;
    return { parent, name: `#${item.cnid} ${item.key.name}`.slice(0, longest) };
  }

  #links(hidden: Entry): void {
    const entries = this.#entries;
    const inodes = new Map<number, Entry>();
    for (const entry of entries.list) {
      const { kind, key } = entry.item;
      if (kind === 'file' && key.parent === hidden.item.cnid && key.name.startsWith(INODE))
        inodes.set(Number(key.name.slice(INODE.length)), entry);
    }
    const counts = new Map<number, number>();
    for (const entry of [...entries.list]) {
      if (!isLink(entry.item)) continue;
      const number = entry.item.special;
      counts.set(number, (counts.get(number) ?? 0) + 1);
      if (inodes.has(number)) continue;
      entries.bad(`${nameOf(entry.item)}: a hard link that leads to nothing`);
      entries.drop(entry);
    }
    for (const [number, entry] of inodes) {
      const count = counts.get(number) ?? 0;
      const { item } = entry;
      if (count === 0) {
        entries.bad(`${nameOf(item)}: no hard link leads to it`);
        entries.move(entry, this.#placeInLost(item, new Map()));
        item.special = 0;
      } else if (item.special !== count) {
        entries.bad(`${nameOf(item)}: ${item.special} hard links, there are ${count}`);
        item.special = count;
        entry.changed = true;
      }
    }
  }

  #valences(): void {
    const { byId, list } = this.#entries;
    const counts = new Map<number, number>();
    for (const { item } of list)
      counts.set(item.key.parent, (counts.get(item.key.parent) ?? 0) + 1);
    for (const entry of byId.values()) {
      const { item } = entry;
      const count = counts.get(item.cnid) ?? 0;
      if (item.kind !== 'folder' || item.valence === count) continue;
      if (entry.record !== undefined)
        this.#entries.bad(`${nameOf(item)}: ${item.valence} entries, there are ${count}`);
      item.valence = count;
      entry.changed = true;
    }
  }
}

export function isLink({ kind, finderInfo }: Item): boolean {
  const view = viewOf(finderInfo);
  return (
    kind === 'file' && view.getUint32(0) === HARD_LINK[0] && view.getUint32(4) === HARD_LINK[1]
  );
}

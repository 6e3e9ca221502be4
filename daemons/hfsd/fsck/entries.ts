// The catalog's records as a check has them: files, folders and threads, read from the leaves, put right
// in memory, and written back as records. TN1150, "Catalog File"; Inside Macintosh: Files.

import { PosixError } from '../../../kernel/abi/errno.ts';
import { readThread, writeThread } from '../catalog/catalog.ts';
import { type Item, newItem, readItem, writeItem } from '../catalog/item.ts';
import type { CatalogKey } from '../names/keys.ts';
import {
  FILE_RECORD,
  FILE_THREAD,
  FILE_THREAD_EXISTS,
  FIRST_USER_ID,
  FOLDER_THREAD,
  PlusFile,
  ROOT_ID,
} from '../ondisk.ts';
import type { Volume } from '../volume/volume.ts';
import type { Report } from './report.ts';
import { type TreeRecord, viewOf } from './tree.ts';

export interface Entry {
  item: Item;
  /** As it was read; undefined when the check made it. */
  readonly record: TreeRecord | undefined;
  changed: boolean;
}

interface Thread {
  readonly type: number;
  readonly to: CatalogKey;
  readonly record: TreeRecord | undefined;
}

export const nameOf = ({ cnid, kind, key }: Item): string =>
  `${kind} ${cnid} '${key.name.replaceAll('\0', '')}'`;

export class Entries {
  readonly volume: Volume;
  readonly #report: Report;
  /** All files and folders, in the order of the catalog. */
  readonly list = new Set<Entry>();
  readonly byId = new Map<number, Entry>();
  readonly #threads = new Map<number, Thread>();
  /** Something is not as it was read. */
  changed = false;
  #nextCnid: number;
  #largest = FIRST_USER_ID - 1;

  constructor(volume: Volume, report: Report, nextCnid: number) {
    this.volume = volume;
    this.#report = report;
    this.#nextCnid = nextCnid;
  }

  get anyChanged(): boolean {
    for (const { changed } of this.list) if (changed) return true;
    return false;
  }

  get nextCnid(): number {
    return this.#nextCnid;
  }

  bad(what: string): void {
    this.#report.bad(what);
    this.changed = true;
  }

  read(records: readonly TreeRecord[]): void {
    for (const record of records) this.#readRecord(record);
    const last = this.#largest;
    if (this.#nextCnid > last) return;
    this.#report.bad(`header: the next number is ${this.#nextCnid}, ${last} is in use`);
    this.#nextCnid = last + 1;
  }

  #readRecord(record: TreeRecord): void {
    const { volume } = this;
    const key = volume.keys.readCatalogKey(viewOf(record.key), 0);
    const where = `catalog: the record '${key.name}' in ${key.parent}`;
    const to = key.name === '' ? readThread(volume, record.data) : undefined;
    if (to !== undefined) {
      const type = volume.kind === 'hfs' ? (record.data[0] ?? 0) : viewOf(record.data).getUint16(0);
      this.#threads.set(key.parent, { type, to, record });
      return;
    }
    const smaller = withoutHugeSizes(volume, record.data);
    if (smaller !== undefined) this.bad(`${where}: an impossible size`);
    const item = readOrNot(volume, key, smaller ?? record.data);
    if (item === undefined || key.name === '') this.bad(`${where} is none`);
    else if (item.cnid < FIRST_USER_ID && item.cnid !== ROOT_ID)
      this.bad(`${where}: number ${item.cnid} is reserved`);
    else this.#add({ item, record, changed: smaller !== undefined });
  }

  #add(entry: Entry): void {
    const { item } = entry;
    if (this.byId.has(item.cnid)) {
      this.bad(`${nameOf(item)}: another has this number`);
      // Its extents in the overflow file, its threads and entries are the other's.
      entry.item = { ...item, cnid: this.takeCnid() };
      entry.changed = true;
    }
    this.#put(entry);
  }

  #put(entry: Entry): void {
    const { cnid } = entry.item;
    this.list.add(entry);
    this.byId.set(cnid, entry);
    this.#largest = Math.max(this.#largest, cnid);
  }

  takeCnid(): number {
    this.#nextCnid = Math.max(this.#nextCnid, this.#largest + 1);
    return this.#nextCnid++;
  }

  find(wanted: (item: Item) => boolean): Entry | undefined {
    for (const entry of this.list) if (wanted(entry.item)) return entry;
    return undefined;
  }

  make(
    kind: Item['kind'],
    { cnid, key, now }: { cnid: number; key: CatalogKey; now: number },
  ): Entry {
    const item = newItem(this.volume, { kind, cnid, key, now });
    item.mode = kind === 'folder' ? 0o40755 : 0o100644;
    const entry = { item, record: undefined, changed: true };
    this.#put(entry);
    return entry;
  }

  drop(entry: Entry): void {
    this.list.delete(entry);
    this.byId.delete(entry.item.cnid);
  }

  move(entry: Entry, key: CatalogKey): void {
    entry.item.key = key;
    entry.changed = true;
  }

  /** Folders of which the thread alone is left, with the place that it tells. */
  lostFolders(): [number, CatalogKey][] {
    const lost = [...this.#threads].filter(
      ([cnid, { type }]) => type === FOLDER_THREAD && !this.byId.has(cnid) && cnid >= ROOT_ID,
    );
    return lost.map(([cnid, { to }]) => [cnid, to]);
  }

  /** Threads against what they lead to. */
  checkThreads(): void {
    const kept = new Map<number, Thread>();
    for (const { item } of this.list) {
      const { cnid, kind, key, flags } = item;
      const thread = this.#threads.get(cnid);
      const type = kind === 'folder' ? FOLDER_THREAD : FILE_THREAD;
      const needed =
        kind === 'folder' || this.volume.kind === 'hfs+' || (flags & FILE_THREAD_EXISTS) !== 0;
      if (thread === undefined && !needed) continue;
      const right =
        thread?.type === type && thread.to.parent === key.parent && thread.to.name === key.name;
      if (!right) this.bad(`${nameOf(item)}: ${thread ? 'its thread is wrong' : 'no thread'}`);
      kept.set(cnid, right ? thread : { type, to: key, record: undefined });
    }
    for (const cnid of this.#threads.keys())
      if (!kept.has(cnid)) this.bad(`catalog: a thread of ${cnid}, which there is not`);
    this.#threads.clear();
    for (const [cnid, thread] of kept) this.#threads.set(cnid, thread);
  }

  /** What the catalog is to hold, in its order. */
  records(): TreeRecord[] {
    const { keys, catalogKey } = { keys: this.volume.keys.catalog, ...this.volume.keys };
    const out = [...this.list].map(({ item, record, changed }) =>
      record !== undefined && !changed
        ? record
        : { key: catalogKey(item.key), data: writeItem(this.volume, item) },
    );
    for (const [cnid, { type, to, record }] of this.#threads) {
      const key = catalogKey({ parent: cnid, name: '' });
      out.push(record ?? { key, data: writeThread(this.volume, type, to) });
    }
    return out.sort((a, b) => keys.compare(viewOf(a.key), 0, viewOf(b.key), 0));
  }
}

/** Undefined when the record is too short. */
function readOrNot(volume: Volume, key: CatalogKey, data: Uint8Array): Item | undefined {
  try {
    return readItem(volume, key, data);
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}

/** The record of a file with sizes that no number holds: none of them is right. Undefined: it is fine. */
function withoutHugeSizes(volume: Volume, data: Uint8Array): Uint8Array | undefined {
  if (volume.kind === 'hfs' || data.length < PlusFile.size) return undefined;
  const copy = data.slice();
  const view = viewOf(copy);
  if (view.getUint16(0) !== FILE_RECORD) return undefined;
  const { dataFork, resourceFork } = PlusFile.offsets;
  const huge = [dataFork, resourceFork].filter((at) => view.getUint32(at) >= 1 << 21);
  for (const at of huge) view.setUint32(at, 0);
  return huge.length > 0 ? copy : undefined;
}

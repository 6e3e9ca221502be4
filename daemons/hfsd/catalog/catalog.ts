// The catalog: files and folders by (parent, name), and by number: where they were seen last, else by their
// threads. On classic HFS most files have none: then the leaves are searched.

import { EEXIST, EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import { insert, remove, replace } from '../btree/change.ts';
import type { BTree } from '../btree/tree.ts';
import { type CatalogKey, putUnits, readUnits } from '../names/keys.ts';
import { FILE_THREAD, FILE_THREAD_EXISTS, FOLDER_THREAD } from '../ondisk.ts';
import { HfsThread } from '../ondisk-hfs.ts';
import type { Op } from '../op.ts';
import type { Volume } from '../volume/volume.ts';
import { type Item, readItem, writeItem } from './item.ts';

const PLACES_MAX = 65_536;

/** Where files and folders were seen. Believed only when they are there. */
export class Places {
  readonly #keys = new Map<number, CatalogKey>();

  get(cnid: number): CatalogKey | undefined {
    return this.#keys.get(cnid);
  }

  set(cnid: number, key: CatalogKey): void {
    if (this.#keys.size >= PLACES_MAX) this.#keys.clear();
    this.#keys.set(cnid, key);
  }
}

export class Catalog {
  readonly tree: BTree;
  readonly #op: Op;
  /** The one object of each file and folder in this request. */
  readonly #items = new Map<number, Item>();

  constructor(op: Op, tree: BTree) {
    this.#op = op;
    this.tree = tree;
  }

  /** What a folder has under this name. */
  lookup(key: CatalogKey): Item | undefined {
    const { vol } = this.#op;
    const found = this.tree.search(vol.keys.catalogKey(key));
    const leaf = found?.path[0];
    if (!found?.exact || leaf === undefined) return undefined;
    const own = vol.keys.readCatalogKey(leaf.node.view, leaf.node.offset(leaf.index));
    return this.hold(own, this.tree.data(leaf.node, leaf.index));
  }

  /** The item of a record, the same object each time. */
  hold(key: CatalogKey, record: Uint8Array): Item | undefined {
    const item = readItem(this.#op.vol, key, record);
    if (item === undefined) return undefined;
    const held = this.#items.get(item.cnid);
    if (held !== undefined && held.key.parent === key.parent && held.key.name === key.name)
      return held;
    this.#op.env.places.set(item.cnid, key);
    this.#items.set(item.cnid, item);
    return item;
  }

  /** The file or folder of this number, or undefined. */
  find(cnid: number): Item | undefined {
    const held = this.#items.get(cnid);
    if (held !== undefined) return held;
    const item =
      this.#at(this.#op.env.places.get(cnid), cnid) ?? this.#at(this.#threadOf(cnid), cnid);
    if (item !== undefined) return item;
    return this.#op.vol.kind === 'hfs' && cnid >= 16 ? this.#seek(cnid) : undefined;
  }

  /** What is there, if it is of this number. */
  #at(key: CatalogKey | undefined, cnid: number): Item | undefined {
    const item = key && this.lookup(key);
    return item?.cnid === cnid ? item : undefined;
  }

  /** Goes through a folder's files and folders, in the order of the catalog. */
  children(parent: number, visit: (item: Item) => boolean): void {
    const { keys } = this.#op.vol;
    this.tree.scan(keys.catalogKey({ parent, name: '' }), (node, index) => {
      const key = keys.readCatalogKey(node.view, node.offset(index));
      if (key.parent !== parent) return false;
      const item = readItem(this.#op.vol, key, this.tree.data(node, index));
      return item === undefined || visit(item);
    });
  }

  /** Adds a file or a folder with its thread; EEXIST when the name is taken. */
  add(item: Item): void {
    const { vol, env } = this.#op;
    if (item.key.name === '') fail(EEXIST);
    insert(this.tree, vol.keys.catalogKey(item.key), writeItem(vol, item));
    if (this.#hasThread(item)) this.#putThread(item);
    env.places.set(item.cnid, item.key);
    this.#items.set(item.cnid, item);
  }

  /** What changed about it. */
  save(item: Item): void {
    const { vol } = this.#op;
    replace(this.tree, vol.keys.catalogKey(item.key), writeItem(vol, item));
  }

  /** Gives it another name, or another folder. */
  move(item: Item, to: CatalogKey): void {
    const { vol, env } = this.#op;
    remove(this.tree, vol.keys.catalogKey(item.key));
    insert(this.tree, vol.keys.catalogKey(to), writeItem(vol, item));
    item.key = to;
    if (this.#hasThread(item)) {
      const key = vol.keys.catalogKey({ parent: item.cnid, name: '' });
      remove(this.tree, key);
      this.#putThread(item);
    }
    env.places.set(item.cnid, to);
  }

  delete(item: Item): void {
    const { vol } = this.#op;
    remove(this.tree, vol.keys.catalogKey(item.key));
    remove(this.tree, vol.keys.catalogKey({ parent: item.cnid, name: '' }));
    this.#items.delete(item.cnid);
  }

  #hasThread({ kind, flags }: Item): boolean {
    if (kind === 'folder' || this.#op.vol.kind === 'hfs+') return true;
    return (flags & FILE_THREAD_EXISTS) !== 0;
  }

  #putThread({ kind, cnid, key }: Item): void {
    const { vol } = this.#op;
    const type = kind === 'folder' ? FOLDER_THREAD : FILE_THREAD;
    insert(this.tree, vol.keys.catalogKey({ parent: cnid, name: '' }), writeThread(vol, type, key));
  }

  #threadOf(cnid: number): CatalogKey | undefined {
    const { vol } = this.#op;
    const record = this.tree.get(vol.keys.catalogKey({ parent: cnid, name: '' }));
    if (record === undefined) return undefined;
    return readThread(vol, record) ?? fail(EUCLEAN, `catalog: the thread of ${cnid} is damaged`);
  }

  /** Searches all leaves: when a worker took over from one that died and knew the place. */
  #seek(cnid: number): Item | undefined {
    const { keys } = this.#op.vol;
    let found: Item | undefined;
    this.tree.scan(keys.catalogKey({ parent: 0, name: '' }), (node, index) => {
      const key = keys.readCatalogKey(node.view, node.offset(index));
      const item = readItem(this.#op.vol, key, this.tree.data(node, index));
      if (item?.cnid === cnid) found = this.hold(key, this.tree.data(node, index));
      return found === undefined;
    });
    return found;
  }
}

/** A thread's record: where its file or folder is. */
export const writeThread = ({ kind }: Volume, type: number, key: CatalogKey): Uint8Array =>
  kind === 'hfs' ? hfsThread(type, key) : plusThread(type, key);

/** Undefined when it is no thread, or a damaged one. */
export function readThread({ kind }: Volume, record: Uint8Array): CatalogKey | undefined {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  return kind === 'hfs' ? readHfsThread(view) : readPlusThread(view);
}

function hfsThread(type: number, { parent, name }: CatalogKey): Uint8Array {
  const bytes = new Uint8Array(HfsThread.size);
  const thread = new HfsThread(new DataView(bytes.buffer));
  thread.cdrType = type;
  thread.thdParID = parent;
  thread.thdCName = Uint8Array.from([name.length, ...[...name].map((c) => c.charCodeAt(0))]);
  return bytes;
}

function plusThread(type: number, { parent, name }: CatalogKey): Uint8Array {
  const bytes = new Uint8Array(10 + 2 * name.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, type);
  view.setUint32(4, parent);
  putUnits(view, 8, name);
  return bytes;
}

function readHfsThread(view: DataView): CatalogKey | undefined {
  if (view.byteLength < HfsThread.size) return undefined;
  const { cdrType, thdParID, thdCName } = new HfsThread(view);
  const length = thdCName[0] ?? 0;
  if ((cdrType !== FOLDER_THREAD && cdrType !== FILE_THREAD) || length > 31) return undefined;
  const name = String.fromCharCode(...thdCName.subarray(1, 1 + length));
  return { parent: thdParID, name };
}

function readPlusThread(view: DataView): CatalogKey | undefined {
  if (view.byteLength < 10) return undefined;
  const type = view.getUint16(0);
  const length = view.getUint16(8);
  if (type !== FOLDER_THREAD && type !== FILE_THREAD) return undefined;
  if (length > 255 || 10 + 2 * length > view.byteLength) return undefined;
  return { parent: view.getUint32(4), name: readUnits(view, 8) };
}

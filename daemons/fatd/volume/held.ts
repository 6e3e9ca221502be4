// Files that are no longer where their inode number says: renamed or unlinked while somebody holds
// them, and the tails of chains that are being freed. FAT has no place for that on the disk: it lies in
// blocks of the cache behind the end of the volume, which outlive the worker and are never written.
//
//   block 0: byte i = records in use in block i; byte 0 = how the volume was found     blocks 1..: records

import { ENFILE, fail } from '../../../kernel/abi/errno.ts';
import { le64, struct } from '../../../kernel/abi/struct.ts';
import type { Block, Transaction } from '../../lib/transaction.ts';
import { SLOT } from '../ondisk.ts';

/** Blocks from here on are the cache's alone. */
export const HELD_BLOCK = 2 ** 40;

/** Behind it: what the format keeps of the file, then its entry when it has no name any more. */
const Record = struct('held_file', 32, {
  ino: le64(0x0), // 0 = free
  place: le64(0x8), // of its entry, in slots from the volume's start; or of the entry behind this
});
const NOTES_AT = 16; // 16 bytes
const NOTES = 16;
const ENTRY_AT = 32;
const CLEAN = 1;
const TABLE_BYTES = 256 * 1024;
const BLOCKS_MOST = 512;

/** A record, and where it lies. */
interface Place {
  readonly block: number;
  readonly at: number;
}
export interface HeldFile extends Place {
  readonly ino: number;
  readonly place: number;
}

interface Decoded {
  readonly version: number;
  readonly byIno: Map<number, HeldFile>;
  readonly byPlace: Map<number, HeldFile>;
}

export interface HeldOptions {
  readonly blockSize: number;
  readonly frames: number;
  /** Of what names a file, in whole slots. */
  readonly entrySize: number;
}

export class Held {
  readonly blockCount: number;
  readonly #blockSize: number;
  readonly #entrySize: number;
  readonly #recordSize: number;
  readonly #decoded = new Map<number, Decoded>();
  /** The version of block 0 in which no record is in use. */
  #emptyAt: number | undefined;

  constructor({ blockSize, frames, entrySize }: HeldOptions) {
    this.#blockSize = blockSize;
    this.#entrySize = entrySize;
    this.#recordSize = ENTRY_AT + entrySize;
    this.blockCount = Math.min(BLOCKS_MOST, TABLE_BYTES / blockSize, frames >> 4);
  }

  /** An empty table: the volume was not mounted before, or somebody had not unmounted it. */
  format(tx: Transaction, found: 'clean' | 'dirty'): void {
    this.#emptyAt = undefined;
    for (let i = 0; i < this.blockCount; i++) tx.create(HELD_BLOCK + i);
    tx.edit(HELD_BLOCK).view.setUint8(0, found === 'clean' ? CLEAN : 0);
  }

  /** How the first worker found the volume; the disk says 'dirty' since. */
  foundClean(tx: Transaction): boolean {
    return tx.read(HELD_BLOCK).bytes[0] === CLEAN;
  }

  byIno(tx: Transaction, ino: number): HeldFile | undefined {
    return this.#find(tx, (block) => block.byIno.get(ino));
  }

  /** The file whose entry lies there and who is known by another number. */
  byPlace(tx: Transaction, place: number): HeldFile | undefined {
    return this.#find(tx, (block) => block.byPlace.get(place));
  }

  all(tx: Transaction): HeldFile[] {
    const out: HeldFile[] = [];
    this.#find(tx, (block) => {
      out.push(...block.byIno.values());
      return undefined;
    });
    return out;
  }

  /** Its entry is elsewhere now; `place` of a file without a name: `entry`, kept in the record. */
  hold(tx: Transaction, ino: number, now: { place: number } | { entry: Uint8Array }): HeldFile {
    const at = this.byIno(tx, ino) ?? this.#freeRecord(tx);
    const record = this.#edit(tx, at);
    const place =
      'place' in now ? now.place : (at.block * this.#blockSize + at.at + ENTRY_AT) / SLOT;
    record.ino = ino;
    record.place = place;
    if ('entry' in now) tx.edit(at.block).bytes.set(now.entry, at.at + ENTRY_AT);
    return { ...at, ino, place };
  }

  /** The entry of a file that has no name. */
  entryOf(tx: Transaction, file: HeldFile): DataView {
    const { view } = tx.read(file.block);
    return new DataView(view.buffer, view.byteOffset + file.at + ENTRY_AT, this.#entrySize);
  }

  /** What the format keeps of it: zeroes at first. */
  notesOf(tx: Transaction, file: HeldFile): DataView {
    const { view } = tx.read(file.block);
    return new DataView(view.buffer, view.byteOffset + file.at + NOTES_AT, NOTES);
  }

  editNotes(tx: Transaction, file: HeldFile): DataView {
    const { view } = this.#edit(tx, file);
    return new DataView(view.buffer, view.byteOffset + file.at + NOTES_AT, NOTES);
  }

  release(tx: Transaction, file: HeldFile): void {
    const { view } = this.#edit(tx, file);
    new Uint8Array(view.buffer, view.byteOffset + file.at, this.#recordSize).fill(0);
    this.#count(tx, file.block, -1);
  }

  /**
   * Is `common`, the number that the file's place gives, still another's? Whoever was replaced there goes
   * by it as long as somebody holds him: the one who came keeps his own number until then.
   */
  othersNumber(tx: Transaction, file: HeldFile, common: number): boolean {
    return file.ino !== common && this.byIno(tx, common) !== undefined;
  }

  /** Has the file no name any more? */
  isNameless(file: HeldFile): boolean {
    return file.place >= (HELD_BLOCK * this.#blockSize) / SLOT;
  }

  #edit(tx: Transaction, { block, at }: Place) {
    this.#decoded.delete(block);
    return new Record(tx.edit(block).view, at);
  }

  #count(tx: Transaction, block: number, by: number): void {
    this.#emptyAt = undefined; // what a request changes again has the same version
    const { view } = tx.edit(HELD_BLOCK);
    const index = block - HELD_BLOCK;
    view.setUint8(index, view.getUint8(index) + by);
  }

  #freeRecord(tx: Transaction): Place {
    const counts = tx.read(HELD_BLOCK).bytes;
    const each = Math.floor(this.#blockSize / this.#recordSize);
    for (let i = 1; i < this.blockCount; i++) {
      if ((counts[i] ?? 0) >= each) continue;
      const block = tx.read(HELD_BLOCK + i);
      for (let i = 0; i < each; i++) {
        const at = i * this.#recordSize;
        if (new Record(block.view, at).ino !== 0) continue;
        this.#count(tx, block.no, 1);
        return { block: block.no, at };
      }
    }
    return fail(ENFILE, 'too many files are held without their names');
  }

  #find<T>(tx: Transaction, look: (block: Decoded) => T | undefined): T | undefined {
    const { bytes: counts, version } = tx.read(HELD_BLOCK);
    if (version === this.#emptyAt) return undefined;
    let empty = true;
    for (let i = 1; i < this.blockCount; i++) {
      if (counts[i] === 0) continue;
      empty = false;
      const found = look(this.#decode(tx.read(HELD_BLOCK + i)));
      if (found !== undefined) return found;
    }
    if (empty) this.#emptyAt = version;
    return undefined;
  }

  #decode({ no, view, version }: Block): Decoded {
    const known = this.#decoded.get(no);
    if (known?.version === version) return known;
    const byIno = new Map<number, HeldFile>();
    const byPlace = new Map<number, HeldFile>();
    for (let at = 0; at + this.#recordSize <= this.#blockSize; at += this.#recordSize) {
      const { ino, place } = new Record(view, at);
      const file = { ino, place, block: no, at };
      if (ino === 0) continue;
      byIno.set(ino, file);
      byPlace.set(place, file);
    }
    const decoded = { version, byIno, byPlace };
    this.#decoded.set(no, decoded);
    return decoded;
  }
}

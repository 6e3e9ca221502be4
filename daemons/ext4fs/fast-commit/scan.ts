// The fast-commit area of a journal: what was made durable since the last transaction, as a stream of
// entries. All up to the last tail whose checksum holds are to be replayed.
// Linux Documentation/filesystems/ext4/journal.rst, "Fast Commits".

import type { Task } from '../../../kernel/ipc/task.ts';
import { crc32c } from '../../lib/crc32c.ts';
import { EXT_INIT_MAX_LEN, ExtentLeaf, Inode128 } from '../ondisk.ts';
import {
  EXT4_FC_TAG_ADD_RANGE,
  EXT4_FC_TAG_CREAT,
  EXT4_FC_TAG_DEL_RANGE,
  EXT4_FC_TAG_HEAD,
  EXT4_FC_TAG_INODE,
  EXT4_FC_TAG_LINK,
  EXT4_FC_TAG_PAD,
  EXT4_FC_TAG_TAIL,
  EXT4_FC_TAG_UNLINK,
  FastAddRange,
  FastDelRange,
  FastDentry,
  FastHead,
  FastInode,
  FastTail,
  FastTl,
} from '../ondisk-journal.ts';

export interface FastRange {
  readonly kind: 'add' | 'cut';
  readonly ino: number;
  readonly lblock: number;
  readonly count: number;
  readonly pblock: number; // 0 of a range that was cut
  readonly unwritten: boolean;
}
export interface FastName {
  readonly kind: 'create' | 'link' | 'unlink';
  readonly ino: number;
  readonly parent: number;
  readonly name: Uint8Array;
}
export interface FastFields {
  readonly kind: 'inode';
  readonly ino: number;
  readonly raw: Uint8Array;
}
export type FastEntry = FastRange | FastName | FastFields;

/** The entries of all whole commits that follow transaction `tid` - 1. */
export function* scanFastCommits(
  tid: number,
  area: { readonly blocks: number; read(n: number): Task<Uint8Array> },
): Task<FastEntry[]> {
  const whole: FastEntry[] = [];
  let open: FastEntry[] = [];
  let crc = 0;
  for (let n = 0; n < area.blocks; n++) {
    const block = yield* area.read(n);
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    if (n === 0 && new FastTl(view).fc_tag !== EXT4_FC_TAG_HEAD) return [];
    for (let at = 0; at + FastTl.size <= block.length; ) {
      const { fc_tag: tag, fc_len } = new FastTl(view, at);
      const end = at + FastTl.size + fc_len;
      if (end > block.length || fc_len < leastLength(tag)) return whole;
      const value = block.subarray(at + FastTl.size, end);
      if (tag === EXT4_FC_TAG_TAIL) {
        const tail = new FastTail(viewOf(value));
        crc = crc32c(crc, block.subarray(at, at + FastTl.size + FastTail.offsets.fc_crc));
        if (tail.fc_tid !== tid || tail.fc_crc !== crc) return whole;
        whole.push(...open);
        open = [];
        crc = 0;
      } else {
        if (tag === EXT4_FC_TAG_HEAD && !suits(value, tid)) return whole;
        crc = crc32c(crc, block.subarray(at, end));
        const entry = readEntry(tag, value);
        if (entry !== undefined) open.push(entry);
      }
      at = end;
    }
  }
  return whole;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function suits(value: Uint8Array, tid: number): boolean {
  const { fc_features, fc_tid } = new FastHead(viewOf(value));
  return fc_features === 0 && fc_tid === tid;
}

const LEAST: ReadonlyMap<number, number> = new Map([
  [EXT4_FC_TAG_ADD_RANGE, FastAddRange.size + ExtentLeaf.size],
  [EXT4_FC_TAG_DEL_RANGE, FastDelRange.size],
  [EXT4_FC_TAG_CREAT, FastDentry.size + 1],
  [EXT4_FC_TAG_LINK, FastDentry.size + 1],
  [EXT4_FC_TAG_UNLINK, FastDentry.size + 1],
  [EXT4_FC_TAG_INODE, FastInode.size + Inode128.size],
  [EXT4_FC_TAG_PAD, 0],
  [EXT4_FC_TAG_TAIL, FastTail.size],
  [EXT4_FC_TAG_HEAD, FastHead.size],
]);

/** A tag that is not known ends the stream. */
const leastLength = (tag: number): number => LEAST.get(tag) ?? Number.POSITIVE_INFINITY;

function readEntry(tag: number, value: Uint8Array): FastEntry | undefined {
  const view = viewOf(value);
  switch (tag) {
    case EXT4_FC_TAG_ADD_RANGE: {
      const e = new ExtentLeaf(view, FastAddRange.size);
      const unwritten = e.ee_len > EXT_INIT_MAX_LEN;
      return {
        ...{ kind: 'add', ino: new FastAddRange(view).fc_ino, lblock: e.ee_block, unwritten },
        count: unwritten ? e.ee_len - EXT_INIT_MAX_LEN : e.ee_len,
        pblock: e.ee_start_hi * 0x1_0000_0000 + e.ee_start_lo,
      };
    }
    case EXT4_FC_TAG_DEL_RANGE: {
      const { fc_ino: ino, fc_lblk: lblock, fc_len: count } = new FastDelRange(view);
      return { kind: 'cut', ino, lblock, count, pblock: 0, unwritten: false };
    }
    case EXT4_FC_TAG_CREAT:
      return nameOf('create', value);
    case EXT4_FC_TAG_LINK:
      return nameOf('link', value);
    case EXT4_FC_TAG_UNLINK:
      return nameOf('unlink', value);
    case EXT4_FC_TAG_INODE: {
      const { fc_ino: ino } = new FastInode(view);
      return { kind: 'inode', ino, raw: value.slice(FastInode.size) };
    }
    default:
      return undefined;
  }
}

function nameOf(kind: FastName['kind'], value: Uint8Array): FastName {
  const { fc_ino: ino, fc_parent_ino: parent } = new FastDentry(viewOf(value));
  return { kind, ino, parent, name: value.slice(FastDentry.size) };
}

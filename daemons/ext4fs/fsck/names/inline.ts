// Second pass, of directories that lie in their inodes. One without fault is only looked at; another gets
// a block, and is then mended like any other. ifork.rst, "Inline Directories".

import { inlineParent, inlineParts } from '../../dir/inline.ts';
import { leaveInline } from '../../inode/inline.ts';
import { has } from '../../volume/superblock.ts';
import { isInline, openInode } from '../inline.ts';
import { FT_DIR } from '../inodes.ts';
import { rewriteMap } from '../rewrite.ts';
import type { Directory, State } from '../state.ts';
import { count, DOT, DOTDOT, whyNot } from './directories.ts';
import { type Entry, editLeaf, endOf, entriesOf, putEntry, putTail, sizeOf } from './entries.ts';

/** True when the directory lies in its inode, and nothing is wrong with it. */
export function checkInlineDirectory(state: State, dir: Directory): boolean {
  if (!isInline(state, dir.ino)) return false;
  const { entries, broken } = inlineEntries(state, dir);
  const why = broken ? 'entries that cannot be' : faultOf(state, dir, entries);
  if (why !== undefined) {
    state.bad(`directory ${dir.ino}: ${why} in its inode; it gets a block`);
    expand(state, dir);
    return false;
  }
  count(state, dir.ino); // what '.' would be
  for (const { ino } of entries) {
    count(state, ino);
    const child = state.directories.get(ino);
    if (child !== undefined) child.parent = dir.ino;
  }
  return true;
}

/** Those in use. */
export function inlineEntries(
  state: State,
  dir: Directory,
): { entries: readonly Entry[]; broken: boolean } {
  const entries: Entry[] = [];
  let broken = false;
  for (const part of inlineParts(openInode(state, dir.ino))) {
    const found = entriesOf(state.vol, part, part.bytes.length);
    broken ||= found.brokenAt >= 0;
    entries.push(...found.entries.filter(({ ino }) => ino !== 0));
  }
  return { entries, broken };
}

function faultOf(state: State, dir: Directory, entries: readonly Entry[]): string | undefined {
  const names = new Set<string>();
  const children = new Set<number>();
  for (const entry of entries) {
    const text = String.fromCharCode(...entry.name);
    const why = whyNot(state, dir, { entry, text, names });
    if (why !== undefined) return `an entry that ${why}`;
    if (state.directories.has(entry.ino) && children.has(entry.ino)) return 'a directory twice';
    if (has.fileType(state.vol) && entry.type !== state.kinds[entry.ino]) return 'a kind';
    names.add(text);
    children.add(entry.ino);
  }
  return undefined;
}

/** Gives the directory a block, with all entries that can be read. */
export function expand(state: State, dir: Directory): void {
  const { vol } = state;
  const inode = openInode(state, dir.ino);
  const parent = inlineParent(inode);
  const { entries } = inlineEntries(state, dir);
  leaveInline(inode);
  inode.size = vol.blockSize;
  inode.op.finish();
  const { no } = state.allocate();
  rewriteMap(state, dir.ino, {
    runs: [{ lblock: 0, block: no, count: 1, unwritten: false }],
    meta: [],
    wrong: [],
  });
  const block = editLeaf(state, dir.ino, no);
  const end = endOf(vol);
  const all = [
    { ino: dir.ino, name: DOT, type: FT_DIR },
    { ino: parent, name: DOTDOT, type: FT_DIR },
    ...entries,
  ];
  let at = 0;
  for (const [i, { ino, name, type }] of all.entries()) {
    const size = i === all.length - 1 ? end - at : sizeOf(name);
    putEntry(vol, block, { at, size, ino, name, type });
    at += size;
  }
  putTail(state, block);
  dir.blocks = [no];
}

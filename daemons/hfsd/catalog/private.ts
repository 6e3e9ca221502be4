// Files that no name in a folder leads to directly: what hard links lead to, and files that are open though
// their last name is gone. HFS Plus keeps them in a folder of the root; on classic HFS, which knows
// neither, the latter wait under a reserved number. TN1150, "Hard Links", "Metadata Directory".

import { EUCLEAN, fail } from '../../../kernel/abi/errno.ts';
import type { CatalogKey } from '../names/keys.ts';
import {
  HARD_LINK,
  NAMELESS_ID,
  PRIVATE_DIRECTORY_FOLDER,
  PRIVATE_FOLDER,
  ROOT_ID,
} from '../ondisk.ts';
import type { Op } from '../op.ts';
import { type Item, newItem } from './item.ts';

export const TEMP = 'temp';
export const INODE = 'iNode';

const PRIVATE_KEY: CatalogKey = { parent: ROOT_ID, name: PRIVATE_FOLDER };

const privateFolder = (op: Op): Item | undefined =>
  op.vol.kind === 'hfs' ? undefined : op.catalog.lookup(PRIVATE_KEY);

/** The private folder, made when there is none. */
function needPrivateFolder(op: Op): Item {
  const there = privateFolder(op);
  if (there !== undefined) return there;
  const made = newItem(op.vol, {
    ...{ kind: 'folder', cnid: op.takeCnid(), key: PRIVATE_KEY, now: op.now },
  });
  made.mode = 0o40000;
  new DataView(made.finderInfo.buffer).setUint16(8, 0x5000); // invisible, its name locked
  op.catalog.add(made);
  const root = op.catalog.find(ROOT_ID) ?? fail(EUCLEAN, 'the root folder is gone');
  root.valence += 1;
  op.catalog.save(root);
  op.editHead().count({ files: 0, folders: 1, root: true });
  return made;
}

/** Where a file without a name waits for its last user. */
export function namelessKey(op: Op, item: Item): CatalogKey {
  const parent = op.vol.kind === 'hfs' ? NAMELESS_ID : needPrivateFolder(op).cnid;
  return { parent, name: `${TEMP}${item.cnid}` };
}

export function isNameless(op: Op, { key }: Item): boolean {
  if (!key.name.startsWith(TEMP)) return false;
  if (op.vol.kind === 'hfs') return key.parent === NAMELESS_ID;
  return key.parent === privateFolder(op)?.cnid;
}

/** Files that a crash left without a name, the first ones. */
export function namelessFiles(
  op: Op,
  { except, most }: { except: ReadonlySet<number>; most: number },
): number[] {
  const parent = op.vol.kind === 'hfs' ? NAMELESS_ID : privateFolder(op)?.cnid;
  const out: number[] = [];
  if (parent === undefined) return out;
  op.catalog.children(parent, ({ key, cnid }) => {
    if (key.name.startsWith(TEMP) && !except.has(cnid)) out.push(cnid);
    return out.length < most;
  });
  return out;
}

export const inodeKey = (op: Op, number: number): CatalogKey => ({
  parent: needPrivateFolder(op).cnid,
  name: `${INODE}${number}`,
});

/** Is it what hard links lead to? Then `special` counts them. */
export function isLinked(op: Op, { kind, key }: Item): boolean {
  if (op.vol.kind === 'hfs' || kind === 'folder' || !key.name.startsWith(INODE)) return false;
  return key.parent === privateFolder(op)?.cnid;
}

export const linkNumber = ({ key }: Item): number => Number(key.name.slice(INODE.length));

export function isLink(op: Op, { kind, finderInfo }: Item): boolean {
  if (op.vol.kind === 'hfs' || kind === 'folder') return false;
  const view = new DataView(finderInfo.buffer, finderInfo.byteOffset, 32);
  return view.getUint32(0) === HARD_LINK[0] && view.getUint32(4) === HARD_LINK[1];
}

/** The file that a folder's entry means: itself, or what the hard link leads to. */
export function resolve(op: Op, entry: Item): Item {
  const folder = isLink(op, entry) ? privateFolder(op) : undefined;
  if (folder === undefined) return entry;
  const key = { parent: folder.cnid, name: `${INODE}${entry.special}` };
  return (
    op.catalog.lookup(key) ?? fail(EUCLEAN, `the hard link '${entry.key.name}' leads to nothing`)
  );
}

const JOURNAL_FILES: ReadonlySet<string> = new Set(['.journal', '.journal_info_block']);

/** Names that only the file system itself uses. */
export function isHidden(op: Op, { parent, name }: CatalogKey): boolean {
  if (parent !== ROOT_ID || op.vol.kind === 'hfs') return false;
  if (name === PRIVATE_FOLDER || name === PRIVATE_DIRECTORY_FOLDER) return true;
  return op.vol.journalInfoBlock !== 0 && JOURNAL_FILES.has(name);
}

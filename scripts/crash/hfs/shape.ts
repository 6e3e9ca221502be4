// The tree of a volume of HFS or HFS Plus as a check of it found it, in the form of `Observed.shape`:
// read from the records and the blocks, without the daemon's code for files and folders.

import type { Item } from '../../../daemons/hfsd/catalog/item.ts';
import { type Run, readFork } from '../../../daemons/hfsd/fork/fork-data.ts';
import type { Findings } from '../../../daemons/hfsd/fsck/check.ts';
import { isLink } from '../../../daemons/hfsd/fsck/folders.ts';
import { viewOf } from '../../../daemons/hfsd/fsck/tree.ts';
import { readAttributeKey } from '../../../daemons/hfsd/names/keys.ts';
import {
  ATTRIBUTE_INLINE,
  AttributeData,
  AttributeFork,
  PRIVATE_DIRECTORY_FOLDER,
  PRIVATE_FOLDER,
  ROOT_ID,
} from '../../../daemons/hfsd/ondisk.ts';
import { S_IFLNK, S_IFMT } from '../../../kernel/abi/constants.ts';
import { decodeText } from '../../../kernel/abi/text.ts';
import { shapeLine } from '../workload/model.ts';

const HIDDEN: ReadonlySet<string> = new Set([
  ...[PRIVATE_FOLDER, PRIVATE_DIRECTORY_FOLDER, '.journal', '.journal_info_block'],
]);

export function shapeOf(findings: Findings, image: Uint8Array): string {
  const { entries, opened } = findings;
  const hidden = entries.find((item) => item.key.name === PRIVATE_FOLDER);
  const inodes = new Map<string, Item>();
  const children = new Map<number, Item[]>();
  for (const { item } of entries.list) {
    const { parent, name } = item.key;
    if (parent === hidden?.item.cnid) inodes.set(name, item);
    const list = children.get(parent) ?? [];
    list.push(item);
    children.set(parent, list);
  }
  const found: { path: string; item: Item }[] = [];
  const root = entries.byId.get(ROOT_ID);
  if (root !== undefined) found.push({ path: '', item: root.item });
  for (let i = 0; i < found.length; i++) {
    const at = found[i];
    if (at?.item.kind !== 'folder') continue;
    for (const child of children.get(at.item.cnid) ?? []) {
      if (at.path === '' && HIDDEN.has(child.key.name)) continue;
      const name = opened.volume.names.fromDisk(child.key.name);
      const item = isLink(child) ? inodes.get(`iNode${child.special}`) : child;
      if (item !== undefined)
        found.push({ path: at.path === '' ? name : `${at.path}/${name}`, item });
    }
  }
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  const groups = new Map<number, number>();
  const xattrs = valuesOf(findings, image);
  const lines = found.map(({ path, item }) => {
    const group = groups.get(item.cnid) ?? groups.size;
    groups.set(item.cnid, group);
    const symlink = (item.mode & S_IFMT) === S_IFLNK;
    const kind = item.kind === 'folder' ? 'dir' : symlink ? 'symlink' : 'file';
    const { size, extents } = item.data;
    const target = symlink ? textOf(findings, image, { runs: extents, size }) : '';
    const links = item.key.name.startsWith('iNode') && inodes.has(item.key.name) ? item.special : 1;
    const own = xattrs.get(item.cnid) ?? new Map();
    return shapeLine({ path, kind, group, size, links, target, xattrs: own });
  });
  return lines.join('\n');
}

function textOf(
  { opened }: Findings,
  image: Uint8Array,
  { runs, size }: { runs: readonly Run[]; size: number },
): string {
  const { allocAt, allocSize } = opened.volume;
  const parts = runs.map(({ start, count }) =>
    image.subarray(allocAt + start * allocSize, allocAt + (start + count) * allocSize),
  );
  return decodeText(new Uint8Array(Buffer.concat(parts)).subarray(0, size));
}

function valuesOf(findings: Findings, image: Uint8Array): Map<number, Map<string, string>> {
  const out = new Map<number, Map<string, string>>();
  for (const { key, data } of findings.attributes?.kept.records ?? []) {
    const { cnid, name } = readAttributeKey(viewOf(key), 0);
    const own = out.get(cnid) ?? new Map<string, string>();
    out.set(cnid, own);
    if (viewOf(data).getUint32(0) === ATTRIBUTE_INLINE) {
      const { attrSize } = new AttributeData(viewOf(data));
      own.set(name, decodeText(data.subarray(AttributeData.size, AttributeData.size + attrSize)));
    } else {
      const { extents, size } = readFork(new AttributeFork(viewOf(data)).fork);
      own.set(name, textOf(findings, image, { runs: extents, size }));
    }
  }
  return out;
}

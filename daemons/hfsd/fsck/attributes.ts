// The attributes file's records: each belongs to a file or a folder and has a value that is there.
// TN1150, "Attributes File".

import { EMPTY_FORK, plusExtents, type Run, readFork } from '../fork/fork-data.ts';
import { readAttributeKey } from '../names/keys.ts';
import {
  ATTRIBUTE_EXTENTS,
  ATTRIBUTE_FORK,
  ATTRIBUTE_INLINE,
  AttributeData,
  AttributeFork,
} from '../ondisk.ts';
import { type Entries, nameOf } from './entries.ts';
import type { Ownership } from './forks.ts';
import type { Report } from './report.ts';
import { type TreeRecord, viewOf } from './tree.ts';

export interface CheckedAttributes {
  readonly records: readonly TreeRecord[];
  readonly changed: boolean;
}

export interface Parts {
  readonly entries: Entries;
  readonly owners: Ownership;
  readonly report: Report;
}

export function checkAttributes(records: readonly TreeRecord[], parts: Parts): CheckedAttributes {
  const before = parts.report.count;
  const kept = byAttribute(records).flatMap((group) => checkOne(group, parts));
  return { records: kept, changed: parts.report.count > before };
}

/** Those of one attribute: its value, and extents of it if it has more than eight. */
function byAttribute(records: readonly TreeRecord[]): TreeRecord[][] {
  const groups: TreeRecord[][] = [];
  let last = '';
  for (const record of records) {
    const { cnid, name } = readAttributeKey(viewOf(record.key), 0);
    const id = `${cnid} ${name}`;
    if (id === last) groups.at(-1)?.push(record);
    else groups.push([record]);
    last = id;
  }
  return groups;
}

function checkOne(group: TreeRecord[], { entries, owners, report }: Parts): TreeRecord[] {
  const [record, ...more] = group;
  if (record === undefined) return [];
  const { cnid, name } = readAttributeKey(viewOf(record.key), 0);
  const owner = entries.byId.get(cnid);
  const what = `attribute '${name}' of ${owner ? nameOf(owner.item) : `file ${cnid}`}`;
  const { data } = record;
  const type = data.length >= 4 ? viewOf(data).getUint32(0) : 0;
  if (owner === undefined) {
    report.bad(`${what}: no such file`);
    return [];
  }
  if (type === ATTRIBUTE_INLINE && data.length >= AttributeData.size && more.length === 0) {
    const { attrSize } = new AttributeData(viewOf(data));
    if (attrSize <= data.length - AttributeData.size) return group;
  }
  if (type === ATTRIBUTE_FORK && data.length >= AttributeFork.size) {
    const { fork: bytes } = new AttributeFork(viewOf(data));
    const huge = viewOf(bytes).getUint32(0) >= 1 << 21;
    const fork = huge ? EMPTY_FORK : readFork(bytes);
    if (huge) report.bad(`${what}: an impossible size`);
    const extents = [...fork.extents, ...more.flatMap(moreExtents)];
    const whose = { cnid, type: 0, name: what, contained: true };
    const claimed = owners.claim(whose, { ...fork, extents });
    if (!claimed.changed && !huge) return group;
  } else report.bad(`${what}: no value`);
  return []; // half a value is none
}

const moreExtents = ({ data }: TreeRecord): Run[] =>
  data.length >= 72 && viewOf(data).getUint32(0) === ATTRIBUTE_EXTENTS
    ? plusExtents.read(data.subarray(8, 72))
    : [];

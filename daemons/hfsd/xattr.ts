// Extended attributes: what the Finder keeps in the catalog and the resource fork, by Apple's names for them,
// and on HFS Plus those of the attributes file, inline or in forks of their own. TN1150, "Attributes".

import { S_IFLNK, S_IFMT } from '../../kernel/abi/constants.ts';
import {
  E2BIG,
  EEXIST,
  EINVAL,
  ENAMETOOLONG,
  ENODATA,
  EOPNOTSUPP,
  EPERM,
  EUCLEAN,
  fail,
} from '../../kernel/abi/errno.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { insert, remove } from './btree/change.ts';
import type { BTree } from './btree/tree.ts';
import type { Item } from './catalog/item.ts';
import { resourceFork } from './data.ts';
import { readBytes, writeBytes } from './fork/bytes.ts';
import { cutFork, type Fork } from './fork/fork.ts';
import { EMPTY_FORK, type ForkData, readFork, writeFork } from './fork/fork-data.ts';
import { attributeKey, readAttributeKey } from './names/keys.ts';
import {
  ATTRIBUTE_FORK,
  ATTRIBUTE_INLINE,
  AttributeData,
  AttributeFork,
  DATA_FORK,
  FILE_HAS_ATTRIBUTES,
} from './ondisk.ts';
import type { Op } from './op.ts';

const FINDER_INFO = 'com.apple.FinderInfo';
const RESOURCE_FORK_NAME = 'com.apple.ResourceFork';

const NAME_MAX = 127; // units
const READ_MAX = 1 << 20;
const WRITE_MAX = 1 << 18;
const CREATE = 1;
const REPLACE = 2;

/** The value, or undefined. */
export function getXattr(op: Op, item: Item, name: string): Uint8Array | undefined {
  if (name === FINDER_INFO) return hasFinderInfo(item) ? finderInfoOf(item) : undefined;
  if (name === RESOURCE_FORK_NAME) return readResources(op, item);
  const tree = op.attributes;
  const record = tree?.get(attributeKey({ cnid: item.cnid, name, start: 0 }));
  return record && readValue(op, item, record);
}

/** All names, each ended by NUL. */
export function listXattr(op: Op, item: Item): Uint8Array {
  const names: string[] = [];
  if (hasFinderInfo(item)) names.push(FINDER_INFO);
  if (item.resources.size > 0) names.push(RESOURCE_FORK_NAME);
  const { attributes } = op;
  attributes?.scan(attributeKey({ cnid: item.cnid, name: '', start: 0 }), (node, index) => {
    const key = readAttributeKey(node.view, node.offset(index));
    if (key.cnid !== item.cnid) return false;
    if (key.start === 0) names.push(key.name);
    return names.length < 4096;
  });
  return encodeText(names.map((name) => `${name}\0`).join(''));
}

export interface SetXattr {
  readonly name: string;
  readonly value: Uint8Array | undefined; // undefined removes
  readonly flags: number;
}

export function setXattr(op: Op, item: Item, { name, value, flags }: SetXattr): void {
  if (name.length > NAME_MAX) fail(ENAMETOOLONG);
  if ((value?.length ?? 0) > WRITE_MAX) fail(E2BIG);
  const there = hasXattr(op, item, name);
  if ((flags & CREATE) !== 0 && there) fail(EEXIST);
  if (!there && ((flags & REPLACE) !== 0 || value === undefined)) fail(ENODATA);
  if (name === FINDER_INFO) setFinderInfo(item, value);
  else if (name === RESOURCE_FORK_NAME) {
    if (item.kind === 'folder') fail(EPERM);
    writeBytes(op, resourceFork(op, item), value ?? new Uint8Array(0));
  } else setAttribute(op, item, { name, value });
  item.changed = op.now;
  op.catalog.save(item);
}

/** A symbolic link's type and creator say that it is one: nothing that anybody set. */
function finderInfoOf({ finderInfo, mode }: Item): Uint8Array {
  const info = finderInfo.slice();
  if ((mode & S_IFMT) === S_IFLNK) info.fill(0, 0, 8);
  return info;
}

const hasFinderInfo = (item: Item): boolean => finderInfoOf(item).some((byte) => byte !== 0);

function hasXattr(op: Op, item: Item, name: string): boolean {
  if (name === FINDER_INFO) return hasFinderInfo(item);
  if (name === RESOURCE_FORK_NAME) return item.resources.size > 0;
  return op.attributes?.get(attributeKey({ cnid: item.cnid, name, start: 0 })) !== undefined;
}

function setFinderInfo(item: Item, value: Uint8Array | undefined): void {
  if (value !== undefined && value.length !== 32) fail(EINVAL);
  const type = item.finderInfo.slice(0, 8);
  item.finderInfo = value?.slice() ?? new Uint8Array(32);
  if ((item.mode & S_IFMT) === S_IFLNK) item.finderInfo.set(type);
}

function readResources(op: Op, item: Item): Uint8Array | undefined {
  const { size } = item.resources;
  if (size === 0) return undefined;
  if (size > READ_MAX) fail(E2BIG);
  return readBytes(op, resourceFork(op, item), { offset: 0, length: size });
}

function readValue(op: Op, item: Item, record: Uint8Array): Uint8Array {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const type = record.length >= AttributeData.size ? view.getUint32(0) : 0;
  if (type === ATTRIBUTE_INLINE) {
    const { attrSize } = new AttributeData(view);
    if (attrSize > record.length - AttributeData.size)
      fail(EUCLEAN, `file ${item.cnid}: an attribute of ${attrSize} bytes`);
    return record.slice(AttributeData.size, AttributeData.size + attrSize);
  }
  if (type !== ATTRIBUTE_FORK || record.length < AttributeFork.size)
    return fail(EUCLEAN, `file ${item.cnid}: an attribute of type ${type}`);
  const data = readFork(new AttributeFork(view).fork);
  if (data.size > READ_MAX) fail(E2BIG);
  return readBytes(op, valueFork(item, data), { offset: 0, length: data.size });
}

/** The fork of a large value: its extents are all in the attribute's record. */
const valueFork = ({ cnid }: Item, data: ForkData): Fork => ({
  ...{ cnid, type: DATA_FORK, data, contained: true },
  save: () => {},
});

function setAttribute(op: Op, item: Item, { name, value }: Omit<SetXattr, 'flags'>): void {
  const tree = op.attributes ?? fail(EOPNOTSUPP, 'the volume has no attributes file');
  dropAttribute(op, tree, { item, name });
  if (value !== undefined) {
    const key = attributeKey({ cnid: item.cnid, name, start: 0 });
    // So that two records fit in each node, whatever is inserted where.
    const most = (tree.nodeSize - 64) / 2 - key.length - AttributeData.size;
    insert(tree, key, value.length <= most ? inlineRecord(value) : forkRecord(op, item, value));
  }
  if (value !== undefined) item.flags |= FILE_HAS_ATTRIBUTES;
}

function inlineRecord(value: Uint8Array): Uint8Array {
  const record = new Uint8Array(AttributeData.size + ((value.length + 1) & ~1));
  const head = new AttributeData(new DataView(record.buffer));
  head.recordType = ATTRIBUTE_INLINE;
  head.attrSize = value.length;
  record.set(value, AttributeData.size);
  return record;
}

function forkRecord(op: Op, item: Item, value: Uint8Array): Uint8Array {
  const data: ForkData = { ...EMPTY_FORK, extents: [] };
  writeBytes(op, valueFork(item, data), value);
  const record = new Uint8Array(AttributeFork.size);
  const head = new AttributeFork(new DataView(record.buffer));
  head.recordType = ATTRIBUTE_FORK;
  head.fork = writeFork(data);
  return record;
}

/** False: it has none of that name. */
function dropAttribute(op: Op, tree: BTree, { item, name }: { item: Item; name: string }): boolean {
  const key = attributeKey({ cnid: item.cnid, name, start: 0 });
  const record = tree.get(key);
  if (record === undefined) return false;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  if (record.length >= AttributeFork.size && view.getUint32(0) === ATTRIBUTE_FORK) {
    const data = readFork(new AttributeFork(view).fork);
    cutFork(op, valueFork(item, data), { keep: 0, steps: 8 });
  }
  return remove(tree, key);
}

/** Removes some of a deleted file's attributes; true when none is left. */
export function dropAttributes(op: Op, item: Item, most: number): boolean {
  const tree = op.attributes;
  if (tree === undefined) return true;
  for (let i = 0; i < most; i++) {
    let first: string | undefined;
    tree.scan(attributeKey({ cnid: item.cnid, name: '', start: 0 }), (node, index) => {
      const key = readAttributeKey(node.view, node.offset(index));
      if (key.cnid === item.cnid) first = key.name;
      return false;
    });
    if (first === undefined) return true;
    if (!dropAttribute(op, tree, { item, name: first }))
      fail(EUCLEAN, `file ${item.cnid}: the key of attribute '${first}' does not lead to it`);
  }
  return false;
}

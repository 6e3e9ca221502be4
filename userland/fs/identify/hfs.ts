// HFS, HFS Plus and HFSX for identify.ts. Inside Macintosh: Files, chapter 2; Apple TN1150. The UUID of
// either is made of the eight bytes in which the Finder keeps the volume's identity (RFC 9562 §5.3).

import {
  HEADER_OFFSET,
  HFSPLUS_SIGNATURE,
  HFSX_SIGNATURE,
  NodeDescriptor,
  ROOT_PARENT_ID,
  TreeHeader,
  VolumeHeader,
} from '../../../daemons/hfsd/ondisk.ts';
import { HFS_SIGNATURE, MasterDirectoryBlock, SECTOR } from '../../../daemons/hfsd/ondisk-hfs.ts';
import { embeddedPlace, openVolume, type Place } from '../../../daemons/hfsd/volume/volume.ts';
import type { Medium } from '../../../daemons/lib/medium.ts';
import { digests } from '../../libc/hash/algorithms.ts';
import { formatUuid } from '../uuid.ts';
import { bytesAt, type Tags, tagsOf, viewOf } from './tags.ts';

const PROBE = HEADER_OFFSET + SECTOR;

export function identifyHfs(medium: Medium): Tags | undefined {
  const probe = bytesAt(medium, 0, PROBE);
  if (probe === undefined) return undefined;
  const place = embeddedPlace(probe, medium.sizeBytes);
  if (place !== undefined) return identifyPlus(medium, place);
  const signature = viewOf(probe).getUint16(HEADER_OFFSET);
  if (signature === HFSPLUS_SIGNATURE || signature === HFSX_SIGNATURE)
    return identifyPlus(medium, { offset: 0, sizeBytes: medium.sizeBytes });
  if (signature !== HFS_SIGNATURE) return undefined;
  openVolume(probe, medium.sizeBytes);
  const mdb = new MasterDirectoryBlock(viewOf(probe), HEADER_OFFSET);
  const [length = 0, ...name] = mdb.drVN;
  return tagsOf([
    ['UUID', identity(mdb.drFndrInfo)],
    ['LABEL', String.fromCharCode(...name.slice(0, Math.min(length, 27)))],
    ['TYPE', 'hfs'],
  ]);
}

/** The name space in which the identities become UUIDs. */
const NAMESPACE = Uint8Array.of(
  ...[0xb3, 0xe2, 0x0f, 0x39, 0xf2, 0x92, 0x11, 0xd6],
  ...[0x97, 0xa4, 0x00, 0x30, 0x65, 0x43, 0xec, 0xac],
);

/** Version 3, by MD5; none for a volume that the Finder has not named. */
function identity(finderInfo: Uint8Array): string | undefined {
  const id = finderInfo.subarray(24, 32);
  const md5 = digests.find(({ name }) => name === 'md5')?.create(128);
  if (md5 === undefined || id.every((byte) => byte === 0)) return undefined;
  md5.update(NAMESPACE);
  md5.update(id);
  const uuid = md5.digest();
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x30;
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80;
  return formatUuid(uuid);
}

function identifyPlus(medium: Medium, { offset }: Place): Tags | undefined {
  const bytes = bytesAt(medium, offset + HEADER_OFFSET, VolumeHeader.size);
  if (bytes === undefined) return undefined;
  const header = new VolumeHeader(viewOf(bytes));
  if (header.signature !== HFSPLUS_SIGNATURE && header.signature !== HFSX_SIGNATURE)
    return undefined;
  const { blockSize } = header;
  if (blockSize < SECTOR || (blockSize & (blockSize - 1)) !== 0) return undefined;
  return tagsOf([
    ['UUID', identity(header.finderInfo)],
    ['BLOCK_SIZE', String(blockSize)],
    ['LABEL', plusName(medium, { offset, blockSize, fork: header.catalogFile })],
    ['TYPE', 'hfsplus'],
  ]);
}

interface Catalog {
  readonly offset: number;
  readonly blockSize: number;
  /** HFSPlusForkData */
  readonly fork: Uint8Array;
}

/** The name of the root folder: the first record of the catalog's first leaf. */
function plusName(medium: Medium, catalog: Catalog): string | undefined {
  const first = catalogBytes(medium, catalog, { at: 0, length: SECTOR });
  if (first === undefined) return undefined;
  const { nodeSize, firstLeafNode } = new TreeHeader(viewOf(first), NodeDescriptor.size);
  if (nodeSize < SECTOR || nodeSize > 32768) return undefined;
  const at = firstLeafNode * nodeSize;
  const leaf = catalogBytes(medium, catalog, { at, length: nodeSize });
  if (leaf === undefined) return undefined;
  const view = viewOf(leaf);
  const key = NodeDescriptor.size; // keyLength[2] parentID[4] length[2] name
  if (view.getUint32(key + 2) !== ROOT_PARENT_ID) return undefined;
  const length = Math.min(view.getUint16(key + 6), 255);
  return new TextDecoder('utf-16be').decode(leaf.subarray(key + 8, key + 8 + 2 * length));
}

/** A part of the catalog that lies in one of the eight extents of its header. */
function catalogBytes(
  medium: Medium,
  { offset, blockSize, fork }: Catalog,
  { at, length }: { at: number; length: number },
): Uint8Array | undefined {
  const view = viewOf(fork);
  let from = 0;
  for (let extent = 16; extent < fork.length; extent += 8) {
    const [start, count] = [view.getUint32(extent), view.getUint32(extent + 4)];
    const size = count * blockSize;
    if (at >= from && at + length <= from + size)
      return bytesAt(medium, offset + start * blockSize + at - from, length);
    from += size;
  }
  return undefined;
}

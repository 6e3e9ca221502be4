// The disk below a volume as its driver serves it: a file of /dev/sd over 9P, its data moved by
// passing the volume's grants on.

import { O_RDONLY, O_RDWR } from '../../kernel/abi/constants.ts';
import { EIO, PosixError } from '../../kernel/abi/errno.ts';
import { subgrant } from '../../kernel/ipc/grant.ts';
import type { Task } from '../../kernel/ipc/task.ts';
import type { NinepClient, Request } from '../../kernel/ninep/client.ts';
import {
  NOFID,
  NONUNAME,
  P9_GETATTR_MODE,
  P9_GETATTR_SIZE,
  P9_VERSION,
} from '../../kernel/ninep/types.ts';
import type { BlockDevice, Piece } from './device.ts';

/** A transfer is cut into requests of at most this many bytes, so that many are under way. */
const REQUEST_BYTES = 1024 * 1024;
/** Times that a short transfer is continued before it counts as failed. */
const SHORT_LIMIT = 64;

export interface DiskOptions {
  readonly client: NinepClient;
  /** Names to walk from the driver's root. */
  readonly path: readonly string[];
  readonly readOnly: boolean;
}

/** Opens the disk; throws the driver's errno when it cannot. */
export function* openDiskClient({ client, path, readOnly }: DiskOptions): Task<BlockDevice> {
  const root = client.takeFid();
  const fid = client.takeFid();
  const nobody = { uname: '', nUname: NONUNAME, afid: NOFID };
  const requestMask = P9_GETATTR_SIZE | P9_GETATTR_MODE;
  // In one go: programs wait while a volume's next worker opens its disk.
  const [version, attached, walked, told] = yield* client.all([
    { message: { name: 'Tversion', msize: 8160, version: P9_VERSION } },
    { message: { name: 'Tattach', fid: root, aname: '', ...nobody } },
    { message: { name: 'Twalk', fid: root, newfid: fid, wname: [...path] } },
    { message: { name: 'Tgetattr', fid, requestMask } },
  ]);
  client.expect('Tversion', version);
  client.expect('Tattach', attached);
  client.expect('Twalk', walked);
  const { attr } = client.expect('Tgetattr', told);
  const protectedDisk = (attr.mode & 0o222) === 0;
  const flags = readOnly || protectedDisk ? O_RDONLY : O_RDWR;
  yield* client.rpc<'Tlopen'>({ name: 'Tlopen', fid, flags });
  const { size: sizeBytes } = attr;
  const name = path.join('/');
  return new DiskClient(client, { fid, sizeBytes, readOnly: readOnly || protectedDisk, name });
}

interface OpenDisk {
  readonly fid: number;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly name: string;
}

class DiskClient implements BlockDevice {
  readonly sizeBytes: number;
  readonly sectorSize = 512;
  readonly readOnly: boolean;
  readonly #client: NinepClient;
  readonly #fid: number;
  readonly #name: string;

  constructor(client: NinepClient, disk: OpenDisk) {
    this.#client = client;
    this.#fid = disk.fid;
    this.#name = disk.name;
    this.sizeBytes = disk.sizeBytes;
    this.readOnly = disk.readOnly;
  }

  read(pieces: readonly Piece[]): Task<void> {
    return this.#transfer('Tread', pieces);
  }

  write(pieces: readonly Piece[]): Task<void> {
    return this.#transfer('Twrite', pieces);
  }

  *flush(): Task<void> {
    yield* this.#client.rpc<'Tfsync'>({ name: 'Tfsync', fid: this.#fid, datasync: 0 });
  }

  *#transfer(name: 'Tread' | 'Twrite', pieces: readonly Piece[]): Task<void> {
    let left = cut(pieces);
    for (let round = 0; left.length > 0; round++) {
      if (round === SHORT_LIMIT) throw new PosixError(EIO, `${this.#name}: ${name} stays short`);
      const replies = yield* this.#client.all(left.map((piece) => this.#request(name, piece)));
      const next: Piece[] = [];
      left.forEach((piece, i) => {
        const { count } = this.#client.expect(name, replies[i]);
        if (count <= 0) {
          throw new PosixError(EIO, `${this.#name}: ${name} at ${piece.offset} moved nothing`);
        }
        if (count < piece.ref.length) next.push(rest(piece, count));
      });
      left = next;
    }
  }

  #request(name: 'Tread' | 'Twrite', { offset, ref }: Piece): Request {
    const body = { fid: this.#fid, offset, count: ref.length };
    return name === 'Tread'
      ? { message: { name, ...body }, grant: ref }
      : { message: { name, ...body, data: new Uint8Array(0) }, grant: ref };
  }
}

function cut(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const { offset, ref } of pieces) {
    for (let at = 0; at < ref.length; at += REQUEST_BYTES) {
      const length = Math.min(REQUEST_BYTES, ref.length - at);
      out.push({ offset: offset + at, ref: subgrant(ref, at, length) });
    }
  }
  return out;
}

const rest = ({ offset, ref }: Piece, done: number): Piece => ({
  offset: offset + done,
  ref: subgrant(ref, done, ref.length - done),
});

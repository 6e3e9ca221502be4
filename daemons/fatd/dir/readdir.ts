// Listing a directory: by position, for no entry ever moves. The cookie is the slot behind the entry.

import { DT_DIR, DT_REG } from '../../../kernel/abi/constants.ts';
import type { DirSink } from '../../../kernel/ninep/file-server.ts';
import type { Format } from '../format.ts';
import { isFileIno, type Op, qidOf } from '../op.ts';

const COOKIE_DOT = 1;
const COOKIE_DOTDOT = 2;
const COOKIE_FIRST = 3;

export interface Listing<Dir> {
  readonly ino: number;
  readonly dir: Dir;
  /** The cookie behind which to go on. */
  readonly offset: number;
  readonly sink: DirSink;
}

/** Adds entries until the sink is full. */
export function listDirectory<O extends Op, Dir>(
  format: Pick<Format<O, Dir, never>, 'parentOf' | 'eachName'>,
  op: O,
  { ino, dir, offset, sink }: Listing<Dir>,
): void {
  const add = (name: string, ino: number, cookie: number): boolean =>
    sink.add({ qid: qidOf(ino), offset: cookie, type: isFileIno(ino) ? DT_REG : DT_DIR, name });
  if (offset < COOKIE_DOT && !add('.', ino, COOKIE_DOT)) return;
  if (offset < COOKIE_DOTDOT && !add('..', format.parentOf(op, ino), COOKIE_DOTDOT)) return;
  const slot = Math.max(0, offset - COOKIE_FIRST);
  format.eachName(op, { dir, slot }, ({ name, ino, next }) => add(name, ino, next + COOKIE_FIRST));
}

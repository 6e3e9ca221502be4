// Last, the quota files: what each user, group and project uses by the inodes that were found, against what
// the file says. A file that cannot be read is made anew, without limits. quotaio_v2.h.

import { EUCLEAN, PosixError } from '../../../kernel/abi/errno.ts';
import { EXT4_ROOT_INO } from '../ondisk.ts';
import { QUOTA_MAGICS } from '../ondisk-quota.ts';
import { Op } from '../op.ts';
import { chargeOf } from '../quota/account.ts';
import { formatQuotaFile, QuotaFile, type Use } from '../quota/file.ts';
import { openInode } from './inline.ts';
import type { State } from './state.ts';

const KINDS = ['user', 'group', 'project'];

export function checkQuota(state: State): void {
  const { quotaInodes } = state.vol;
  if (!quotaInodes.some((ino) => ino !== 0)) return;
  const uses = usesOf(state);
  for (const [type, ino] of quotaInodes.entries()) {
    if (ino !== 0) checkFile(state, { type, ino, uses: uses[type] ?? new Map() });
  }
}

/** What is used, by type and id. */
function usesOf(state: State): Map<number, Use>[] {
  const { vol, kinds } = state;
  const uses = vol.quotaInodes.map(() => new Map<number, Use>());
  for (let ino = EXT4_ROOT_INO; ino <= vol.inodesCount; ino++) {
    if (kinds[ino] === 0) continue;
    const charge = chargeOf(openInode(state, ino));
    for (const [type, sum] of uses.entries()) {
      if (charge === undefined) continue;
      const id = charge.owners[type] ?? 0;
      const { space, inodes } = sum.get(id) ?? { space: 0, inodes: 0 };
      sum.set(id, { space: space + charge.space, inodes: inodes + 1 });
    }
  }
  return uses;
}

interface Checked {
  readonly type: number;
  readonly ino: number;
  readonly uses: ReadonlyMap<number, Use>;
}

function checkFile(state: State, { type, ino, uses }: Checked): void {
  const what = `${KINDS[type]} quota`;
  const op = new Op(state.tx, state.vol, { isOpen: () => false, unfinished: () => {} });
  const magic = QUOTA_MAGICS[type] ?? 0;
  try {
    adjust(state, new QuotaFile(op.inode(ino), magic), { what, uses });
  } catch (error) {
    if (!(error instanceof PosixError) || error.errno !== EUCLEAN) throw error;
    state.bad(`${what}: ${error.message}; it is made anew`);
    formatQuotaFile(op.inode(ino), magic);
    const file = new QuotaFile(op.inode(ino), magic);
    for (const [id, use] of uses) file.add(id, use);
  }
  op.finish();
}

function adjust(
  state: State,
  file: QuotaFile,
  { what, uses }: { what: string; uses: ReadonlyMap<number, Use> },
): void {
  const stored = new Map(file.entries());
  for (const id of new Set([...stored.keys(), ...uses.keys()])) {
    const is = stored.get(id) ?? { space: 0, inodes: 0 };
    const right = uses.get(id) ?? { space: 0, inodes: 0 };
    if (is.space === right.space && is.inodes === right.inodes) continue;
    const should = `should be ${right.space} and ${right.inodes}`;
    state.report.tell(
      `${what}: id ${id} has ${is.space} bytes and ${is.inodes} inodes, ${should}`,
      'slight',
    );
    file.add(id, { space: right.space - is.space, inodes: right.inodes - is.inodes });
  }
}

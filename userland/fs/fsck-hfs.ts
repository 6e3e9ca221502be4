// fsck.hfs, fsck.hfsplus: checks a volume of HFS, HFS Plus or HFSX that nobody has mounted, and repairs it.
// The exit status is that of fsck(8).

import { fsck } from '../../daemons/hfsd/fsck/fsck.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { program, type Tool } from '../libc/program.ts';
import { mountedAt, openMedium } from './medium.ts';

const usage = `[-fnpqy] DEVICE

  -n  only look: change nothing               -y, -p  repair what is wrong
  -q  say nothing of a volume that is well    -f      as always: look at all of it

Exit status: 0 all is well, 1 repaired, 4 something is wrong, 8 it could not be checked.`;

const REPAIRED = 1;
const WRONG = 4;
const TROUBLE = 8;

export const main = program({ usage, short: 'fnpqy', trouble: TROUBLE }, (tool, options) => {
  const [device, extra] = options.operands;
  if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
  const repairs = options.has('y', 'p') && !options.has('n');
  const where = mountedAt(tool.sys, device);
  if (where !== undefined && repairs) return tool.die(`${device} is mounted at ${where}`, TROUBLE);
  const access = repairs ? 'write' : 'read';
  const medium = openMedium(tool, device, { access, status: TROUBLE });
  try {
    const world = { nowSec: tool.sys.now().sec, random: () => randomWord(tool) };
    const result = fsck(medium, { mode: repairs ? 'repair' : 'look', world });
    const { replayed, problems, left, files, folders } = result;
    const lists = replayed === 1 ? 'list' : 'lists';
    if (replayed > 0) tool.out.text(`${device}: ${replayed} ${lists} of the log replayed\n`);
    for (const problem of problems) tool.out.text(`${problem}\n`);
    for (const problem of repairs ? left : []) tool.out.text(`still: ${problem}\n`);
    const verdict = left.length > 0 ? 'damaged' : problems.length > 0 ? 'repaired' : 'clean';
    if (verdict !== 'clean' || !options.has('q'))
      tool.out.text(`${device}: ${verdict}, ${files} files and ${folders} folders\n`);
    if (verdict === 'clean') return 0;
    return verdict === 'damaged' ? WRONG : REPAIRED;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${device}: ${error.message}`, TROUBLE);
  } finally {
    medium.close();
  }
});

function randomWord(tool: Tool): number {
  const bytes = new Uint8Array(4);
  tool.sys.getrandom(bytes);
  return new DataView(bytes.buffer).getUint32(0);
}

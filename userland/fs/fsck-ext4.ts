// fsck.ext4, fsck.ext3, fsck.ext2, e2fsck: checks a volume that nobody has mounted, and repairs it. Options
// and exit status as e2fsck(8).

import { type FsckRequest, type FsckResult, fsck } from '../../daemons/ext4fs/fsck/fsck.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { mountedAt, type OpenMedium, openMedium } from './medium.ts';

const usage = `[-afnpvy] DEVICE
  -n  only look: change nothing (as without any of -n -p -y)     -y  repair all that is wrong
  -p, -a  repair what nobody need be asked about                 -f  look even when it says that it is clean
  -v  tell more
Exit status: 0 clean, 1 repaired, 4 left damaged, 8 could not be checked, 16 usage.`;

const REPAIRED = 1;
const DAMAGED = 4;
const TROUBLE = 8;
const USAGE = 16;

export const main = program({ usage, short: 'afnpvyC:', trouble: USAGE }, (tool, options) => {
  const [device, extra] = options.operands;
  if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
  const asked = ['n', 'y', 'p'].filter((name) => options.has(name, name === 'p' ? 'a' : name));
  if (asked.length > 1)
    return tool.misuse('only one of the options -p/-a, -n or -y may be specified');
  const mode = options.has('y') ? 'repair' : options.has('a', 'p') ? 'preen' : 'look';
  const where = mountedAt(tool.sys, device);
  if (where !== undefined && mode !== 'look')
    return tool.die(`${device} is mounted at ${where}; cannot continue, aborting.`, TROUBLE);
  const access = mode === 'look' ? 'read' : 'write';
  const medium = openMedium(tool, device, { access, status: TROUBLE });
  try {
    return tell(tool, { device, mode, result: run(tool, medium, { mode, options }) });
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${device}: ${error.message}`, TROUBLE);
  } finally {
    medium.close();
  }
});

type Mode = FsckRequest['mode'];

function run(
  tool: Tool,
  medium: OpenMedium,
  { mode, options }: { mode: Mode; options: Options },
): FsckResult {
  const random = (): number => {
    const bytes = new Uint8Array(4);
    tool.sys.getrandom(bytes);
    return new DataView(bytes.buffer).getUint32(0);
  };
  const world = { nowSec: tool.sys.now().sec, random };
  return fsck(medium, { mode, force: options.has('f'), world });
}

function tell(
  tool: Tool,
  { device, mode, result }: { device: string; mode: Mode; result: FsckResult },
): number {
  const { verdict, problems, count, usedInodes, inodes, usedBlocks, blocks } = result;
  for (const problem of problems) tool.out.text(`${problem}\n`);
  if (count > problems.length) tool.out.text(`... and ${count - problems.length} more\n`);
  const sums = `${usedInodes}/${inodes} files, ${usedBlocks}/${blocks} blocks`;
  if (verdict === 'damaged') {
    if (mode === 'preen')
      tool.out.text(`${device}: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY (with -y).\n`);
    tool.out.text(`${device}: ********** WARNING: Filesystem still has errors **********\n`);
  }
  if (verdict === 'repaired') tool.out.text(`${device}: ***** FILE SYSTEM WAS MODIFIED *****\n`);
  tool.out.text(`${device}: ${verdict === 'skipped' ? 'clean, ' : ''}${sums}\n`);
  if (verdict === 'repaired') return REPAIRED;
  return verdict === 'damaged' ? DAMAGED : 0;
}

// fsck.fat, fsck.vfat: checks a FAT volume that nobody has mounted, and repairs it. The exit status is
// that of fsck(8).

import { checkFat, type FatCheck } from '../../daemons/fatd/fsck/check.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { program } from '../libc/program.ts';
import { mountedAt, openMedium } from './medium.ts';

const usage = `[-afnpvy] DEVICE

  -n  only look: change nothing               -a, -p, -y  repair what is wrong
  -f  lost chains become files FSCK0000.REC   -v  list what there is

Exit status: 0 all is well, 1 repaired, 4 something is wrong, 8 it could not be checked.`;

const REPAIRED = 1;
const WRONG = 4;
const TROUBLE = 8;

export const main = program({ usage, short: 'afnpvy', trouble: TROUBLE }, (tool, options) => {
  const [device, extra] = options.operands;
  if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
  const repairs = options.has('a', 'p', 'y') && !options.has('n');
  const where = mountedAt(tool.sys, device);
  if (where !== undefined && repairs) return tool.die(`${device} is mounted at ${where}`, TROUBLE);
  const access = repairs ? 'write' : 'read';
  const medium = openMedium(tool, device, { access, status: TROUBLE });
  try {
    const check = checkFat(medium, { lost: options.has('f') ? 'save' : 'free' });
    for (const { text } of check.problems) tool.out.text(`${text}\n`);
    const unsaid = check.problemCount - check.problems.length;
    if (unsaid > 0) tool.out.text(`and ${unsaid} more\n`);
    const left = repairs ? repair(check, () => checkFat(medium, { lost: 'free' })) : check.problems;
    for (const { text } of repairs ? left : []) tool.out.text(`still: ${text}\n`);
    const paths = options.has('v') ? check.nodes.slice(1).map(({ path }) => `/${path}\n`) : [];
    tool.out.text(`${paths.join('')}${device}: ${summary(check)}\n`);
    if (check.problemCount === 0) return 0;
    return left.length > 0 ? WRONG : REPAIRED;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${device}: ${error.message}`, TROUBLE);
  } finally {
    medium.close();
  }
});

/** What is wrong afterwards. */
function repair(check: FatCheck, again: () => FatCheck): FatCheck['problems'] {
  if (check.problemCount === 0) return [];
  check.store();
  return again().problems;
}

function summary({ nodes, usedClusters, vol }: FatCheck): string {
  const files = nodes.filter(({ kind }) => kind === 'file').length;
  const folders = nodes.length - files - 1;
  return `${files} files, ${folders} directories, ${usedClusters}/${vol.clusterEnd - 2} clusters`;
}

// What fsck.fat and fsck.exfat do alike: look, tell, repair, look again. The exit status is that of fsck(8).

import type { Medium } from '../../../daemons/lib/medium.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import { Options } from '../../libc/options.ts';
import { program, type Tool } from '../../libc/program.ts';
import { mountedAt, openMedium } from '../medium.ts';

/** What a check found. */
export interface Checked {
  readonly problems: readonly { readonly text: string }[];
  readonly problemCount: number;
  /** Files and directories; the root is the first. */
  readonly nodes: readonly { readonly path: string; readonly kind: 'file' | 'dir' }[];
  readonly usedClusters: number;
  readonly vol: { readonly clusterEnd: number };
  store(): void;
}

export interface Checker {
  readonly usage: string;
  /** getopt's string: -n looks, -a -p -y repair, -v lists. */
  readonly short: string;
  check(medium: Medium, options: Options): Checked;
}

const REPAIRED = 1;
const WRONG = 4;
const TROUBLE = 8;

export const checkVolume = ({ usage, short, check }: Checker) =>
  program({ usage, short, trouble: TROUBLE }, (tool, options) => {
    const [device, extra] = options.operands;
    if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
    const repairs = options.has('a', 'p', 'y') && !options.has('n');
    const where = mountedAt(tool.sys, device);
    if (where !== undefined && repairs)
      return tool.die(`${device} is mounted at ${where}`, TROUBLE);
    const access = repairs ? 'write' : 'read';
    const medium = openMedium(tool, device, { access, status: TROUBLE });
    try {
      const found = check(medium, options);
      tell(tool, found);
      const left = repairs ? repair(found, () => check(medium, NO_OPTIONS)) : found.problems;
      for (const { text } of repairs ? left : []) tool.out.text(`still: ${text}\n`);
      const paths = options.has('v') ? found.nodes.slice(1).map(({ path }) => `/${path}\n`) : [];
      tool.out.text(`${paths.join('')}${device}: ${summary(found)}\n`);
      if (found.problemCount === 0) return 0;
      return left.length > 0 ? WRONG : REPAIRED;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return tool.die(`${device}: ${error.message}`, TROUBLE);
    } finally {
      medium.close();
    }
  });

const NO_OPTIONS = new Options([], []);

function tell(tool: Tool, { problems, problemCount }: Checked): void {
  for (const { text } of problems) tool.out.text(`${text}\n`);
  const unsaid = problemCount - problems.length;
  if (unsaid > 0) tool.out.text(`and ${unsaid} more\n`);
}

/** What is wrong afterwards. */
function repair(found: Checked, again: () => Checked): Checked['problems'] {
  if (found.problemCount === 0) return [];
  found.store();
  return again().problems;
}

function summary({ nodes, usedClusters, vol }: Checked): string {
  const files = nodes.filter(({ kind }) => kind === 'file').length;
  const folders = nodes.length - files - 1;
  return `${files} files, ${folders} directories, ${usedClusters}/${vol.clusterEnd - 2} clusters`;
}

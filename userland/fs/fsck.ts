// fsck: checks volumes one after the other by the programs of their kinds, fsck.TYPE (util-linux
// fsck(8)). What kind it is, is looked up unless told. Its status has the bits of all of theirs.

import { program, type Tool } from '../libc/program.ts';
import { startProgram, waitFor } from '../libc/spawn.ts';
import { tagsAt } from './blkid.ts';
import { readDisks } from './disks.ts';
import { mountedAt } from './medium.ts';

const usage = `[-AMNTV] [-t TYPE] [DEVICE]... [--] [OPTION]...
  -A  all volumes that are found on the disks and not mounted     -t  of this kind (with -A: these alone)
  -M  mounted ones are left out      -N  tells what would be run      -T  no title      -V  tells what is run
OPTIONs (-a -n -p -y -f …) go to fsck.TYPE. Status: 0 clean, 1 mended, 4 left wrong, 8 trouble, 16 usage.`;

const OPERATIONAL = 8;
const USAGE = 16;
/** Of this program; every other option goes on. */
const OWN = 'AMNRTVt';

export const main = program(
  {
    usage,
    short: 'AMNRTVt:C:s',
    long: { 'pass=': 'pass' },
    trouble: USAGE,
    rewrite: (args) => args.flatMap(split),
  },
  (tool, options) => {
    if (!options.has('T')) tool.out.text('fsck (Atoll)\n');
    const type = options.value('t');
    const all = options.has('A');
    const devices = all ? volumes(tool, type) : options.operands.filter((word) => !isOption(word));
    const extra = options.values('pass');
    if (devices.length === 0 && !all) return tool.misuse('no device given');
    let status = 0;
    for (const device of devices) {
      if ((all || options.has('M')) && mountedAt(tool.sys, device) !== undefined) continue;
      const kind = (all ? undefined : type) ?? tagsAt(tool, device)?.get('TYPE');
      if (kind === undefined) {
        tool.note(`${device}: no file system that is known here`);
        status |= OPERATIONAL;
        continue;
      }
      const argv = [`fsck.${kind}`, ...extra, device];
      if (options.has('N', 'V')) tool.out.text(`${argv.join(' ')}\n`);
      if (!options.has('N')) status |= run(tool, argv);
    }
    return status;
  },
);

const isOption = (word: string): boolean => word.startsWith('-');

/** `-fy`, `--anything`: passed on, letter by letter where they are another program's. */
function split(arg: string): string[] {
  if (!/^-[^-]/.test(arg) || OWN.includes(arg[1] ?? '')) return [arg];
  return [`--pass=${arg}`];
}

function volumes(tool: Tool, type: string | undefined): string[] {
  return readDisks(tool.sys)
    .flatMap(({ path, partitions }) =>
      partitions.length > 0 ? partitions.map((part) => part.path) : [path],
    )
    .filter((path) => {
      const found = tagsAt(tool, path)?.get('TYPE');
      return found !== undefined && (type === undefined || type.split(',').includes(found));
    });
}

function run(tool: Tool, argv: readonly string[]): number {
  const started = startProgram(tool, argv, (name) => `error while executing ${name}`);
  if (typeof started !== 'number') return OPERATIONAL;
  const { status } = waitFor(tool, started);
  return status > 127 ? OPERATIONAL : status;
}

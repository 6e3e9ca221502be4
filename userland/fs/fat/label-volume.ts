// What fatlabel and exfatlabel do alike: show or change the name or the number of a volume that nobody has
// mounted.

import type { Medium } from '../../../daemons/lib/medium.ts';
import { PosixError } from '../../../kernel/abi/errno.ts';
import type { Timespec } from '../../../kernel/abi/stat.ts';
import type { Options } from '../../libc/options.ts';
import { program, type Tool } from '../../libc/program.ts';
import { mountedAt, type OpenMedium, openMedium } from '../medium.ts';

export interface Labeler {
  readonly usage: string;
  /** getopt's string: -i means the number, -r none or one by chance. */
  readonly short: string;
  readName(medium: Medium): { readonly label: string; readonly serial: number };
  writeLabel(medium: Medium, label: string, now: Timespec): void;
  writeSerial(medium: Medium, serial: number): void;
  /** What is printed. */
  shown(what: { readonly label: string } | { readonly serial: string }): string;
}

export const labelVolume = (labeler: Labeler) =>
  program({ usage: labeler.usage, short: labeler.short }, (tool, options) => {
    const [device, text, extra] = options.operands;
    if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
    const writes = text !== undefined || options.has('r');
    const where = mountedAt(tool.sys, device);
    if (where !== undefined && writes) return tool.die(`${device} is mounted at ${where}`);
    const medium = openMedium(tool, device, { access: writes ? 'write' : 'read', status: 1 });
    try {
      if (writes) change(tool, options, { labeler, medium, text });
      else show(tool, options, { labeler, medium });
      return 0;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return tool.die(`${device}: ${error.message}`);
    } finally {
      medium.close();
    }
  });

interface Work {
  readonly labeler: Labeler;
  readonly medium: OpenMedium;
}

function show(tool: Tool, options: Options, { labeler, medium }: Work): void {
  const { label, serial } = labeler.readName(medium);
  const what = options.has('i') ? { serial: serial.toString(16).padStart(8, '0') } : { label };
  tool.out.text(`${labeler.shown(what)}\n`);
}

function change(
  tool: Tool,
  options: Options,
  { labeler, medium, text = '' }: Work & { text: string | undefined },
): void {
  const drops = options.has('r');
  if (!options.has('i')) labeler.writeLabel(medium, drops ? '' : text, tool.sys.now());
  else if (drops) {
    const bytes = new Uint8Array(4);
    tool.sys.getrandom(bytes);
    labeler.writeSerial(medium, new DataView(bytes.buffer).getUint32(0));
  } else if (/^(0x)?[0-9a-f]{1,8}$/i.test(text))
    labeler.writeSerial(medium, Number.parseInt(text.replace(/^0x/i, ''), 16));
  else tool.die(`volume ID must be a hexadecimal number: ${text}`);
}

// fatlabel: shows or changes the name or the number of a FAT volume that nobody has mounted, as
// fatlabel(8) of dosfstools.

import { readName, writeLabel, writeSerial } from '../../daemons/fatd/mkfs/label.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import type { Options } from '../libc/options.ts';
import { program, type Tool } from '../libc/program.ts';
import { mountedAt, type OpenMedium, openMedium } from './medium.ts';

const usage = `[-ir] DEVICE [NEW]

  -i  the volume's number, not its name       -r  no name, or a number by chance`;

export const main = program({ usage, short: 'ir' }, (tool, options) => {
  const [device, text, extra] = options.operands;
  if (device === undefined || extra !== undefined) return tool.misuse('a device is needed');
  const writes = text !== undefined || options.has('r');
  const where = mountedAt(tool.sys, device);
  if (where !== undefined && writes) return tool.die(`${device} is mounted at ${where}`);
  const medium = openMedium(tool, device, { access: writes ? 'write' : 'read', status: 1 });
  try {
    if (writes) change(tool, options, { medium, text });
    else show(tool, options, medium);
    return 0;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    return tool.die(`${device}: ${error.message}`);
  } finally {
    medium.close();
  }
});

function show(tool: Tool, options: Options, medium: OpenMedium): void {
  const { label, serial } = readName(medium);
  const id = serial.toString(16).padStart(8, '0');
  tool.out.text(`${options.has('i') ? id : label}\n`);
}

function change(
  tool: Tool,
  options: Options,
  { medium, text }: { medium: OpenMedium; text: string | undefined },
): void {
  if (!options.has('i')) writeLabel(medium, options.has('r') ? '' : (text ?? ''), tool.sys.now());
  else if (options.has('r')) {
    const bytes = new Uint8Array(4);
    tool.sys.getrandom(bytes);
    writeSerial(medium, new DataView(bytes.buffer).getUint32(0));
  } else if (/^[0-9a-f]{1,8}$/i.test(text ?? ''))
    writeSerial(medium, Number.parseInt(text ?? '', 16));
  else tool.die(`volume ID must be a hexadecimal number: ${text}`);
}

// mknod: makes device files and FIFOs. GNU coreutils §12.7: NAME b|c|u MAJOR MINOR, NAME p.

import { S_IFBLK, S_IFCHR, S_IFIFO } from '../../kernel/abi/constants.ts';
import { PosixError, strerror } from '../../kernel/abi/errno.ts';
import { applyMode, currentUmask, parseMode } from '../libc/files/mode.ts';
import { program } from '../libc/program.ts';
import { maybeQuoted, quotedArgument } from '../libc/text/quote.ts';

export const main = program(
  { usage: '[-m MODE] NAME TYPE [MAJOR MINOR]', short: 'm:', long: { 'mode=': 'm' } },
  (tool, options) => {
    const [name, type, major, minor] = options.operands;
    if (name === undefined) return tool.missingOperand();
    if (type === undefined) return tool.misuse(`missing operand after ${quotedArgument(name)}`);
    const kinds: Readonly<Record<string, number>> = {
      b: S_IFBLK,
      c: S_IFCHR,
      u: S_IFCHR,
      p: S_IFIFO,
    };
    const kind = kinds[type] ?? tool.misuse(`invalid device type ${quotedArgument(type)}`);
    if (kind !== S_IFIFO && (major === undefined || minor === undefined))
      tool.misuse('Special files require major and minor device numbers.');
    const extra = options.operands[kind === S_IFIFO ? 2 : 4];
    if (extra !== undefined) tool.misuse(`extra operand ${quotedArgument(extra)}`);
    const text = options.value('m') ?? '666';
    const change = parseMode(text) ?? tool.die(`invalid mode`);
    const mode = applyMode(change, 0o666, currentUmask(tool.sys));
    const numbers = [Number(major ?? 0), Number(minor ?? 0)];
    if (numbers.some((n) => !Number.isInteger(n))) tool.die('invalid device number');
    const [high = 0, low = 0] = numbers;
    const rdev = (low & 0xff) | (high << 8) | ((low & ~0xff) << 12);
    try {
      tool.sys.mknod(name, kind | mode, rdev);
      return 0;
    } catch (error) {
      if (!(error instanceof PosixError)) throw error;
      return tool.die(`${maybeQuoted(name)}: ${strerror(error.errno)}`);
    }
  },
);

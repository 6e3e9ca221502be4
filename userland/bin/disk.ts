// disk: which disks there are; pulls one out, and plugs it in again, while the machine runs.

import { O_RDONLY, O_WRONLY } from '../../kernel/abi/constants.ts';
import { encodeText } from '../../kernel/abi/text.ts';
import { program } from '../libc/program.ts';
import { Input } from '../libc/stdio.ts';

const SDCTL = '/dev/sd/sdctl';

export const main = program(
  { usage: '[list | attach NAME | detach NAME]', short: '' },
  (tool, { operands: [verb = 'list', name, ...more] }) => {
    const { sys } = tool;
    if (verb === 'list' && name === undefined) {
      const input = new Input(sys, sys.open(SDCTL, O_RDONLY));
      for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk()) {
        tool.out.write(chunk);
      }
      return;
    }
    if (verb !== 'attach' && verb !== 'detach') return tool.misuse(`unknown command '${verb}'`);
    if (name === undefined || more.length > 0) return tool.misuse(`${verb} takes one disk`);
    tool.attempt(`cannot ${verb} ${name}`, () => {
      const fd = sys.open(SDCTL, O_WRONLY);
      sys.write(fd, encodeText(`${verb} ${name}\n`));
    });
  },
);

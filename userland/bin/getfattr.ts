// getfattr: extended attributes (xattr(7)): names, or values with -d or -n NAME.

import { decodeText } from '../../kernel/abi/text.ts';
import { program } from '../libc/program.ts';
import { maybeQuoted } from '../libc/text/quote.ts';

export const main = program(
  {
    usage: '[-d] [-n NAME] [-m PATTERN] [--only-values] FILE...',
    short: 'dn:m:h',
    long: { dump: 'd', 'name=': 'n', 'match=': 'm', 'only-values': 'only' },
  },
  (tool, options) => {
    const { sys } = tool;
    const wanted = options.value('n');
    const pattern = options.value('m');
    const chosen = (name: string): boolean =>
      pattern === undefined
        ? name.startsWith('user.')
        : pattern === '-' || name.includes(pattern.replace(/^\^/, ''));
    for (const path of options.operands)
      tool.attempt(
        wanted === undefined ? maybeQuoted(path) : `${maybeQuoted(path)}: ${wanted}`,
        () => {
          const names = wanted === undefined ? sys.listxattr(path).filter(chosen) : [wanted];
          if (names.length === 0) return;
          const lines: string[] = [];
          for (const name of names) {
            if (wanted === undefined && !options.has('d')) lines.push(name);
            else {
              const value = sys.getxattr(path, name);
              if (options.has('only')) {
                tool.out.write(value);
                return;
              }
              lines.push(`${name}=${valueText(value)}`);
            }
          }
          tool.out.text(`# file: ${path.replace(/^\/+/, '')}\n${lines.join('\n')}\n\n`);
        },
      );
  },
);

/** In quotes when it is text, 0x… when it is not. */
function valueText(value: Uint8Array): string {
  if (value.every((byte) => byte >= 32 && byte !== 127))
    return `"${decodeText(value).replace(/["\\]/g, '\\$&')}"`;
  return `0x${[...value].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

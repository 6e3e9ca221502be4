// Writes dist/boot.cpio, the archive that every machine boots from: /bin with a file for each native
// program, /etc, and nothing else. `npm run build` runs it after the compiler.

import { writeFileSync } from 'node:fs';
import { S_IFDIR, S_IFREG } from '../kernel/abi/constants.ts';
import { encodeText } from '../kernel/abi/text.ts';
import { type NewCpioEntry, writeCpio } from '../kernel/fs/cpio.ts';
import { programs } from '../userland/bin/registry.ts';
import { etcFiles } from './etc.ts';

const directory = (name: string): NewCpioEntry => ({ name, mode: S_IFDIR | 0o755 });
const file = (name: string, mode: number, text: string): NewCpioEntry => ({
  ...{ name, mode: S_IFREG | mode },
  data: encodeText(text),
});

const archive = writeCpio([
  directory('bin'),
  ...Object.keys(programs).map((name) => file(`bin/${name}`, 0o755, `#!native ${name}\n`)),
  directory('etc'),
  ...Object.entries(etcFiles).map(([name, text]) => file(`etc/${name}`, 0o644, text)),
]);
writeFileSync(new URL('../boot.cpio', import.meta.url), archive);

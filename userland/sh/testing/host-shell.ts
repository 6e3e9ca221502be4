// The shell as a host process, for tests: `node host-shell.js [sh's arguments]`.

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '../main.ts';
import { runOnHost } from './host-sys.ts';

function inherited(): number[] {
  const fds: number[] = [];
  for (let fd = 0; fd < 10; fd++) {
    try {
      fs.fstatSync(fd);
      fds.push(fd);
    } catch {
      break; // node keeps its own descriptors above those that it inherited
    }
  }
  return fds;
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'atoll-sh-'));
const env = new Map(Object.entries(process.env).filter((e): e is [string, string] => !!e[1]));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));
process.exitCode = runOnHost(main, {
  argv: ['sh', ...process.argv.slice(2)],
  env,
  fds: inherited(),
  shellModule: fileURLToPath(import.meta.url),
  scratch,
});
process.exit();

// The shell as a host process, for tests: `node host-shell.js [sh's arguments]`.

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '../main.ts';
import { runOnHost } from './host-sys.ts';

function inherited(): number[] {
  const count = Number(process.env['FDS'] ?? 3); // node keeps descriptors of its own above these
  return Array.from({ length: count }, (_, fd) => fd);
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'atoll-sh-'));
const env = new Map(
  Object.entries(process.env).flatMap(([k, v]) =>
    v === undefined || k === 'FDS' || k === 'NOTE' ? [] : [[k, v] as const],
  ),
);
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));
process.exitCode = runOnHost(main, {
  argv: ['sh', ...process.argv.slice(2)],
  env,
  fds: inherited(),
  shellModule: fileURLToPath(import.meta.url),
  scratch,
});
process.exit();

// Writes dist/bundle: what tsc left in dist, joined into few files, so that a worker is up after half the
// time (docs/performance.md, "Boot"). `npm run build` runs it after the compiler; host/code.ts chooses.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { moduleOf } from '../userland/bin/load.ts';
import { programs } from '../userland/bin/registry.ts';

const dist = fileURLToPath(new URL('..', import.meta.url));
/** Where userland/bin/load.ts looks for them, each once. */
const modules = Object.keys(programs).map((name) => join('userland/bin', moduleOf(name)));

rmSync(`${dist}bundle`, { recursive: true, force: true });
await build({
  entryPoints: [
    ...['index.js', 'scripts/atoll.js', 'drivers/hw/seat.js'],
    ...['kernel/main.js', 'drivers/main.js', 'daemons/main.js', 'userland/main.js'],
    ...new Set(['userland/bin/load.js', 'userland/sh/main.js', ...modules]),
  ].map((path) => `${dist}${path}`),
  outbase: dist,
  outdir: `${dist}bundle`,
  // userland/bin/load.ts names programs by their place beside it: it is a file of its own, and what all
  // share lies there, too.
  chunkNames: 'userland/bin/chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
});

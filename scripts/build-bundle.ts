// Writes dist/bundle: what tsc left in dist, joined into few files, so that a worker is up after half the
// time (docs/performance.md, "Boot"). `npm run build` runs it after the compiler; host/code.ts chooses.

import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = fileURLToPath(new URL('..', import.meta.url));
// By their sources: what was deleted may still lie compiled in dist.
const programs = ['bin', 'fs'].flatMap((folder) =>
  readdirSync(`${dist}../userland/${folder}`)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => `userland/${folder}/${name.replace(/ts$/, 'js')}`),
);

rmSync(`${dist}bundle`, { recursive: true, force: true });
await build({
  entryPoints: [
    ...['index.js', 'scripts/atoll.js', 'drivers/hw/seat.js'],
    ...['kernel/main.js', 'drivers/main.js', 'daemons/main.js', 'userland/main.js'],
    ...['userland/sh/main.js', ...programs],
  ].map((path) => `${dist}${path}`),
  outbase: dist,
  outdir: `${dist}bundle`,
  // userland/bin/load.ts names programs by their place beside it, so what all share lies there, too.
  chunkNames: 'userland/bin/chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
});

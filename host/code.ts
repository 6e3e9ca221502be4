// Where this package's code and files lie: the modules that workers run, as tsc left them or, when they are
// not older, joined into few files by scripts/build-bundle.ts.

import { existsSync, statSync } from 'node:fs';
import type { RoleModules } from '../drivers/hw/power.ts';

const PLAIN = 'dist/';
const BUNDLE = 'dist/bundle/';

/** The folder of this package; the code that asks may be in any folder of it. */
const root = ((): URL => {
  let folder = new URL('.', import.meta.url);
  while (!existsSync(new URL('package.json', folder)) && folder.pathname !== '/') {
    folder = new URL('..', folder);
  }
  return folder;
})();

/** A file of this package, by its path from there. */
export const packageFile = (path: string): URL => new URL(path, root);

/** The modules of the roles; `bundled: false`: each file for itself, to be mixed with others. */
export function roleModules(bundled: boolean): RoleModules {
  const folder = bundled && bundleIsFresh() ? BUNDLE : PLAIN;
  const at = (path: string): string => packageFile(`${folder}${path}`).href;
  return {
    seat: at('drivers/hw/seat.js'),
    kernel: at('kernel/main.js'),
    driver: at('drivers/main.js'),
    volume: at('daemons/main.js'),
    process: at('userland/main.js'),
    inKernel: at('daemons/main.js'),
  };
}

/** Whoever runs the compiler alone gets what it wrote. */
function bundleIsFresh(): boolean {
  const written = (path: string): number =>
    statSync(packageFile(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return written(`${BUNDLE}kernel/main.js`) >= Math.max(1, written(`${PLAIN}kernel/main.js`));
}

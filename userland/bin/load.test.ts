// Claims about loading programs by name.

import { existsSync } from 'node:fs';
import test from 'ava';
import { loadProgram, moduleOf } from './load.ts';
import { programs } from './registry.ts';

test('each program of the registry is loaded under its name', async (t) => {
  for (const [name, program] of Object.entries(programs)) {
    t.is(await loadProgram(name), program, name);
  }
});

test('what is no program is none', async (t) => {
  for (const name of ['nosuch', 'registry', '../sh/main', '', '__proto__', 'constructor']) {
    t.is(await loadProgram(name), undefined, name);
  }
});

test('each program of the registry is in the bundle, too', async (t) => {
  const bundle = new URL('../../bundle/userland/bin/load.test.js', import.meta.url);
  for (const name of Object.keys(programs)) {
    t.true(existsSync(new URL(moduleOf(name), bundle)), name);
  }
});

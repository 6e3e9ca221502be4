// For tests: new volumes by our mkfs, mounted in one thread.

import { imageMedium } from '../lib/memory/image-medium.ts';
import { TestClient } from '../lib/testing/client.ts';
import { Machine, type MachineOptions } from '../lib/testing/machine.ts';
import { checkVolume } from './fsck/check.ts';
import type { MkfsRequest } from './mkfs/geometry.ts';
import { mkfs } from './mkfs/mkfs.ts';
import { mountHfs, mountHfsPlus } from './mount.ts';

export type NewVolume = Pick<MkfsRequest, 'kind'> & Partial<MkfsRequest>;

export function newVolume(request: NewVolume): Uint8Array {
  const image = new Uint8Array(request.sizeBytes ?? 8 << 20);
  mkfs(
    imageMedium(image),
    {
      ...{ label: 'Test', blockSize: undefined, journalBytes: 0, caseSensitive: false },
      ...{ sizeBytes: image.length, ...request },
    },
    { nowSec: 1_760_000_000, random: () => 0x1234_5678 },
  );
  return image;
}

export interface Session {
  readonly machine: Machine;
  readonly client: TestClient;
}

export function mounted(
  kind: MkfsRequest['kind'],
  image: Uint8Array,
  more: Partial<MachineOptions> = {},
): Session {
  const format = kind === 'hfs' ? mountHfs : mountHfsPlus;
  const machine = new Machine({ image, format, ...more });
  machine.mount();
  const client = new TestClient(machine);
  client.attach();
  return { machine, client };
}

/** What a check finds wrong with an unmounted volume. */
export const problemsOf = (image: Uint8Array): readonly string[] =>
  checkVolume(imageMedium(image), 3_800_000_000).problems;

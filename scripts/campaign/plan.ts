// The plan of one run: which operations in which order, and which faults. All of it comes from the
// seed, and all of it can be dropped piece by piece to see what a failure needs.

import { STRATEGIES, type Strategy } from '../../kernel/ipc/baton/strategy.ts';
import { namedStream, type RandomStream } from '../../kernel/ipc/random-stream.ts';

export type Operation =
  | { readonly do: 'write'; readonly file: string; readonly at: number; readonly bytes: number }
  | { readonly do: 'append'; readonly file: string; readonly bytes: number }
  | { readonly do: 'truncate'; readonly file: string; readonly size: number }
  | { readonly do: 'rename'; readonly file: string; readonly to: string }
  | { readonly do: 'unlink'; readonly file: string }
  | { readonly do: 'fsync'; readonly file: string };

export interface Plan {
  readonly scenario: string;
  readonly seed: number;
  readonly strategy: Strategy;
  /** For each actor its own, on files of its own; the actors run side by side. */
  readonly operations: readonly (readonly Operation[])[];
  /** Fault rules (docs/faults.md). */
  readonly faults: readonly string[];
}

export interface Scenario {
  readonly about: string;
  /** How often each operation comes, as shares. */
  readonly shares: Readonly<Partial<Record<Operation['do'], number>>>;
  readonly faults: (random: RandomStream) => string[];
}

const pick = <T>(random: RandomStream, from: readonly T[]): T =>
  from[random.below(from.length)] as T;

const powerCut = (random: RandomStream): string =>
  `on blk.sdC0.write nth=${1 + random.below(60)} do power ${pick(random, ['none', 'prefix', 'subset', 'torn'])}`;

const kill = (random: RandomStream): string => {
  const message = pick(random, ['Twrite', 'Trename*', 'Tlcreate', 'Tunlinkat', 'Tfsync', 'T*']);
  const [service, name] = random.below(3) === 0 ? ['ahci', 'T*'] : ['ext4fs', message];
  return `on ipc.${service}.${name} nth=${1 + random.below(120)} do crash`;
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'fsync-storm': {
    about: 'writes and fsyncs, then the power is cut: what was fsynced is whole',
    shares: { write: 4, append: 3, fsync: 4, truncate: 1 },
    faults: (random) => [powerCut(random)],
  },
  'rename-storm': {
    about: 'files made, renamed over each other and deleted, then the power is cut',
    shares: { write: 2, rename: 5, unlink: 2, fsync: 3, append: 1 },
    faults: (random) => [powerCut(random)],
  },
  kills: {
    about: 'the file system and the driver die again and again: nobody notices',
    shares: { write: 4, append: 3, fsync: 2, truncate: 1, rename: 3, unlink: 1 },
    faults: (random) => Array.from({ length: 1 + random.below(4) }, () => kill(random)),
  },
  'kills-and-cut': {
    about: 'servers die, and in the middle of it the power is cut',
    shares: { write: 4, append: 3, fsync: 4, truncate: 1, rename: 3, unlink: 1 },
    faults: (random) => [kill(random), kill(random), powerCut(random)],
  },
};

const ACTORS = 2;
const OPERATIONS = 30;
const FILES = 4;
const LARGEST = 40_000;

export function planOf(name: string, seed: number): Plan {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  const random = namedStream(seed, `plan ${name}`);
  const operations = Array.from({ length: ACTORS }, (_, actor) =>
    Array.from({ length: OPERATIONS }, () => operation(random, scenario, actor)),
  );
  const faults = scenario.faults(namedStream(seed, `faults ${name}`));
  return { scenario: name, seed, strategy: pick(random, STRATEGIES), operations, faults };
}

function operation(random: RandomStream, { shares }: Scenario, actor: number): Operation {
  const deck = Object.entries(shares).flatMap(([name, share]) => Array<string>(share).fill(name));
  const file = `a${actor}-${random.below(FILES)}`;
  const bytes = 1 + random.below(LARGEST);
  switch (pick(random, deck) as Operation['do']) {
    case 'write':
      return { do: 'write', file, at: random.below(LARGEST), bytes };
    case 'append':
      return { do: 'append', file, bytes };
    case 'truncate':
      return { do: 'truncate', file, size: random.below(LARGEST) };
    case 'rename':
      return { do: 'rename', file, to: `a${actor}-${random.below(FILES)}` };
    case 'unlink':
      return { do: 'unlink', file };
    case 'fsync':
      return { do: 'fsync', file };
  }
}

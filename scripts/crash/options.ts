// The command line of `npm run crash`.

import { parseArgs } from 'node:util';
import { PLANTS, type Plant } from './bugs/plants.ts';
import { FORMATS } from './formats.ts';
import { SPECIAL } from './workload/ace.ts';
import { WorkloadError } from './workload/language.ts';

export const USAGE = `Usage: npm run crash -- [option]... [WORKLOAD]...
Cuts the power at every point of workloads, and looks at what is left.

  WORKLOAD           singles, pairs, together, special, allocating (extents alone), one of those with names, or operations:
                     'append A/foo 3000; fsync A/foo; rename A/foo B/bar'
  --fs NAME          ${FORMATS.join(', ')}
  --seed N           for what is not tried exhaustively, and for the pairs; 1 unless given
  --images N         different images in all; 24000 unless given
  --pairs N          how many pairs are drawn, and half as many of what comes together; 120 unless given
  --workers N        threads; 2 unless given
  --real N           every N-th recovered volume goes to the real checker; 50 unless given
  --keep-going       a violation does not end the campaign
  --replay CUT       one image of one workload, as a failure names it
  --save FILE        with --replay: writes the image to a file
  --list             the workloads, one a line
  --plant BUG        tests the tester: plants a bug, which must be found
  --distort BUG      only its part that lies in the disk

Bugs: ${Object.keys(PLANTS).join(', ')}.

The special ones: ${Object.keys(SPECIAL).join(', ')}.
`;

export interface CrashOptions {
  readonly fs: string;
  readonly seed: number;
  readonly images: number;
  readonly pairs: number;
  readonly workers: number;
  readonly realEvery: number;
  readonly keepGoing: boolean;
  readonly replay: string | undefined;
  readonly save: string | undefined;
  readonly list: boolean;
  readonly plant: Plant | undefined;
  readonly distort: string | undefined;
  readonly help: boolean;
  readonly workloads: readonly string[];
}

export function readOptions(args: readonly string[]): CrashOptions {
  const { values, positionals } = parse(args);
  if (!FORMATS.includes(values.fs)) {
    throw new WorkloadError(`--fs ${values.fs}: known are ${FORMATS.join(', ')}`);
  }
  return {
    fs: values.fs,
    seed: count('--seed', values.seed),
    images: count('--images', values.images),
    pairs: count('--pairs', values.pairs),
    workers: Math.max(1, count('--workers', values.workers)),
    realEvery: Math.max(1, count('--real', values.real)),
    keepGoing: values['keep-going'],
    replay: values.replay,
    save: values.save,
    list: values.list,
    plant: plantNamed(values.plant),
    distort: values.distort ?? plantNamed(values.plant)?.distort,
    help: values.help,
    workloads: positionals,
  };
}

function plantNamed(name: string | undefined): Plant | undefined {
  if (name === undefined || PLANTS[name] !== undefined) return name ? PLANTS[name] : undefined;
  throw new WorkloadError(`--plant ${name}: known are ${Object.keys(PLANTS).join(', ')}`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        fs: { type: 'string', default: 'ext4' },
        seed: { type: 'string', default: '1' },
        images: { type: 'string', default: '24000' },
        pairs: { type: 'string', default: '120' },
        workers: { type: 'string', default: '2' },
        real: { type: 'string', default: '50' },
        'keep-going': { type: 'boolean', default: false },
        replay: { type: 'string' },
        save: { type: 'string' },
        plant: { type: 'string' },
        distort: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new WorkloadError(error instanceof Error ? error.message : String(error));
  }
}

function count(option: string, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new WorkloadError(`${option} ${text}: not a number`);
  return value;
}

// `npm run differ -- --seeds 1..200 [--program NAME]... [--most N] [--words]`: random command lines of the
// programs, here and with the host's own tools. A difference is told as the smallest script that shows it.

import { boot } from '../../index.ts';
import { commandOptions } from '../testing/arguments.ts';
import { campaign } from './campaign.ts';
import { table } from './programs.ts';

const USAGE = `Usage: npm run differ -- --seeds A..B [--program NAME]... [--most N] [--words]
  --seeds A..B     one case of each program for each seed
  --program NAME   all unless given; may be repeated
  --most N         differences of one program that are shown, 3 unless given
  --words          the words of messages, too, must be the same
`;

const { values } = commandOptions(USAGE, {
  options: {
    seeds: { type: 'string', default: '1..100' },
    program: { type: 'string', multiple: true },
    most: { type: 'string', default: '3' },
    words: { type: 'boolean', default: false },
  },
});
const seeds = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seeds);
const programs = values.program ?? Object.keys(table);
const unknown = programs.filter((name) => !Object.hasOwn(table, name));
if (seeds === null || unknown.length > 0) {
  for (const name of unknown) process.stderr.write(`no cases of ${name}\n`);
  process.stderr.write(USAGE);
  process.exit(2);
}
const os = await boot();
try {
  const [, first = '1', last = first] = seeds;
  const range = [Number(first), Number(last)] as const;
  const strictness = values.words ? 'words' : 'kind';
  const options = { seeds: range, programs, most: Number(values.most), strictness } as const;
  const { cases, failures } = await campaign(os, options, (line) => console.log(line));
  for (const [name, count] of failures) console.log(`${name}: ${count} differ`);
  console.log(`${cases} cases, ${[...failures.values()].reduce((a, b) => a + b, 0)} differ`);
  process.exitCode = failures.size > 0 ? 1 : 0;
} finally {
  await os.shutdown();
}

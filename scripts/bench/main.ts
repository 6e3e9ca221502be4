// `npm run bench`: one table of what Atoll costs beside what the host's own means cost in the same
// run. A report, not a gate: it names what is under its target and exits 0.

import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { commandOptions } from '../testing/arguments.ts';
import { controllerCalled } from '../testing/controller.ts';
import { behind, formatNames, formatRows, formatsMarkdown } from './formats/formats.ts';
import type { Result, Row } from './row.ts';
import { machineRows } from './rows/machine.ts';
import { nameRows } from './rows/names.ts';
import { processRows } from './rows/processes.ts';
import { readRows } from './rows/reads.ts';
import { writeRows } from './rows/writes.ts';
import { Stage } from './stage.ts';
import { head, line, markdown, verdict } from './table.ts';

const rows: readonly Row[] = [
  ...readRows,
  ...writeRows,
  ...nameRows,
  ...processRows,
  ...machineRows,
];

const USAGE = `Usage: npm run bench -- [--quick] [--markdown] [--json FILE] [ROW]...
       npm run bench -- --formats [--quick] [--markdown] [FORMAT]...
Measures the rows named, or all, and writes the report to bench.json (or FILE).

  --controller NAME  what the disk is plugged into: ahci, ide, virtio
  --formats    another table: every format on every controller (${formatNames.join(', ')})
  --quick      small sizes, one round: to see that all of it works
  --markdown   print the table as docs/performance.md holds it

${rows.map(({ id, what }) => `  ${id.padEnd(12)} ${what}`).join('\n')}
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = commandOptions(USAGE, {
    allowPositionals: true,
    options: {
      controller: { type: 'string', default: 'ahci' },
      formats: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      json: { type: 'string', default: 'bench.json' },
    },
  });
  const known = values.formats ? formatNames : rows.map(({ id }) => id);
  const unknown = positionals.filter((id) => !known.includes(id));
  if (unknown.length > 0) {
    const what = values.formats ? 'format' : 'row';
    process.stdout.write(`${unknown.map((id) => `no ${what} '${id}'\n`).join('')}${USAGE}`);
    return 2;
  }
  if (values.formats) {
    const names = positionals.length > 0 ? positionals : formatNames;
    return await formats({ names, quick: values.quick, markdown: values.markdown });
  }
  const chosen = rows.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
  const results = await measure(
    chosen,
    new Stage({ quick: values.quick, controller: controllerCalled(values.controller) }),
  );
  const report = {
    machine: machine(),
    controller: values.controller,
    quick: values.quick,
    rows: results,
  };
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (values.markdown) process.stdout.write(`\n${where()}\n\n${markdown(results)}`);
  const missed = results.filter((result) => verdict(result) === 'NOT MET').map(({ id }) => id);
  process.stdout.write(
    missed.length === 0 ? '\nEvery target is met.\n' : `\nUnder target: ${missed.join(', ')}\n`,
  );
  return 0;
}

async function formats(of: {
  names: readonly string[];
  quick: boolean;
  markdown: boolean;
}): Promise<number> {
  const stage = new Stage({ quick: of.quick, controller: 'ahci' });
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(where());
  try {
    const rows = await formatRows(stage, { names: of.names, say });
    if (of.markdown) say(`\n${formatsMarkdown(rows)}`);
    const slower = behind(rows);
    say(slower.length === 0 ? 'Ahead of each of them.' : `Behind:\n  ${slower.join('\n  ')}`);
  } finally {
    stage.end();
  }
  return 0;
}

/** A row that fails is told and left out; the others are still worth having. */
async function measure(chosen: readonly Row[], stage: Stage): Promise<Result[]> {
  const results: Result[] = [];
  process.stdout.write(`${where()}\n${head()}\n`);
  try {
    for (const row of chosen) {
      process.stderr.write(process.stderr.isTTY ? `${row.id} …\r` : '');
      try {
        const { run, ...what } = row;
        const result = { ...what, ...(await run(stage)) };
        results.push(result);
        process.stdout.write(`${line(result)}\n`);
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error);
        process.stdout.write(`${row.id.padEnd(12)}  could not be measured: ${words}\n`);
      }
    }
  } finally {
    stage.end();
  }
  return results;
}

function machine() {
  return {
    cpu: cpus()[0]?.model ?? '',
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / 1e6),
    node: process.version,
    kernel: release(),
    date: new Date().toISOString(),
  };
}

function where(): string {
  const { cpu, cores, memoryMb, node, kernel } = machine();
  return `${cpu}, ${cores} cores, ${Math.round(memoryMb / 1000)} GB, Linux ${kernel}, Node ${node}`;
}

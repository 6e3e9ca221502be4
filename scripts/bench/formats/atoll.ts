// Atoll's own figures for a mounted volume: the program `bench` in the machine does the work. Reads are cold:
// what the machine has cached of the file is dropped before each round.

import type { Atoll } from '../../../host/atoll.ts';
import { median } from '../row.ts';
import { drop, type Inside, inside, sh } from '../stage.ts';
import { type Figures, type Load, PAGE, perSecond } from './load.ts';

/** In the machine's memory: what is copied to each volume. */
const SOURCE = '/tmp/many';

export async function makeSource(os: Atoll, { files }: Load): Promise<void> {
  await sh(os, `mkdir ${SOURCE}`);
  await inside(os, `-k -n ${files} files ${SOURCE}`);
}

export async function atollFigures(os: Atoll, dir: string, load: Load): Promise<Figures> {
  const { bytes, piece, accesses, files, rounds } = load;
  const inOrder = `-n ${bytes / piece} -s ${piece}`;
  const anywhere = `-n ${accesses} -s ${PAGE}`;
  const write = await inside(os, `${inOrder} -r ${rounds} write ${dir}/big`);
  const read = await eachRound(rounds, async () => {
    await drop(os);
    return await inside(os, `${inOrder} read ${dir}/big`);
  });
  const pread = await eachRound(rounds, async () => {
    await drop(os);
    return await inside(os, `${anywhere} pread ${dir}/big`);
  });
  const pwrite = await inside(os, `${anywhere} -r ${rounds} pwrite ${dir}/big`);
  const made = await eachRound(rounds, async (round) => {
    await sh(os, `mkdir ${dir}/many${round}`);
    return await inside(os, `-k -y -n ${files} files ${dir}/many${round}`);
  });
  const copied = await eachRound(rounds, async (round) => {
    const copy = await inside(os, `-n 1 -y run 'cp -r ${SOURCE} ${dir}/copy${round}'`);
    await sh(os, `[ "$(ls ${dir}/copy${round} | wc -l)" = ${files} ]`);
    return copy;
  });
  return {
    write: write.mbPerSecond,
    read: middle(read, ({ mbPerSecond }) => mbPerSecond),
    pread: 1e6 / middle(pread, ({ meanUs }) => meanUs),
    pwrite: 1e6 / pwrite.meanUs,
    files: 1e6 / middle(made, ({ meanUs }) => meanUs),
    copied: perSecond(
      files,
      middle(copied, ({ totalMs }) => totalMs),
    ),
  };
}

const middle = (rounds: readonly Inside[], figure: (round: Inside) => number): number =>
  median(rounds.map(figure));

async function eachRound(
  rounds: number,
  body: (round: number) => Promise<Inside>,
): Promise<Inside[]> {
  const out: Inside[] = [];
  for (let round = 0; round < rounds; round++) out.push(await body(round));
  return out;
}

// Four processes that write, each in a directory of its own, in rounds; and the model of what they
// leave: after so many rounds every byte is known.

import type { Atoll } from '../../index.ts';

const WRITERS = 4;
const FILES = 8;

const SCRIPT = `
cd /mnt/sdC0; mkdir -p w$me; cd w$me; i=0; : > log
while [ $i -lt $rounds ] && [ ! -e /tmp/stop ]; do
  echo "writer $me round $i of many, a line that is appended" >> log
  echo "content of round $i by writer $me" > new
  mv new file$((i % ${FILES}))
  [ $((i % 3)) != 0 ] || sync log
  [ $((i % 5)) != 0 ] || { mkdir d$i; rmdir d$i; }
  i=$((i + 1))
done
echo $i
`;

class Writers {
  readonly problems: string[] = [];
  readonly #os: Atoll;
  readonly #rounds: Promise<number>[];

  constructor(os: Atoll, rounds: number) {
    this.#os = os;
    this.#rounds = Array.from({ length: WRITERS }, (_, me) => this.#run(me, rounds));
  }

  get failed(): boolean {
    return this.problems.length > 0;
  }

  /** How many rounds each did. */
  finish(): Promise<number[]> {
    return Promise.all(this.#rounds);
  }

  async stop(): Promise<number[]> {
    await this.#os.fs.writeFile('/tmp/stop', '');
    return this.finish();
  }

  async #run(me: number, rounds: number): Promise<number> {
    const most = Math.min(rounds, 1_000_000);
    const { status, stdout, stderr } = await this.#os.exec(`me=${me}; rounds=${most}; ${SCRIPT}`);
    if (status !== 0 || stderr !== '')
      this.problems.push(`writer ${me}: status ${status}: ${stderr}`);
    return Number(stdout);
  }
}

export const startWriters = (os: Atoll, rounds: number): Writers => new Writers(os, rounds);

/** Compares what is there with what must be there, through the system and past its caches. */
export async function check(os: Atoll, rounds: readonly number[]): Promise<string[]> {
  const problems: string[] = [];
  await os.exec('sync; echo 3 > /proc/sys/vm/drop_caches');
  for (const [me, count] of rounds.entries()) {
    const dir = `/mnt/sdC0/w${me}`;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const files = new Map([
      [
        'log',
        numbers.map((i) => `writer ${me} round ${i} of many, a line that is appended\n`).join(''),
      ],
    ]);
    for (const i of numbers)
      files.set(`file${i % FILES}`, `content of round ${i} by writer ${me}\n`);
    const names = (await os.fs.readdir(dir)).sort();
    const wanted = [...files.keys()].sort();
    if (names.join() !== wanted.join()) problems.push(`${dir} holds ${names}, not ${wanted}`);
    for (const [name, content] of files) {
      const found = names.includes(name) ? await os.fs.readFile(`${dir}/${name}`, 'utf8') : content;
      if (found !== content) problems.push(`${dir}/${name} has ${found.length} other bytes`);
    }
  }
  return problems;
}

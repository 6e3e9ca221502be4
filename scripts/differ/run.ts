// Runs many cases with one shell, in the machine and on the host, and tells for each what came of it.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Atoll } from '../../index.ts';
import { type Case, linesOf } from './case.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

const ENV = { LC_ALL: 'C', TZ: 'UTC', TMPDIR: '/tmp' };
const MARK = '@@case';
/** What takes longer has hung. */
const PATIENCE_MS = 120_000;

/** The script of a batch: each case in a directory of its own, marks in both streams before each. */
function scriptOf(cases: readonly Case[]): string {
  const parts = cases.map((one, i) => {
    const { before, command, after } = linesOf(one);
    const status = `${MARK}status %d\\n`;
    return [
      `mkdir ${i}; cd ${i}`,
      ...before,
      `printf '\\n${MARK} ${i}\\n'; printf '\\n${MARK} ${i}\\n' >&2`,
      command,
      `printf '\\n${status}' $?`,
      ...after,
      'cd ..',
    ].join('\n');
  });
  return [...parts, `printf '\\n${MARK} end\\n'; printf '\\n${MARK} end\\n' >&2`].join('\n');
}

function parsed(count: number, stdout: string, stderr: string): (Outcome | undefined)[] {
  const [outs, errs] = [stdout, stderr].map((text) => {
    const parts = new Map<number, string>();
    // What no mark follows was cut off in its middle.
    for (const part of text.split(`\n${MARK} `).slice(1, -1)) {
      const end = part.indexOf('\n');
      parts.set(Number(part.slice(0, end)), part.slice(end + 1));
    }
    return parts;
  });
  return Array.from({ length: count }, (_, i) => {
    const [out, err] = [outs?.get(i), errs?.get(i)];
    const match = new RegExp(`\\n${MARK}status (\\d+)\\n`).exec(out ?? '');
    if (out === undefined || err === undefined || match === null) return undefined;
    const text = out.slice(0, match.index) + out.slice(match.index + match[0].length);
    return { stdout: text, stderr: err, status: Number(match[1]) };
  });
}

export class Machine {
  readonly #os: Atoll;
  readonly #where: string;
  #count = 0;

  /** `where` is a directory of the machine. */
  constructor(os: Atoll, where: string) {
    this.#os = os;
    this.#where = where;
  }

  /** Undefined for what hung, and for what stood behind it. */
  async run(cases: readonly Case[]): Promise<(Outcome | undefined)[]> {
    const cwd = `${this.#where}/differ${this.#count++}`;
    await this.#os.fs.mkdir(cwd);
    const result = await this.#os.exec(scriptOf(cases), {
      ...{ cwd, env: ENV, timeout: PATIENCE_MS, encoding: 'buffer' },
    });
    await this.#os.exec(`chmod -R u+rwX ${cwd}; rm -rf ${cwd}`);
    const [stdout = '', stderr = ''] = [result.stdout, result.stderr].map((bytes) =>
      Buffer.from(bytes).toString('latin1').replaceAll(cwd, 'DIR'),
    );
    return parsed(cases.length, stdout, stderr);
  }
}

export async function runOnHost(cases: readonly Case[]): Promise<(Outcome | undefined)[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'differ-'));
  const env = { PATH: '/usr/bin:/bin', HOME: '/root', ...ENV };
  const child = spawn('sh', ['-c', scriptOf(cases)], { cwd, env, detached: true });
  child.stdin.end();
  // What it started holds the streams open: the whole group goes.
  const impatience = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), PATIENCE_MS);
  const read = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
    const parts: Uint8Array[] = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts).toString('latin1').replaceAll(cwd, 'DIR');
  };
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)]);
  clearTimeout(impatience);
  spawnSync('chmod', ['-R', 'u+rwX', cwd]);
  rmSync(cwd, { recursive: true, force: true });
  return parsed(cases.length, stdout, stderr);
}

/** Which of these programs the host has. */
export function onHost(names: readonly string[]): ReadonlySet<string> {
  const script = 'for name; do [ -x "/usr/bin/$name" ] && echo "$name"; done';
  return new Set(
    spawnSync('sh', ['-c', script, 'sh', ...names])
      .stdout.toString()
      .split('\n'),
  );
}

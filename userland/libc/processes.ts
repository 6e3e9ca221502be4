// The processes that there are, read from /proc/PID/status and cmdline (proc_pid_status(5)): for ps,
// pgrep, renice, lsof.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { listDirectory } from './files/path.ts';
import { Input } from './stdio.ts';
import type { Sys } from './sys.ts';

/** The fields of a status file by their names, and `Cmdline`, its arguments joined by blanks. */
export type ProcessRow = Readonly<Record<string, string>>;

/** By pid. What ended while it was looked at is left out. */
export function readProcesses(sys: Sys): ProcessRow[] {
  const rows: ProcessRow[] = [];
  const pids = listDirectory(sys, '/proc').map((entry) => Number(entry.name));
  for (const pid of pids.filter(Number.isInteger).sort((a, b) => a - b)) {
    const status = contents(sys, `/proc/${pid}/status`);
    if (status === undefined) continue;
    const row: Record<string, string> = { Pid: String(pid) };
    for (const line of status.split('\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) row[line.slice(0, colon)] = line.slice(colon + 1).trim();
    }
    const args = contents(sys, `/proc/${pid}/cmdline`) ?? '';
    row['Cmdline'] = args.replaceAll('\0', ' ').replace(/\s/g, ' ').trimEnd();
    rows.push(row);
  }
  return rows;
}

/** A field that is a number, or of several the first: `Uid: 0 0 0 0`. */
export const numberOf = (row: ProcessRow, field: string): number =>
  Number(row[field]?.split(/\s/)[0] ?? Number.NaN);

/** A small file as text; undefined when it cannot be read. */
export function contents(sys: Sys, path: string): string | undefined {
  try {
    const fd = sys.open(path, O_RDONLY);
    const input = new Input(sys, fd);
    let out = '';
    for (let chunk = input.chunk(); chunk !== undefined; chunk = input.chunk())
      out += decodeText(chunk);
    sys.close(fd);
    return out;
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}

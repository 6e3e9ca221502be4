// ps: processes, from /proc/PID/status (proc_pid_status(5)). POSIX.1-2024 ps -e -f -A -p, with -o, and
// the BSD words `aux`.

import { type ProcessRow, readProcesses } from '../libc/processes.ts';
import { program, type Tool } from '../libc/program.ts';
import { Users } from '../libc/users.ts';

export const main = program(
  {
    usage: '[-eAf] [-p PID]... [-o COLUMN[,COLUMN]...] [aux]',
    short: 'eAafo:p:lxu',
    long: { 'pid=': 'p', 'format=': 'o', 'no-headers': 'bare' },
    rewrite: (args) => args.map((arg) => (/^[aux]+$/.test(arg) ? '-eAu' : arg)),
  },
  (tool, options) => {
    const full = options.has('f', 'u');
    const asked = options.values('o').flatMap((list) => list.split(','));
    const usual = full
      ? ['user', 'pid', 'ppid', 'tty', 'stat', 'time', 'args']
      : ['pid', 'tty', 'stat', 'time', 'comm'];
    const wanted = asked.length > 0 ? asked : usual;
    const chosen = wanted.map((column) => {
      const [name = '', title] = column.split('=', 2);
      const known =
        columns[name] ?? tool.misuse(`error: unknown user-defined format specifier "${name}"`);
      return { ...known, title: title ?? known.title };
    });
    const pids = options
      .values('p')
      .flatMap((list) => list.split(/[,\s]+/))
      .map(Number);
    const users = new Users(tool.sys);
    const rows = readProcesses(tool.sys)
      .filter((row) => pids.length === 0 || pids.includes(Number(row['Pid'])))
      .map((row) => chosen.map((column) => column.value(row, users)));
    if (rows.length === 0) tool.status = 1;
    print(tool, options.has('bare') ? [] : [chosen.map((column) => column.title)], {
      rows,
      chosen,
    });
  },
);

type Row = ProcessRow;

interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly value: (row: Row, users: Users) => string;
}

const text = (title: string, value: Column['value']): Column => ({ title, align: 'left', value });
const number = (title: string, field: string): Column => ({
  title,
  align: 'right',
  value: (row) => row[field]?.split(/\s/)[0] ?? '-',
});
const command = (row: Row): string => row['Cmdline'] || row['Name'] || '?';

const columns: Readonly<Record<string, Column>> = {
  pid: number('PID', 'Pid'),
  ppid: number('PPID', 'PPid'),
  pgid: number('PGID', 'Pgid'),
  pgrp: number('PGRP', 'Pgid'),
  sid: number('SID', 'Sid'),
  ni: number('NI', 'Nice'),
  nice: number('NI', 'Nice'),
  tty: text('TT', (row) => row['Tty']?.replace(/^\/dev\//, '') ?? '?'),
  uid: number('UID', 'Uid'),
  user: text('USER', (row, users) => {
    const uid = Number(row['Uid']?.split(/\s/)[0] ?? 0);
    return users.userName(uid) ?? String(uid);
  }),
  stat: text('STAT', (row) => row['State']?.[0] ?? '?'),
  s: text('S', (row) => row['State']?.[0] ?? '?'),
  time: { title: 'TIME', align: 'right', value: (row) => clock(cpuMs(row)) },
  comm: text('COMMAND', (row) => row['Name'] ?? '?'),
  args: text('COMMAND', command),
  cmd: text('CMD', command),
  command: text('COMMAND', command),
};

const cpuMs = (row: Row): number => Number(row['UserMs'] ?? 0) + Number(row['SystemMs'] ?? 0);

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function print(
  tool: Tool,
  head: readonly string[][],
  { rows, chosen }: { rows: readonly string[][]; chosen: readonly Column[] },
): void {
  const lines = [...head, ...rows];
  const widths = chosen.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  for (const line of lines) {
    const cells = line.map((cell, i) => {
      if (chosen[i]?.align === 'right') return cell.padStart(widths[i] ?? 0);
      return i === line.length - 1 ? cell : cell.padEnd(widths[i] ?? 0);
    });
    tool.out.text(`${cells.join(' ')}\n`);
  }
}

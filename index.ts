// Atoll as a library: boot a machine in this process, run commands in it, use its files.

export { Atoll, boot, type ExecOptions, type ExecResult } from './host/atoll.ts';
export type { BootOptions, DiskOptions } from './host/boot.ts';
export { MachineGone } from './host/calls.ts';
export { FaultRule, Faults, type SweepOptions, type SweepRun } from './host/faults.ts';
export type { FileHandle, ReadAt } from './host/file-handle.ts';
export type { FileSystem, Flags, ReaddirOptions, Time, WriteOptions } from './host/fs.ts';
export type { FsError } from './host/fs-error.ts';
export { Child, type Exit, type Input, type SpawnOptions } from './host/process.ts';
export type { Dirent, Stats, StatsFs } from './host/stats.ts';
export type { ShellOptions, Terminal } from './host/terminal.ts';

// What a driver counts of each disk, in memory that the kernel shows as /proc/diskstats: the columns of
// Linux's Documentation/admin-guide/iostats.rst, a number of 64 bits each, one row for each port. It
// outlives the driver's worker, who alone writes it.

export const DISK_COLUMNS = [
  ...['reads', 'readMerges', 'readSectors', 'readMs'],
  ...['writes', 'writeMerges', 'writeSectors', 'writeMs'],
  ...['inFlight', 'busyMs', 'weightedMs'],
  ...['trims', 'trimMerges', 'trimSectors', 'trimMs'],
  ...['flushes', 'flushMs'],
] as const;

const ROW_BYTES = 256;
const ROWS = 32;
export const DISK_STATS_BYTES = ROW_BYTES * ROWS;

/** The columns of one disk. */
export const diskStatsAt = (ram: SharedArrayBuffer, area: number, port: number): Float64Array =>
  new Float64Array(ram, area + (port % ROWS) * ROW_BYTES, DISK_COLUMNS.length);

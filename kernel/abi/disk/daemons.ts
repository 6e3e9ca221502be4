// Which daemon serves which format: the kernel calls its workers so, and fault rules their messages. The
// running ones of a kind are numbered: HFSd_0, HFSd_1.

const DAEMONS: Readonly<Record<string, string>> = {
  ...{ ext4: 'ext4fs', ext3: 'ext4fs', ext2: 'ext4fs' },
  ...{ vfat: 'FATd', fat: 'FATd', exfat: 'FATd' },
  ...{ hfs: 'HFSd', hfsplus: 'HFSd', hfsx: 'HFSd', 'hfs+': 'HFSd' },
};

/** By the name of a format, as mount -t and /proc/mounts have it. */
export const daemonOf = (format: string): string => DAEMONS[format] ?? `${format}fs`;

/** The first number that none of these has. */
export function instanceOf(daemon: string, running: readonly string[]): string {
  let number = 0;
  while (running.includes(`${daemon}_${number}`)) number++;
  return `${daemon}_${number}`;
}

// The files of /etc in the boot archive.

export const etcFiles: Readonly<Record<string, string>> = {
  passwd: `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
nobody:x:65534:65534:nobody:/:/bin/false
`,
  group: `root:x:0:
daemon:x:1:
nogroup:x:65534:
`,
  hostname: 'atoll\n',
  profile: `# Read by login shells.
export PATH=/bin
export PS1='atoll:$PWD# '
`,
  motd: `Atoll: real disks, small enough to read. Volumes are under /mnt; \`mount\` lists them.
`,
  shells: '/bin/sh\n',
};

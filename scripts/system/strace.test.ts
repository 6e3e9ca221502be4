// Claims about strace: it prints the calls of a program as they were, what a program reads by itself
// among them, and leaves its output and status alone.

import test from 'ava';
import { type Atoll, boot } from '../../index.ts';

let system: Atoll;
test.before(async () => {
  system = await boot();
});
test.after.always(() => system?.shutdown());

const shows = test.macro({
  async exec(t, script: string, ...patterns: RegExp[]) {
    const { stdout } = await system.exec(`exec 2>&1; ${script}`, { stdin: '' });
    for (const pattern of patterns) t.regex(stdout, pattern);
  },
  title: (_, script: string, ..._patterns: RegExp[]) => script,
});

test.serial(
  shows,
  'strace cat /etc/hostname; echo status $?',
  /^open\("\/etc\/hostname", O_RDONLY, 0\) = 3$/m,
  /^read\(3, "atoll\\n", \d+\) = 6$/m,
  /^write\(1, "atoll\\n", 6\) = 6$/m,
  /^read\(3, "", \d+\) = 0$/m,
  /^exit\(0\) = \?\n\+\+\+ exited with 0 \+\+\+\nstatus 0$/m,
);
test.serial(
  shows,
  'strace cat missing; echo status $?',
  /^open\("missing", O_RDONLY, 0\) = -1 ENOENT \(No such file or directory\)$/m,
  /status 1/,
);
test.serial(
  shows,
  'strace -e trace=mkdir,rmdir mkdir /tmp/st',
  /^mkdir\("\/tmp\/st", 0777\) = 0\n\+\+\+|^mkdir\("\/tmp\/st", 0777\) = 0\n$/,
);
test.serial(
  shows,
  'strace -c cat /etc/hostname',
  /% time +seconds +usecs\/call +calls +errors syscall\n[\s\S]* \d+ +read\n/,
);
test.serial(
  shows,
  'strace -f sh -c "cat /etc/hostname; true"',
  /\[pid \d+\] spawn\("\/bin\/cat"[\s\S]*\[pid \d+\] read\(\d, "atoll\\n"/,
);
test.serial(
  shows,
  'seq 1 3 | strace -o /tmp/log cat; grep -c "^read(0" /tmp/log',
  /1\n2\n3\n[1-9]\n/,
);
test.serial(
  shows,
  'strace sh -c "kill -9 \\$\\$"; echo status $?',
  /killed by SIGKILL \+\+\+\nstatus 137/,
);
test.serial(
  shows,
  'strace nosuch; echo $?; strace; echo $?; strace -e trace=nosuch true',
  /Cannot find executable nosuch/,
  /must have PROG/,
  /invalid system call 'nosuch'/,
);
test.serial(shows, 'strace -p 99999; echo $?', /No such process\n1\n/);
test.serial(
  shows,
  'sleep 0.3 & strace -p $! -o /tmp/log; cat /tmp/log',
  /exit\(0\) = \?|sleep\(300\) = 0/,
);
test.serial(shows, 'cat /etc/hostname | cat; seq 1 1000 | wc -l', /^atoll\n1000\n$/);

// Claims about the programs that start, name and end processes, on a booted machine: where the host has
// the same program, the same script gives the same output, messages and status.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type Atoll, boot } from '../../index.ts';

// One after the other (test.serial): all at once would want more processes than the machine has seats.
let system: Atoll;
test.before(async () => {
  system = await boot();
});
test.after.always(() => system?.shutdown());

const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

const same = test.macro({
  async exec(t, script: string) {
    const host = mkdtempSync(join(tmpdir(), 'atoll-processes-'));
    const ours = `/tmp/${host.split('/').at(-1)}`;
    try {
      const expected = spawnSync('sh', ['-c', script], { cwd: host, env, input: '' });
      await system.exec(`mkdir ${ours}`);
      const actual = await system.exec(script, { cwd: ours, stdin: '', env: { LC_ALL: 'C' } });
      const plain = (text: string): string => text.replaceAll('/usr/bin/', '');
      t.is(plain(actual.stdout), plain(expected.stdout.toString()));
      t.is(plain(actual.stderr), plain(expected.stderr.toString()));
      t.is(actual.status, expected.status);
    } finally {
      await system.exec(`rm -rf ${ours}`);
      rmSync(host, { recursive: true, force: true });
    }
  },
  title: (_, script: string) => script,
});

const scripts: readonly string[] = [
  'timeout 60 echo hi; echo $?',
  'timeout 60 sh -c "exit 3"; echo $?',
  'timeout 0.1 sleep 60; echo $?',
  'timeout -s KILL 0.1 sleep 60; echo $?',
  'timeout --preserve-status 0.1 sleep 60; echo $?',
  'timeout -v 0.1 sleep 60; echo $?',
  'timeout -k 0.1 0.1 sh -c "trap : TERM; while :; do sleep 60; done"; echo $?',
  'timeout 0.1 sh -c "trap \\"echo caught; exit 7\\" TERM; sleep 60 & wait"; echo $?',
  'timeout --foreground 0.1 sleep 60; echo $?',
  'timeout 60 missingprogram; echo $?',
  'timeout 60 /etc; echo $?',
  'timeout 5; echo $?',
  'timeout; echo $?',
  'timeout 0 echo forever; echo $?',
  'nice -n x true; echo $?',
  'nice missingprogram; echo $?',
  'nohup echo hi; echo $?; nohup missingprogram; echo $?',
  'nohup sh -c "kill -HUP \\$\\$; echo still here"',
  'mkfifo -m 640 f g; stat -c "%F %a %n" f g; echo x > f & cat f; mkfifo f; echo $?',
  'install -m 700 /etc/passwd p; stat -c %a p; cmp p /etc/passwd && echo same',
  'install -d -m 711 a/b; stat -c "%a %n" a a/b',
  'install -g 65534 -o 65534 -D /etc/passwd x/y; stat -c "%u:%g %a" x/y',
];
for (const script of scripts) test.serial(same, script);

const shows = test.macro({
  async exec(t, script: string, pattern: RegExp) {
    const { stdout } = await system.exec(`exec 2>&1; ${script}`, { stdin: '' });
    t.regex(stdout, pattern);
  },
  title: (_, script: string) => script,
});

// Not compared with the host's, which loses the second alarm.
test.serial(
  shows,
  `timeout -s ALRM -k 0.1 0.1 sh -c 'trap "" ALRM; while :; do :; done'; echo $?`,
  /^137\n|\n137\n/,
);
test.serial(shows, 'sleep 77 & pgrep -x sleep | grep -c "^$!$"; kill $!', /^1\n/);
test.serial(shows, 'sleep 78 & pgrep -fl "^sleep 78"; kill $!', /^\d+ sleep\n/);
test.serial(
  shows,
  'sleep 79 & sleep 79 & pgrep -c -P $$ sleep; pkill -P $$ sleep; wait; jobs',
  /^2\n/,
);
test.serial(shows, 'sleep 80 & pkill -KILL -n -x sleep; wait $!; echo $?', /137/);
test.serial(
  shows,
  'nice; nice nice; nice -n 5 nice; nice -3 nice; nice -n 2 nice -n 3 nice; nice -n 100 nice',
  /^0\n10\n5\n3\n5\n19\n$/,
);
test.serial(shows, 'pgrep nosuchprocess; echo $?; pgrep; echo $?', /^1\n.*criteria[\s\S]*2\n$/);
test.serial(
  shows,
  'sleep 81 & renice 7 -p $!; ps -o ni,comm -p $!; kill $!',
  /old priority 0, new priority 7[\s\S]*7 sleep/,
);
test.serial(shows, 'renice 3 -p 99999; echo $?', /No such process\n1\n/);
test.serial(shows, 'time -p sleep 0', /^real \d+\.\d\d\nuser \d+\.\d\d\nsys \d+\.\d\d\n$/);
test.serial(shows, "time -f '%x %C' sh -c 'exit 4'; echo $?", /status 4\n4 sh -c exit 4\n|^4\n/);
test.serial(
  shows,
  'su nobody -s /bin/sh -c "id; whoami"',
  /uid=65534\(nobody\) gid=65534\(nogroup\)[\s\S]*\nnobody\n$/,
);
test.serial(shows, 'su - nobody -s /bin/sh -c "pwd; echo $HOME"; echo $?', /^\/\n/);
test.serial(shows, 'su nobody -s /bin/sh -c "su root -c id"; echo $?', /only root/);
test.serial(shows, 'su nosuch; echo $?', /user nosuch does not exist\n1\n/);
test.serial(
  shows,
  'printf "nosuch\\nroot\\necho in $LOGNAME\\n" | login',
  /atoll login: Login incorrect[\s\S]*Atoll:[\s\S]*in root/,
);
test.serial(
  shows,
  'exec 5< /etc/passwd; lsof -p $$',
  /sh +\d+ root +5 REG .* \/boot\/etc\/passwd\n|sh +\d+ root +5 REG .* \/etc\/passwd\n/,
);
test.serial(shows, 'exec 5< /etc/passwd; lsof -t /etc/passwd | grep -c "^$$"', /^1\n/);
test.serial(shows, 'lsof /etc/group; echo $?', /^1\n/);
test.serial(shows, 'groups; groups nobody', /^root\nnobody : nogroup\n$/);

test.serial('each program tells its options, and refuses others', async (t) => {
  const names =
    'timeout time nohup nice renice pgrep pkill groups su login install lsof mkfifo fallocate strace mkfs.ext4 mkfs.ext2';
  for (const name of names.split(' ')) {
    const help = await system.exec(`${name} --help`);
    t.regex(help.stdout, new RegExp(`^Usage: ${name} `), name);
    t.is(help.status, 0, name);
    const wrong = await system.exec(`${name} --no-such-option`, { stdin: '' });
    t.regex(wrong.stderr, /unrecognized option '--no-such-option'/, name);
    t.not(wrong.status, 0, name);
  }
});

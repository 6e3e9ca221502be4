// Limits of the running system, as programs meet them.

import test from 'ava';
import { type Atoll, boot } from '../../index.ts';

let os: Atoll;
test.before(async () => {
  os = await boot({ disks: [] });
});
test.after.always(() => os.shutdown());

/** A script, and what it must write and end with. */
const says = test.macro({
  async exec(t, script: string, expected: { stdout?: string; stderr?: RegExp; status?: number }) {
    const cwd = await os.fs.mkdtemp('/tmp/limits-');
    const { stdout, stderr, status } = await os.exec(script, { cwd, timeout: 300_000 });
    t.is(stdout, expected.stdout ?? '');
    if (expected.stderr === undefined) t.is(stderr, '');
    else t.regex(stderr, expected.stderr);
    t.is(status, expected.status ?? 0);
    await os.fs.rm(cwd, { recursive: true });
  },
  title: (title) => title ?? '',
});

test('the boot archive is read-only', says, 'mkdir /boot/x', {
  stderr: /^mkdir: cannot create directory '\/boot\/x': Read-only file system\n$/,
  status: 1,
});
test('what is bound from the boot archive too', says, 'rm /bin/ls', {
  stderr: /Read-only file system/,
  status: 1,
});
test('40 symbolic links are followed, 41 are ELOOP', says, CHAIN(), {
  stdout: 'end\n',
  stderr: /^cat: l41: Too many levels of symbolic links\n$/,
  status: 1,
});
function CHAIN(): string {
  return `echo end > l0; i=0
    while [ $i -lt 41 ]; do ln -s l$i l$((i + 1)); i=$((i + 1)); done
    cat l40; cat l41`;
}
test('a loop of links is ELOOP', says, 'ln -s b a; ln -s a b; cat a', {
  stderr: /Too many levels of symbolic links/,
  status: 1,
});

const name255 = 'n'.repeat(255);
test('a name of 255 bytes is a name', says, `echo x > ${name255}; cat ${name255}`, {
  stdout: 'x\n',
});
test('one of 256 is ENAMETOOLONG', says, `cat ${name255}n`, {
  stderr: /File name too long/,
  status: 1,
});
test('a path of 4,095 bytes is a path', says, `cat ${'./'.repeat(2046)}abc 2>&1`, {
  stdout: `cat: ${'./'.repeat(2046)}abc: No such file or directory\n`,
  status: 1,
});
test('one of 4,096 is ENAMETOOLONG', says, `cat ${'./'.repeat(2046)}abcd`, {
  stderr: /File name too long/,
  status: 1,
});

test('tmpfs: a file ends at 16 MiB', says, 'dd if=/dev/zero of=f bs=1M count=17 status=none', {
  stderr: /File too large/,
  status: 1,
});
test.serial(
  'tmpfs: all files together end at 64 MiB, and removing them gives the room back',
  says, // serial: it leaves no room for the others
  `for i in 1 2 3 4 5; do head -c 16777216 /dev/zero > f$i || break; done
   echo $i; rm f*; head -c 1000000 /dev/zero > g; wc -c < g`,
  { stdout: '5\n1000000\n', stderr: /No space left on device/ },
);
test(
  'a writer that finds no room leaves what there was, and nothing half done',
  says,
  `seq 20000 > keep; cp keep k2; gzip k2; cksum keep k2.gz > sum; trap '' XFSZ; ulimit -f 40
   gzip -k keep; echo $?; gunzip k2.gz; echo $?; sed -i s/1/22/g keep; echo $?
   dd if=keep of=f 2>&1 | grep -c Infinity; cksum keep k2.gz | cmp - sum && ls`,
  {
    stdout: '1\n1\n4\n0\nf\nk2.gz\nkeep\nsum\n',
    stderr: /^(g(un)?zip: k[.\w]+: File too large\n){2}sed: couldn't write .*: File too large\n$/,
  },
);
test('a directory that is not empty stays', says, 'mkdir d; touch d/f; rmdir d', {
  stderr: /Directory not empty/,
  status: 1,
});
test('a hard link to another mount is EXDEV', says, 'touch f; ln f /limits-link', {
  stderr: /Invalid cross-device link/,
  status: 1,
});
test(
  'files move to another mount all the same',
  says,
  'echo x > f; mv f /moved; cat /moved; rm /moved',
  {
    stdout: 'x\n',
  },
);

test('an endless writer ends with its reader', says, 'yes | head -1', { stdout: 'y\n' });
test('a pipe carries more than it holds', says, 'seq 200000 | (sleep 0.1; wc -l)', {
  stdout: '200000\n',
});
test('a chain of pipes', says, 'seq 1000 | cat | tac | cat | tail -n 1', { stdout: '1\n' });
test(
  'a write to a pipe without reader is SIGPIPE, or EPIPE when that is ignored',
  says,
  `(yes; echo $? >&2) | true; (trap '' PIPE; yes; echo $? >&2) | true`,
  { stderr: /^141\nyes: .*Broken pipe\n1\n$/ },
);

test(
  'the statuses of sh',
  says,
  'true; echo $?; false; echo $?; nosuch; echo $?; /boot/etc/passwd; echo $?; (exit 300); echo $?',
  { stdout: '0\n1\n127\n126\n44\n', stderr: /nosuch: not found[\s\S]*Permission denied/ },
);
const signal = test.macro({
  async exec(t, name: string, status: number) {
    const got = await os.exec(`sleep 100 & kill -${name} $!; wait $!; echo $?`);
    t.is(got.stdout, `${status}\n`);
  },
  title: (_, name: string) => `SIG${name} ends a program by default`,
});
test(
  'SIGINT too, where a shell has not set it to be ignored',
  says,
  `sh -c 'kill -INT $$'; echo $?`,
  {
    stdout: '130\n',
  },
);
test(signal, 'KILL', 137);
test(signal, 'PIPE', 141);
test(signal, 'TERM', 143);
test('SIGCHLD is ignored by default', says, 'sleep 0.2 & kill -CHLD $!; wait $!; echo $?', {
  stdout: '0\n',
});
test('a trapped signal runs its trap', says, `trap 'echo got' TERM; kill -TERM $$; echo on`, {
  stdout: 'got\non\n',
});
test('a process that nobody can find is ESRCH', says, 'kill -9 99998', {
  stderr: /No such process/,
  status: 1,
});
test(
  'descriptors are given lowest first, and shared offsets move together',
  says,
  `printf abcdef > f; exec 3< f 4<&3; head -c 2 <&3; head -c 2 <&4; exec 3<&-; cat <&4`,
  { stdout: 'abcdef' },
);
test(
  '1,000 processes come and go',
  says,
  'i=0; while [ $i -lt 1000 ]; do /bin/true || break; i=$((i+1)); done; echo $i',
  {
    stdout: '1000\n',
  },
);

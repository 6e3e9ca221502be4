// What must neither hang nor kill the machine: producers without end, a fork bomb, lines and scripts
// that are far too long; and how few processes the shell starts.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are parameters of the shell

import test from 'ava';
import { boot } from '../../../index.ts';

/** A shell that hangs is told by its end. */
const timeout = 120_000;

const answers = test.macro({
  async exec(t, script: string, wanted: { stdout: string; status: number; stderr?: RegExp }) {
    await using os = await boot({ disks: [] });
    const { stdout, stderr, status } = await os.exec(script, { timeout });
    t.deepEqual({ stdout, status }, { stdout: wanted.stdout, status: wanted.status });
    t.regex(stderr, wanted.stderr ?? /^$/);
    t.is((await os.exec('echo alive')).stdout, 'alive\n');
  },
  title: (claim) => claim ?? '',
});

// One after the other: each needs much memory.
test.serial(
  'a producer without end stops when its reader does',
  answers,
  'yes | head -1; while :; do echo w; done | head -1; f() { f2; f; }; f2() { echo r; }; f | head -1',
  { stdout: 'y\nw\nr\n', status: 0 },
);
test.serial('a substitution without end is an error', answers, 'x=$(yes); echo $?', {
  stdout: '2\n',
  status: 0,
  stderr: /too long/,
});
test.serial(
  'a line of 100 MB is read from a pipe',
  answers,
  'head -c 100000000 /dev/zero | tr "\\0" x | { read -r x; echo ${#x}; }',
  { stdout: '100000000\n', status: 0 },
);
test.serial(
  'a line of 20 MB as a script is a command that is not found',
  answers,
  'head -c 20000000 /dev/zero | tr "\\0" x | sh',
  { stdout: '', status: 127, stderr: /^sh: 1: x{1000}…\n$/ },
);
test.serial(
  'a script of 10 MB runs from a file, from a pipe and from standard input',
  answers,
  `{ yes 'x=$((x+1)) # a comment that makes it longer, and longer' | head -n 180000; echo 'echo $x'; } >/tmp/s
  wc -c </tmp/s; sh /tmp/s; cat /tmp/s | sh; sh </tmp/s`,
  { stdout: '10080008\n180000\n180000\n180000\n', status: 0 },
);

test.serial('a fork bomb stays within ulimit -u, and ends with its group', async (t) => {
  await using os = await boot({ disks: [], mem: 32 * 1024 * 1024 });
  const script = 'ulimit -u 12; f() { f | f & }; f >/dev/null 2>&1; sleep 100';
  const bomb = await os.spawn('/bin/sh', ['-c', script]);
  for (let i = 0; i < 3; i++) {
    const { stdout } = await os.exec('ps | grep -c "[s]h --subshell\\|[s]h *$"; echo alive');
    const [count = '', alive] = stdout.split('\n');
    t.true(Number(count) <= 12, stdout);
    t.is(alive, 'alive');
  }
  await bomb.kill('SIGKILL');
  await bomb.exit;
  t.is((await os.exec('ps | grep -c "[s]h --subshell"')).stdout, '0\n');

  // Without a limit, and one that goes on when there is no place: somebody else can start what ends it.
  const env = { b: 'while :; do sh -c "$b" & done' };
  const other = await os.spawn('/bin/sh', ['-c', 'eval "$b" 2>/dev/null'], { env });
  let count = 0;
  for (let i = 0; i < 200 && count < 12; i++)
    count = Number((await os.exec('ps | grep -c " sh$"')).stdout);
  const { stdout } = await os.exec(`ps | grep " sh$" | wc -l; kill -9 -${other.pid}; echo ended`);
  t.regex(stdout, /^\s*[0-9]+\nended\n$/);
  await other.exit;
  t.is((await os.exec('ps | grep -c " sh$"')).stdout, '1\n'); // the one that asks
});

/** Pids are given in order: two that follow each other say that nothing was started in between. */
const startsNothing = test.macro({
  async exec(t, script: string) {
    await using os = await boot({ disks: [] });
    const pid = "$(sh -c 'echo $$')";
    const { stdout, stderr } = await os.exec(
      `p=${pid}\n{ ${script}\n} >/dev/null\necho $((${pid}-p))`,
    );
    t.is(stdout, '1\n', stderr);
  },
  title: (_, script: string) => `no process is started for: ${script}`,
});

test(startsNothing, 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done');
test(startsNothing, '(cd /; x=$(pwd); (echo "$x")); y=`echo b | { read z; echo $z; }`');
test(
  startsNothing,
  'echo a | while read x; do echo $x; done; printf "1\\n2\\n" | { read a; read b; }',
);
test(
  startsNothing,
  'f() { local v=$1; echo $v; }; v=$(f 1; f 2); case $v in 1*) f 3;; esac; [ -d / ] && test -n x',
);
test(
  startsNothing,
  'while read x; do :; done <<E\na\nE\neval "x=1"; trap "" USR1; set -- a b; shift; umask; kill -0 $$',
);

// Claims about the programs on a booted machine: the same script gives the same output, messages and
// status as the host's shell and tools give in an empty directory of their own.

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
  async exec(t, where: string, script: string, stdin: string) {
    const host = mkdtempSync(join(tmpdir(), 'atoll-coreutils-'));
    const ours = `${where}/${host.split('/').at(-1)}`;
    try {
      const expected = spawnSync('sh', ['-c', script], { cwd: host, env, input: stdin });
      await system.exec(`mkdir ${ours}`);
      const actual = await system.exec(script, { cwd: ours, stdin, env: { LC_ALL: 'C' } });
      const plain = (text: string): string =>
        text.replaceAll(host, 'DIR').replaceAll(ours, 'DIR').replaceAll('/usr/bin/', '');
      t.is(plain(actual.stdout), plain(expected.stdout.toString()));
      t.is(plain(actual.stderr), plain(expected.stderr.toString()));
      t.is(actual.status, expected.status);
    } finally {
      await system.exec(`rm -rf ${ours}`);
      rmSync(host, { recursive: true, force: true });
    }
  },
  title: (_, where: string, script: string) => `${where}: ${script.split('\n')[0]}`,
});

const scripts: readonly string[] = [
  `awk 'BEGIN { "echo hi; echo there" | getline; print; "echo hi; echo there" | getline y; print y }'`,
  `awk 'BEGIN { while (("printf 1,2" | getline z) > 0) print z; print close("printf 1,2"), close("nothing") }'`,
  `printf "b\\na\\nc\\n" | awk '{ print | "sort -r" } END { close("sort -r"); print "done" }'`,
  `awk 'BEGIN { r = system("echo sys; exit 3"); print r; print "x" | "cat"; close("cat"); print "y" }'`,
  `awk 'BEGIN { printf "no newline"; fflush(); system("echo; cat"); print "end" }' < /dev/null`,
  `awk 'BEGIN { print "to err" | "cat 1>&2"; close("cat 1>&2"); print "more" > "/dev/stderr" }'`,
  `yes | awk '{ n++ } NR == 100000 { print n; exit }'`,
  `awk 'BEGIN { while (1) print "y" }' | head -n 2`,
  `seq 1 5 > f; awk 'NR == 2 { while ((getline l < "f") > 0) s += l } END { print s, NR }' f`,
  'seq 1 20000 | sort -rn | head -3',
  'seq 1 100000 | wc',
  'yes | head -n 3',
  'yes abc | head -c 100000 | md5sum',
  'seq 1 1000 | xargs -n 100 echo | wc',
  'seq 3 | xargs -I{} sh -c "echo [{}]"',
  'printf "a b\\nc d\\n" | while read x y; do echo "$y $x"; done',
  'mkdir -p a/b/c; echo x > a/b/c/f; cp -a a z; find z | sort; rm -r a; ls -R',
  'mkdir t; seq 100000 | split -a 3 -l 300 - t/; : > t/empty; mkdir t/d; echo 5 > t/d/x; ln -s x t/s; ln t/empty t/twin; seq 9000 > t/large; cp -rv t u | sort | md5sum; ls u | wc -l; cat u/a* u/large | md5sum; cp -a t v; stat -c "%n %h %F %s %Y" v/* | md5sum | wc -c; diff -r t u && diff -r t v && echo same; umask 077; cp -r t w; stat -c %a w w/aaa w/d/x',
  'echo 1 > f; ln f g; ln -s f h; stat -c "%n %h %F %s" f g h; cat h; rm f; cat h; cat g',
  'touch -d "2001-02-03 04:05:06" f; stat -c "%Y %y" f; ls -l --time-style=long-iso f | cut -d" " -f5-',
  'umask 027; touch f; mkdir d; stat -c "%a %n" f d; chmod -R u=rwX,go= .; stat -c "%a %n" f d',
  'dd if=/dev/zero of=z bs=1k count=100 status=none; truncate -s 1M z; wc -c z; sha256sum z; du --apparent-size -k z',
  'head -c 300000 /dev/zero | tr "\\0" x | fold -w 1000 | sort -u | wc',
  'for i in 1 2 3 4 5; do echo line $i >> log; done; tail -n 2 log; tail -c 3 log; head -n -3 log; tac log',
  'mkdir d; touch d/a d/b; find d -type f -exec echo {} + | tr " " "\\n" | sort; find d -name a -delete; ls d',
  'cat missing; ls missing; rm missing; cp missing x; mv missing x; rmdir missing; echo $?',
  'mkdir d; touch d/f; rmdir d; rm d; cat d; cp d e; mv d d/e; ln d e; echo $?',
  'echo data > f; mv f /tmp/atoll-moved-$$; cat /tmp/atoll-moved-$$; mv /tmp/atoll-moved-$$ back; ls; cat back',
  'printf "one\\ntwo\\nthree\\n" > f; grep -n t f; grep -c . f; grep -q two f && echo yes; grep -v o f; grep four f; echo $?',
  'printf "a\\nb\\n" > f; grep -c "a[[:space:]]b" f; grep -Ec "a$[[:space:]]" f; grep -zc "a[[:space:]]b" f; grep -lL x f; grep -Ll a f; expr "$(cat f)" : "a.b"; printf aXb | tr "x[:space:]" "A-Z[:lower:] "; seq 3 > g; csplit g /1/ /2/+1 /3/-1; ls',
  'seq 5 > f; csplit f %2% 3 2>&1; truncate -r f -s 5 f; truncate -o -s 1 f; stat -c "%s %o" f; seq 9 | grep -bnT 9',
  'printf "k1 3\\nk2 1\\nk3 2\\n" | sort -k2n | cut -d" " -f1 | paste -sd,',
  'test -d . && [ -w . ] && echo ok; [ 1 -lt 2 ]; echo $?; test a = b; echo $?; [ -e nope ] || echo none',
  'env -i A=1 sh -c "echo \\$A"; env X=y printenv-missing; echo $?',
  'echo hello | tee a b | cat; cat a b; cmp a b && echo same; echo bye > b; cmp a b; echo $?',
  'expr 3 + 4; expr 10 / 3; expr abc : "\\(b\\)"; expr length hello; basename /x/y.c .c; dirname /x/y.c',
  'printf "%s-%03d|%5.2f\\n" a 7 3.14159 b 8 2.5; printf "%x\\n" 255; printf "\\101\\n"',
  'date -u -d @86400 "+%F %T"; seq -s, 1 5; seq -w 8 10; seq 1 0.5 2',
  'sleep 0.05 & wait; echo $?; sh -c "kill -TERM \\$\\$"; echo $?',
  'mkdir a b; echo 1 > a/x; ln -s ../a/x b/l; cp -rL b c; cat c/l; readlink b/l; basename $(realpath -e b/l)',
  'cat /dev/null; head -c 4 /dev/zero | od -An -tx1; printf abc | od -c',
  'printf "b\\na\\n" > s; sort -o s s; cat s; sort -c s && echo sorted; printf "x\\nx\\ny\\n" | uniq -c; comm s s',
  'printf "a,b\\nc,d\\n" > f; sed -i "s/,/;/" f; cat f; sed -n 2p f; sed "$!N;s/\\n/ /" f',
  'printf "1\\n2\\n" > f; printf "r !echo new\\n1,2w !tr 1 x\\n!echo %%\\n!!\\nw\\nq\\n" | ed f; cat f',
  'printf "foo\\nH\\nbar\\na\\nx\\n.\\n" | ed -s; echo $?; printf "a\\nx\\n.\\nw new\\nq\\n" | ed nofile; cat new',
  'echo abc | base64; echo YWJjCg== | base64 -d; printf abc | md5sum; printf abc | sha256sum | cut -c1-16',
];
for (const where of ['/tmp', '/mnt/sdC0'])
  for (const script of scripts) test.serial(same, where, script, '');

test.serial(same, '/tmp', 'sort | uniq -c | sort -rn', 'b\na\nb\nc\nb\na\n');
test.serial(same, '/tmp', 'tr a-z A-Z; cat; wc -c', 'hello\n');

// A mebi of mebibytes: hours to whoever reads it.
test.serial(
  same,
  '/mnt/sdC0',
  'truncate -s 1T g; printf "a\\nb\\nc\\n" >> g; wc -c g; wc -c < g; tail -n 2 g; tail -c 3 g; tail -c +1099511627777 g; head -c -1099511627776 g | od -c; head -n -1 g | head -c 2 | od -c; od -j 1T -A d -c g; split -n 1099511627777/1099511627782 g; diff g g; cp --sparse=always g h; cp g i; ls -l g h i | cut -d" " -f5; dd if=h bs=1M skip=1M status=none; cmp -i 1T g i; rm g h i',
  '',
);

test.serial('a reader that leaves ends the writer by SIGPIPE', async (t) => {
  const { stdout, stderr } = await system.exec('(yes; echo ended $? >&2) | head -n 1');
  t.is(stdout, 'y\n');
  t.is(stderr, 'ended 141\n');
});

test.serial('a full file system is told, and the status says so', async (t) => {
  const { stderr, status } = await system.exec(
    'cp /dev/zero /tmp/full; s=$?; rm -f /tmp/full; cat /etc/passwd > /dev/full; exit $s',
  );
  t.is(status, 1);
  t.regex(stderr, /^cp: error writing '\/tmp\/full': (No space left on device|File too large)\n/);
  t.regex(stderr, /(cat: write error|standard output): No space left on device\n$/);
});

test.serial('what asks for memory without end ends itself, and not the machine', async (t) => {
  const line = "head -c 60000000 /dev/zero | tr '\\0' x";
  const awk = await system.exec(
    `awk 'BEGIN { while (1) a[i++] }'; ${line} | awk '{ print split($0, a, "") }'`,
  );
  t.is(awk.stderr, 'awk: an array of more than 4194304 elements\nawk: more than 4194304 fields\n');
  const rev = await system.exec(`${line} | rev | wc -c; printf 'a\u00e9\\200\u20acb' | rev`);
  t.is(rev.stdout, '60000000\nb\u20ac\ufffd\u00e9a');
});

test.serial('df, mount and ps see the machine', async (t) => {
  const df = await system.exec('df -T /tmp; mount | grep " on /tmp "; ps -o comm | grep sh');
  t.regex(df.stdout, /^Filesystem +Type +1K-blocks +Used Available Use% Mounted on\n/);
  t.regex(df.stdout, /tmpfs on \/tmp type tmpfs/);
  t.is(df.status, 0);
});

test.serial('extended attributes go with cp -a on ext4', async (t) => {
  const { stdout, status } = await system.exec(
    'cd /mnt/sdC0 && echo x > xa && setfattr -n user.colour -v blue xa && cp -a xa xb && getfattr -d xb; rm -f xa xb',
  );
  t.is(stdout, '# file: xb\nuser.colour="blue"\n\n');
  t.is(status, 0);
});

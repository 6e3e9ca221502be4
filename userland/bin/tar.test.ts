// Claims about tar, beside GNU's: what one writes the other reads, and what is damaged is told.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { type HostRun, runOnHost } from '../libc/testing/host-sys.ts';
import { programs } from './registry.ts';

const hasTar = spawnSync('tar', ['--version']).stdout?.toString().includes('GNU') ?? false;
const withTar = hasTar ? test : test.skip;

const long = 'a-name-that-is-long/'.repeat(12);
const TREE = `mkdir -p tree/d/e 'tree/${long}'; printf hello > tree/a; ln tree/a tree/d/hard; ln -s ../a tree/d/sym
printf '' > tree/empty; head -c 70000 /dev/urandom > tree/random; printf x > 'tree/${long}file'; mkfifo tree/fifo
printf é > 'tree/d/é ü'; ln -s ${'t'.repeat(150)} tree/longlink; chmod 640 tree/a; chmod 1755 tree/d/e
printf y > tree/${'n'.repeat(140)}; touch -d '2001-02-03 04:05:06' tree/a tree/d/e tree/empty`;

function inDirectory(body: (dir: string) => void): void {
  const dir = mkdtempSync(`${tmpdir()}/atoll-tar-`);
  try {
    body(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const host = (dir: string, script: string): string => {
  const ran = spawnSync('sh', ['-c', script], { cwd: dir, maxBuffer: 1 << 28 });
  return ran.stdout.toString('latin1') + ran.stderr.toString('latin1');
};

function ours(dir: string, args: readonly string[], stdin = '/dev/null'): HostRun {
  return runOnHost({ programs, argv: ['tar', ...args], cwd: dir, stdin });
}

const listing = (dir: string): string =>
  host(
    dir,
    'find tree -printf "%p %y %m %n %l %s %T@\\n" | grep -v " p \\| d " | sort; find tree -type f | sort | xargs -d "\\n" cksum',
  );

/** Not every format has fractions of seconds. */
const seconds = (text: string): string => text.replace(/(\d{9,})\.\d+/g, '$1');

const theyRead = test.macro({
  exec(t: ExecutionContext, create: string, extract: string) {
    inDirectory((dir) => {
      host(dir, TREE.replace('mkfifo tree/fifo', 'true'));
      t.is(ours(dir, [...create.split(' '), 'x.tar', 'tree']).stderr, '');
      mkdirSync(`${dir}/out`);
      t.is(host(`${dir}/out`, `tar ${extract} ../x.tar 2>&1`), '');
      t.is(seconds(listing(`${dir}/out`)), seconds(listing(dir)));
    });
  },
  title: (_, create: string) => `GNU tar extracts what ${create} made`,
});
withTar(theyRead, 'cf', 'xpf');
withTar(theyRead, '-c -z -f', 'xpzf');

const weRead = test.macro({
  exec(t: ExecutionContext, create: string) {
    inDirectory((dir) => {
      host(dir, TREE.replace('mkfifo tree/fifo', 'true'));
      t.is(host(dir, `tar ${create} x.tar tree 2>&1`), '');
      mkdirSync(`${dir}/out`);
      const ran = ours(`${dir}/out`, ['xpf', '../x.tar']);
      t.is(ran.stderr, '');
      t.is(ran.status, 0);
      t.is(seconds(listing(`${dir}/out`)), seconds(listing(dir)));
      t.is(
        ours(dir, ['tf', 'x.tar']).stdout.toString('latin1'),
        host(dir, 'tar --quoting-style=literal -tf x.tar'),
      );
    });
  },
  title: (_, create: string) => `what GNU tar ${create} made is extracted and listed`,
});
withTar(weRead, '--format=gnu -cf');
withTar(weRead, '--format=pax -cf');
withTar(weRead, '-czf');

withTar('tv shows what GNU tar shows', (t) => {
  inDirectory((dir) => {
    host(dir, `${TREE}; tar --format=pax --sort=name -cf x.tar tree`);
    const theirs = host(dir, 'TZ=UTC tar --quoting-style=literal -tvf x.tar');
    t.is(ours(dir, ['tvf', 'x.tar']).stdout.toString('latin1'), theirs);
  });
});

withTar('-r appends, -u only what is newer, and options choose and rename', (t) => {
  inDirectory((dir) => {
    host(dir, 'mkdir d; echo a > d/a; echo b > d/b; echo c > c; touch -d 2001-01-01 d/a d/b c');
    ours(dir, ['cf', 'x.tar', '--exclude=b', '--owner=joe:7', 'd']);
    ours(dir, ['rf', 'x.tar', 'c']);
    host(dir, 'touch d/b');
    ours(dir, ['uf', 'x.tar', 'c', 'd/b']);
    t.is(host(dir, 'tar tf x.tar'), 'd/\nd/a\nc\nd/b\n');
    t.regex(host(dir, 'tar tvf x.tar d/a'), / joe\/\S+ /);
    mkdirSync(`${dir}/out`);
    t.is(ours(dir, ['-xf', 'x.tar', '-C', 'out', '--strip-components=1']).status, 0);
    t.deepEqual(host(dir, 'ls out'), 'a\nb\n');
    t.is(ours(dir, ['xOf', 'x.tar', 'c']).stdout.toString(), 'c\n');
    const missing = ours(dir, ['tf', 'x.tar', 'nothere']);
    t.is(missing.status, 2);
    t.regex(missing.stderr, /nothere: Not found in archive/);
  });
});

withTar('each -C holds for the names behind it', (t) => {
  inDirectory((dir) => {
    host(dir, 'mkdir -p s/t; echo 1 > s/one; echo 2 > s/t/two; echo 3 > three');
    t.is(ours(dir, ['cf', 'x.tar', 'three', '-C', 's', 'one', '-C', 't', 'two']).stderr, '');
    t.is(host(dir, 'tar tf x.tar'), 'three\none\ntwo\n');
    t.regex(
      ours(dir, ['cf', 'y.tar', '-C', 'none', 'x']).stderr,
      /none: Cannot open: No such file/,
    );
  });
});

withTar('a file that is named twice is a link to itself, which leaves it there', (t) => {
  inDirectory((dir) => {
    host(dir, 'mkdir d o; echo a > a; echo x > d/x');
    t.is(ours(dir, ['cf', 'x.tar', 'a', 'd', 'a', 'd/x']).status, 0);
    t.regex(host(dir, 'tar tvf x.tar'), /a link to a\n(.*\n)*.*d\/x link to d\/x\n$/);
    for (const _ of [1, 2]) t.is(ours(`${dir}/o`, ['xf', '../x.tar']).stderr, '');
    t.is(host(`${dir}/o`, 'cat a d/x'), 'a\nx\n');
  });
});

withTar('nothing is written outside of the directory', (t) => {
  inDirectory((dir) => {
    mkdirSync(`${dir}/in`);
    host(
      dir,
      `echo evil > up; cd in; tar -P -cf ../x.tar ../up; ln -s / l; echo e > e
      tar -rf ../x.tar l; tar -rf ../x.tar --transform 's,e,l${dir}/through,' e; tar -P -rf ../x.tar ${dir}/up; rm l e ../up`,
    );
    const ran = ours(`${dir}/in`, ['xf', '../x.tar']);
    t.is(ran.status, 2);
    t.regex(ran.stderr, /contains '\.\.'/);
    t.regex(ran.stderr, /through a symbolic link/);
    t.regex(ran.stderr, /Removing leading/);
    t.false(existsSync(`${dir}/up`));
    t.false(existsSync(`${dir}/through`));
    t.true(existsSync(`${dir}/in${dir}/up`));
  });
});

test('a damaged archive is told of', (t) => {
  inDirectory((dir) => {
    writeFileSync(`${dir}/f`, 'x'.repeat(3000));
    ours(dir, ['cf', 'x.tar', 'f', 'f']);
    const good = readFileSync(`${dir}/x.tar`);
    t.is(good.length % 10_240, 0);
    writeFileSync(`${dir}/short.tar`, good.subarray(0, 2000));
    const short = ours(dir, ['tf', 'short.tar']);
    t.is(short.status, 2);
    t.regex(short.stderr, /Unexpected EOF/);
    writeFileSync(
      `${dir}/bad.tar`,
      good.map((byte, i) => (i === 3 ? byte ^ 1 : byte)),
    );
    t.regex(ours(dir, ['tf', 'bad.tar']).stderr, /does not look like a tar archive/);
    t.is(ours(dir, ['tf', 'nothere.tar']).status, 2);
    t.regex(ours(dir, ['f', 'x.tar']).stderr, /You must specify one/);
    t.regex(ours(dir, ['--help']).stdout.toString(), /^Usage: tar /);
    t.is(ours(dir, ['-cQf', 'x.tar', 'f']).status, 2);
  });
});

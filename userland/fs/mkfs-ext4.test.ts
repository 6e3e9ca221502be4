// mkfs.ext4 beside the host's own: the same options give volumes of which dumpe2fs says the same, and
// e2fsck is content with ours.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { haveE2fsprogs } from '../../scripts/testing/e2fsprogs.ts';
import { programs } from '../bin/registry.ts';
import { runOnHost } from '../libc/testing/host-sys.ts';

const dir = mkdtempSync(join(tmpdir(), 'atoll-mke2fs-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

function ours(...argv: readonly string[]): { stdout: string; stderr: string; status: number } {
  writeFileSync(`${dir}/empty`, '');
  const ran = runOnHost({ programs, argv, cwd: dir, stdin: `${dir}/empty`, env: { PATH: '' } });
  return { stdout: ran.stdout.toString(), stderr: ran.stderr.toString(), status: ran.status };
}

const theirs = (name: string, args: readonly string[]) =>
  spawnSync(name, args, { env, encoding: 'utf8', cwd: dir });

/** Lines of `dumpe2fs -h` that follow from options and size, and not from where things lie. */
const SAID =
  /^(Filesystem volume name|Last mounted on|Filesystem UUID|Filesystem features|Filesystem flags|Default mount options|Filesystem state|Errors behavior|Inode count|Block count|Reserved block count|First block|Block size|Fragment size|Group descriptor size|Blocks per group|Fragments per group|Inodes per group|Inode blocks per group|RAID stride|RAID stripe width|Flex block group size|Maximum mount count|Check interval|Reserved blocks uid|First inode|Inode size|Required extra isize|Desired extra isize|Journal inode|Default directory hash|Directory Hash Seed|Journal backup|Checksum type|Total journal size|Journal length|Total journal blocks|Max transaction length|Journal sequence|Journal start):/;

function said(file: string): string[] {
  const { stdout } = theirs('dumpe2fs', ['-h', file]);
  return stdout
    .split('\n')
    .filter((line) => SAID.test(line))
    .map((line) => line.replace(/\s+/g, ' ').trim());
}

let files = 0;
function blank(sizeBytes: number): string {
  const file = `${dir}/${++files}.img`;
  writeFileSync(file, '');
  truncateSync(file, sizeBytes);
  return file;
}

const UUID = '0d1f4a5e-6c0a-4d0f-9c8a-3b2a1f0e9d8c';
const SEED = 'hash_seed=f0e1d2c3-b4a5-4968-8778-695a4b3c2d1e';

const alike = test.macro({
  exec(t, program: string, mib: number, args: readonly string[]) {
    if (!haveE2fsprogs()) return t.pass('no e2fsprogs here: skipped');
    const all = ['-q', '-F', '-U', UUID, ...withSeed(args)];
    const [a, b] = [blank(mib << 20), blank(mib << 20)];
    const made = ours(program, ...all, a);
    t.is(made.status, 0, made.stderr);
    // Ours never has a resize inode.
    const host = theirs(program, [...all, '-O', withoutResize(args), b]);
    t.is(host.status, 0, host.stderr);
    t.deepEqual(said(a), said(b));
    const judged = theirs('e2fsck', ['-fn', a]);
    t.is(judged.status, 0, judged.stdout);
    rmSync(a);
    rmSync(b);
  },
  title: (_, program: string, mib: number, args: readonly string[]) =>
    `as the host's: ${program} ${args.join(' ')}, ${mib} MiB`,
});

const withSeed = (args: readonly string[]): string[] =>
  args.includes('-E')
    ? args.map((arg, i) => (args[i - 1] === '-E' ? `${arg},${SEED}` : arg))
    : ['-E', SEED, ...args];

/** The last -O counts of the host's; it is told all of them. */
const withoutResize = (args: readonly string[]): string =>
  [...args.filter((_, i) => args[i - 1] === '-O'), '^resize_inode'].join(',');

test('no options', alike, 'mkfs.ext4', 32, []);
test(alike, 'mkfs.ext4', 64, ['-b', '4096', '-m', '1', '-L', 'data']);
test(alike, 'mkfs.ext4', 40, ['-b', '2048', '-i', '8192', '-I', '512']);
test(alike, 'mkfs.ext4', 24, ['-N', '5000', '-O', '^has_journal']);
test(alike, 'mkfs.ext4', 64, ['-J', 'size=8', '-e', 'remount-ro', '-M', '/somewhere']);
test(alike, 'mkfs.ext4', 48, ['-T', 'largefile', '-G', '32']);
test(alike, 'mkfs.ext4', 16, ['-T', 'news']);
test(alike, 'mkfs.ext4', 24, ['-O', '^metadata_csum,^64bit,uninit_bg', '-g', '4096']);
test(alike, 'mkfs.ext4', 24, ['-E', 'stride=16,stripe_width=64,test_fs,lazy_itable_init=0']);
test(alike, 'mkfs.ext4', 24, ['-O', 'metadata_csum_seed,inline_data,large_dir,verity']);
test(alike, 'mkfs.ext3', 24, ['-I', '128', '-m', '0']);
test(alike, 'mkfs.ext2', 2, []);
test(alike, 'mkfs.ext2', 16, ['-j', '-t', 'ext2', '-b', '1024']);

test('the root belongs to whom it was asked for; -n makes nothing', (t) => {
  const file = blank(8 << 20);
  const before = readFileSync(file);
  t.is(ours('mkfs.ext4', '-n', file).status, 0);
  t.is(Buffer.compare(readFileSync(file), before), 0);
  t.is(ours('mkfs.ext4', '-q', '-E', 'root_owner=1000:100', file).status, 0);
  if (!haveE2fsprogs()) return;
  const { stdout } = theirs('debugfs', ['-R', 'stat /', file]);
  t.regex(stdout, /User:\s+1000\s+Group:\s+100\b/);
});

test('what is not made here is refused by name', (t) => {
  const file = blank(8 << 20);
  for (const args of [
    ['-O', 'bigalloc'],
    ['-O', 'nonsense'],
    ['-E', 'quotatype=usrquota'],
    ['-T', 'nonsense'],
    ['-G', '12'],
    ['-g', '100'],
    ['-e', 'nothing'],
  ]) {
    const { status, stderr } = ours('mkfs.ext4', ...args, file);
    t.not(status, 0, args.join(' '));
    t.not(stderr, '');
  }
});

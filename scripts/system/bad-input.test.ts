// Images that are none, files that may not be written, and Ctrl-C: the machine goes on, and says why.

import { chmod, copyFile, mkdir, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  ATOLL,
  atoll,
  fsck,
  host,
  makeExt4,
  sha256OfFile,
  startAtoll,
  tempDir,
} from '../testing/machine.ts';

interface Bad {
  readonly name: string;
  /** Spoils an image of 8 MiB with an ext4 volume on it. */
  readonly spoil: (file: string) => Promise<void>;
  readonly reason: RegExp;
}

async function overwrite(file: string, at: number, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(bytes, 0, bytes.length, at);
  await handle.close();
}

const spoiled = test.macro({
  async exec(t, { spoil, reason }: Bad) {
    await using dir = await tempDir();
    const image = join(dir.path, 't.img');
    if (!(await makeExt4(image, 8))) {
      t.log('no e2fsprogs here: skipped');
      return t.pass();
    }
    await spoil(image);
    const before = await sha256OfFile(image);
    const ran = await atoll(['--disk', image, '-c', 'ls -d /mnt/sdC0; echo on']);
    t.is(ran.stdout, 'on\n');
    t.is(ran.status, 0);
    t.regex(ran.stderr, reason);
    t.regex(ran.stderr, /\/mnt\/sdC0.*No such file or directory/);
    t.is(ran.stderr.trim().split('\n').length, 2, ran.stderr);
    t.is(await sha256OfFile(image), before);
  },
  title: (_, { name }: Bad) => `${name}: one line says why, nothing is mounted or changed`,
});

test(spoiled, {
  name: 'an empty file',
  spoil: (file) => truncate(file, 0),
  reason: /sdC0: .*empty/,
});
test(spoiled, {
  name: 'a truncated image',
  spoil: (file) => truncate(file, 3 * 1024 * 1024),
  reason: /sdC0: .*(end|size|larger|blocks)/,
});
test(spoiled, {
  name: 'text',
  spoil: (file) => writeFile(file, 'not an image...\n'.repeat(4096)),
  reason: /sdC0: /,
});
test(spoiled, {
  name: 'random bytes',
  spoil: async (file) => {
    const bytes = new Uint8Array(1 << 20).map((_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
    await writeFile(file, bytes);
  },
  reason: /sdC0: /,
});
test(spoiled, {
  name: 'a superblock with a wrong checksum',
  spoil: (file) => overwrite(file, 1024 + 0x50, Uint8Array.of(0x55)),
  reason: /sdC0: .*(superblock|checksum)/,
});
test(spoiled, {
  name: 'group descriptors of zeroes',
  spoil: (file) => overwrite(file, 2048, new Uint8Array(1024)),
  reason: /sdC0: /,
});

test('a file that is not there is named, the machine runs', async (t) => {
  const ran = await atoll(['--disk', '/no/such.img', '-c', 'echo on']);
  t.like(ran, { status: 0, stdout: 'on\n' });
  t.regex(ran.stderr, /^atoll: sdC0: .*\/no\/such\.img.*no such file/im);
});

test('a damaged directory is an error for who reads it, and for nobody else', async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  const tree = join(dir.path, 'tree');
  await mkdir(join(tree, 'bad'), { recursive: true });
  await writeFile(join(tree, 'bad', 'x'), 'x');
  await writeFile(join(tree, 'good'), 'good\n');
  if (!(await makeExt4(image, 8, ['-b', '1024', '-d', tree]))) {
    t.log('no e2fsprogs here: skipped');
    return t.pass();
  }
  const stat = host('debugfs', ['-R', 'blocks bad', image])?.stdout ?? '';
  const [block = 0] = stat.trim().split(/\s+/).map(Number);
  t.true(block > 0);
  await overwrite(image, block * 1024, new Uint8Array(1024).fill(0xee));
  const ran = await atoll([
    ...['--disk', `${image},ro`],
    ...['-c', 'ls /mnt/sdC0/bad; cat /mnt/sdC0/good; dmesg | grep -c sdC0'],
  ]);
  t.regex(ran.stderr, /^ls: .*bad.*: Structure needs cleaning$/m);
  t.regex(ran.stdout, /^good\n[1-9]/);
});

test('a file that may not be written is refused read-write, and served read-only', async (t) => {
  if (process.getuid?.() === 0) {
    t.log('root may write everything: skipped');
    return t.pass();
  }
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  if (!(await makeExt4(image, 8))) return t.pass();
  await chmod(image, 0o444);
  const refused = await atoll(['--disk', image, '-c', 'ls -d /mnt/sdC0']);
  t.regex(refused.stderr, /sdC0: .*Permission denied/);
  t.is((await atoll(['--disk', `${image},ro`, '-c', 'ls -d /mnt/sdC0'])).status, 0);
});

test('a read-only disk and an overlay leave the file as it is', async (t) => {
  await using dir = await tempDir();
  const image = join(dir.path, 't.img');
  if (!(await makeExt4(image, 8))) {
    t.log('no e2fsprogs here: skipped');
    return t.pass();
  }
  const before = await sha256OfFile(image);
  const readOnly = await atoll(['--disk', `${image},ro`, '-c', 'echo x > /mnt/sdC0/f']);
  t.regex(readOnly.stderr, /Read-only file system/);
  const overlay = await atoll([
    ...['--disk', `${image},overlay`],
    ...['-c', 'echo x > /mnt/sdC0/f && sync && cat /mnt/sdC0/f'],
  ]);
  t.like(overlay, { status: 0, stdout: 'x\n', stderr: '' });
  t.is(await sha256OfFile(image), before);
});

test('an image whose journal needs recovery is replayed, read-write', async (t) => {
  await using dir = await tempDir();
  const [image, copy] = [join(dir.path, 't.img'), join(dir.path, 'copy.img')];
  if (!(await makeExt4(image, 8))) {
    t.log('no e2fsprogs here: skipped');
    return t.pass();
  }
  // What the disk holds while the volume is mounted, after a sync, is what a power cut leaves.
  const script = 'echo kept > /mnt/sdC0/f; sync; echo ready; sleep 100';
  const child = startAtoll(['--disk', image, '-c', script]);
  for await (const piece of child.stdout ?? []) if (String(piece).includes('ready')) break;
  await copyFile(image, copy);
  child.kill('SIGKILL');
  t.regex(host('dumpe2fs', ['-h', copy])?.stdout ?? '', /needs_recovery/);
  t.is((await atoll(['--disk', copy, '-c', 'cat /mnt/sdC0/f'])).stdout, 'kept\n');
  t.is(fsck(copy), '');
});

/** Types at the prompt through a terminal; argv: the command. */
const TERMINAL = `
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
out = b''
def wait(text, seconds=30):
    global out
    end = time.time() + seconds
    while text not in out:
        if time.time() > end: sys.exit('no %r in %r' % (text, out))
        if select.select([fd], [], [], 0.1)[0]:
            try: out += os.read(fd, 4096)
            except OSError: sys.exit('ended: %r' % out)
    out = out[out.index(text) + len(text):]
wait(b'# ')
os.write(fd, b'\\x03'); wait(b'# ')
os.write(fd, b'sleep 100\\n'); time.sleep(0.5); os.write(fd, b'\\x03'); wait(b'# ')
os.write(fd, b'echo status=$?\\n'); wait(b'status=130'); wait(b'# ')
os.write(fd, b'half a line\\x03'); wait(b'# ')
os.write(fd, b'echo "al"ive\\n'); wait(b'alive'); wait(b'# ')
os.write(fd, b'\\x04')
try:
    while os.read(fd, 4096): pass
except OSError: pass
print('ended', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

test('Ctrl-C at the prompt never kills the machine, Ctrl-D ends it', async (t) => {
  await using dir = await tempDir();
  const script = join(dir.path, 'terminal.py');
  await writeFile(script, TERMINAL);
  const ran = host('python3', [script, process.execPath, ATOLL]);
  if (ran === undefined) {
    t.log('no python3 here: skipped');
    return t.pass();
  }
  t.regex(ran.stdout, /^ended (0|130)$/m, ran.stderr);
  t.true((await readFile(script)).length > 0);
});

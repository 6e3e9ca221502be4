// WASI preview 1 programs on a booted machine, compiled here by clang against wasi-libc, and esbuild.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Atoll, boot } from '../../../host/atoll.ts';
import { testSeed } from '../../../kernel/ipc/testing/seed.ts';
import { makeExt4 } from '../../testing/machine.ts';
import { CHECKS, CHECKS_TOLD, FILES, FUZZ, HELLO, REST } from './programs.ts';

let folder: string;
let system: Atoll;
let compiler = false;
let volume = false;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'atoll-wasi-'));
  const image = join(folder, 'disk.img');
  volume = await makeExt4(image, 64);
  system = await boot({ disks: volume ? [{ file: image }] : [] });
  await system.fs.mkdir('/tmp/bin');
  compiler = true;
  for (const [name, source] of Object.entries({
    hello: HELLO,
    files: FILES,
    checks: CHECKS,
    fuzz: FUZZ,
    rest: REST,
  })) {
    compiler &&= await compile(name, source);
  }
});
test.after.always(async () => {
  await system.shutdown();
  await rm(folder, { recursive: true, force: true });
});

/** False where there is no compiler for WASI. */
async function compile(name: string, source: string): Promise<boolean> {
  const [from, to] = [join(folder, `${name}.c`), join(folder, name)];
  writeFileSync(from, source);
  const ran = spawnSync('clang', ['--target=wasm32-wasi', '-O1', '-o', to, from], {
    encoding: 'utf8',
  });
  const missing = ran.error !== undefined || /unable to (find|execute)|not found/.test(ran.stderr);
  if (missing) return false;
  if (ran.status !== 0) throw new Error(ran.stderr);
  await install(name, readFileSync(to));
  return true;
}

async function install(name: string, bytes: Uint8Array): Promise<void> {
  await system.fs.writeFile(`/tmp/bin/${name}`, bytes);
  await system.fs.chmod(`/tmp/bin/${name}`, 0o755);
}

/** Runs a script in a directory of its own. */
async function run(t: ExecutionContext, script: string) {
  const cwd = await system.fs.mkdtemp('/tmp/wasi-');
  const ran = await system.exec(script, { cwd, env: { PATH: '/tmp/bin:/bin', A: 'from outside' } });
  t.log(ran.stderr);
  return ran;
}

const needsCompiler = test.macro({
  async exec(t: ExecutionContext, script: string, stdout: string) {
    if (!compiler) {
      t.log('no clang for wasm32-wasi here: skipped');
      return t.pass();
    }
    t.is((await run(t, script)).stdout, stdout);
  },
  title: (title = '') => title,
});

test(
  'a program has its arguments, environment, streams and status',
  needsCompiler,
  'printf "a\\nb\\n" | hello x "y z" 2>&1 >out; echo $?; cat out',
  'to stderr\n7\narg 1: x\narg 2: y z\nA=from outside\nin: a\nin: b\ntty: 0 0\n',
);

test(
  'files are the machine’s, by relative and absolute paths',
  needsCompiler,
  'files; cat /tmp/wasi-absolute; ls -A; ls -A d; stat -c "%Y %a" d/one',
  `${[
    ...['mkdir: ok', 'd/one: ok', '/tmp/wasi-absolute: ok', 'symlink: ok', 'readlink: ok', 'one'],
    ...['link: ok', 'stat: ok', '4 bytes, 2 links, file 1', 'lstat: ok', 'link 1', 'rename: ok'],
    ...['. .. link one three ', 'rmdir: Directory not empty', 'unlink d: Is a directory'],
    ...['unlink: ok', 'truncate: ok', 'above: Capabilities insufficient'],
    ...['through: Capabilities insufficient', 'missing: No such file or directory'],
    ...['excl: File exists', 'nofollow: Symbolic link loop', 'readonly: Read-only file system'],
    ...[
      'append: ok',
      'seek: ok',
      'read: ok',
      'nxyz',
      'pread: ok',
      'fsync: ok',
      'ftruncate: ok',
      '0',
    ],
    ...['utimens: ok', 'futimens: ok', '1234567890 7', 'absolute', 'd', 'link', 'one'],
    '1234567890 644',
  ].join('\n')}\n`,
);

test('what a call cannot do is refused by number', needsCompiler, 'checks | cat', CHECKS_TOLD);

test(
  'a long directory is read by cookies',
  needsCompiler,
  'for i in $(seq 100); do : > a-longer-name-$i; done; rest list',
  '102 entries\n',
);

test(
  'poll waits for input or its time',
  needsCompiler,
  '{ sleep .3; echo; sleep .3; } | rest poll',
  '0 1 1\n',
);

test('a sleep lasts', needsCompiler, 'rest sleep', 'slept\n');

test(
  'memory ends at its limit, and a module that needs more at its start is refused',
  needsCompiler,
  '( ulimit -v 8192; rest eat ); rest eat; ( ulimit -v 64; rest eat 2>&1 )',
  '7 MiB\n64 MiB\nrest: cannot execute: needs 2 pages of memory, may have 1\n',
);

test(
  'a broken pipe ends a writer, and a trap a program, by signals',
  needsCompiler,
  'rest yes | head -n 2; rest trap; echo $?',
  'y\ny\n134\n',
);

test('random calls are refused or done, and hurt nobody', async (t) => {
  if (!compiler) {
    t.log('no clang for wasm32-wasi here: skipped');
    return t.pass();
  }
  const seed = testSeed();
  t.log(`ATOLL_SEED=${seed}`);
  const { status } = await run(t, `fuzz ${seed}`);
  t.is(status, 9);
  t.deepEqual(
    system.log.filter((line) => /bug|died/.test(line)),
    [],
  );
});

test('a loop without calls dies of SIGKILL, and of Ctrl-C in a terminal', async (t) => {
  if (!compiler) {
    t.log('no clang for wasm32-wasi here: skipped');
    return t.pass();
  }
  const killed = await run(
    t,
    'rest spin > out & while ! [ -s out ]; do :; done; kill -9 $!; wait $!; echo $?',
  );
  t.is(killed.stdout, '137\n');
  const shell = await system.openShell();
  await shell.write('/tmp/bin/rest spin; echo status $?\r');
  let screen = '';
  for await (const piece of shell) {
    screen += new TextDecoder().decode(piece);
    if (screen.endsWith('spinning\r\n')) {
      screen = '';
      await shell.write('\x03');
    } else if (screen.includes('# ')) {
      if (screen.includes('^C')) break;
    }
  }
  t.true(screen.includes('^C'));
  await shell.close();
  t.is((await system.exec('ps -e -o args')).stdout.includes('rest spin'), false);
});

test('a terminal is one for the program, too', async (t) => {
  if (!compiler) {
    t.log('no clang for wasm32-wasi here: skipped');
    return t.pass();
  }
  const shell = await system.openShell();
  await shell.write('/tmp/bin/hello; exit\r');
  let screen = '';
  for await (const piece of shell) {
    screen += new TextDecoder().decode(piece);
    if (screen.endsWith('to stderr\r\n')) await shell.write('typed\r\x04');
  }
  t.regex(screen, /in: typed\r\ntty: 1 1\r\n$/);
});

const bytes = (...parts: (number | string)[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : [part])),
  );
const HEADER = '\0asm\x01\0\0\0';
/** A function type, one function, a memory. */
const BODY = '\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01';
const exporting = (name: string): string =>
  `\x07${String.fromCharCode(name.length + 13)}\x02${String.fromCharCode(name.length)}${name}\0\0\x06memory\x02\0`;
const CODE = '\x0a\x04\x01\x02\0\x0b';

const refuses = test.macro({
  async exec(t: ExecutionContext, name: string, module: Uint8Array, told: RegExp) {
    await install(name, module);
    const { stderr, status } = await run(t, name);
    t.regex(stderr, told);
    t.is(status, 126);
  },
  title: (_, name: string) => `a module is refused with its reason: ${name}`,
});

test(refuses, 'cut-off', bytes(HEADER, '\x01\x04\x01'), /^cut-off: cannot execute: .*section/);
test(refuses, 'new-version', bytes('\0asm\x0d\0\x01\0'), /^new-version: cannot execute: .*version/);
test(refuses, 'noise', bytes(HEADER, 'some words that are none'), /^noise: cannot execute: /);
test(
  refuses,
  'reactor',
  bytes(HEADER, BODY, exporting('_initialize'), CODE),
  /^reactor: cannot execute: a reactor, not a command: it has no _start\n$/,
);
test(
  refuses,
  'other-host',
  bytes(HEADER, '\x01\x04\x01\x60\0\0\x02\x0b\x01\x03env\x03foo\0\0'),
  /^other-host: cannot execute: needs function env\.foo\n$/,
);

test('a module without the execute bit is no program, one with it runs', async (t) => {
  await install('nothing', bytes(HEADER, BODY, exporting('_start'), CODE));
  t.deepEqual(await run(t, 'nothing; echo $?').then(({ stdout }) => stdout), '0\n');
  await system.fs.chmod('/tmp/bin/nothing', 0o644);
  t.is((await run(t, '/tmp/bin/nothing')).status, 126);
});

test('esbuild bundles a tree that lies on ext4, in a pipeline', async (t) => {
  const module = new URL(
    '../../../../node_modules/@esbuild/wasi-preview1/esbuild.wasm',
    import.meta.url,
  );
  if (!volume || !existsSync(module)) {
    t.log('no mke2fs or no esbuild here: skipped');
    return t.pass();
  }
  const at = '/mnt/sdC0/project';
  await system.fs.mkdir(`${at}/src/lib`, { recursive: true });
  await system.fs.writeFile(`${at}/esbuild`, readFileSync(module));
  await system.fs.chmod(`${at}/esbuild`, 0o755);
  const sources = {
    'main.ts': "import { answer } from './lib/answer';\nconsole.log(answer<number>(6));\n",
    'lib/answer.ts':
      "import { by } from './by';\nexport const answer = <T extends number>(x: T): number => x * by;\n",
    'lib/by.ts': 'enum By { six = 6, seven }\nexport const by: number = By.seven;\n',
  };
  for (const [name, text] of Object.entries(sources))
    await system.fs.writeFile(`${at}/src/${name}`, text);
  const { stdout, stderr, status } = await system.exec(
    './esbuild --bundle --format=esm src/main.ts | tee out.js | sort | wc -l; ./esbuild nothing.ts; echo $?',
    { cwd: at, env: { PATH: '/bin' } },
  );
  t.is(status, 0);
  t.regex(stderr, /Could not resolve "nothing.ts"/);
  t.regex(stdout, /^ *\d+\n1\n$/);
  const out = await system.fs.readFile(`${at}/out.js`, 'utf8');
  const file = join(folder, 'out.mjs');
  writeFileSync(file, out);
  t.is(spawnSync(process.execPath, [file], { encoding: 'utf8' }).stdout, '42\n');
});

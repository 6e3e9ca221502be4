// Pipes between running processes, whose bytes do not pass the kernel: nothing is lost, doubled or torn,
// however the pieces fall, and whoever is killed in the middle.

import { createHash } from 'node:crypto';
import test from 'ava';
import { type Atoll, boot } from '../../index.ts';

let os: Atoll;
test.before(async () => {
  os = await boot();
});
test.after.always(() => os?.shutdown());

/** Bytes that no two places share, from a seed (xorshift32). */
function noise(seed: number, count: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(count / 4));
  let state = seed | 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, count);
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test.serial('bytes come out as they went in, through pieces of every size', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() & 0xffff);
  t.log(`seed ${seed}`);
  const bytes = noise(seed, 3_000_001);
  await os.fs.writeFile('/tmp/noise', bytes);
  const wanted = `${sha(bytes)}  -\n`;
  for (const script of [
    'cat /tmp/noise | cat | cat | sha256sum',
    'dd if=/tmp/noise bs=777 status=none | dd bs=65537 status=none | sha256sum',
    'dd if=/tmp/noise bs=300000 status=none | dd bs=1000 status=none | sha256sum',
    'cat < /tmp/noise | tee /tmp/copy | cmp - /tmp/noise && sha256sum < /tmp/copy',
    '(head -c 1000000; cat) < /tmp/noise | (dd bs=5 count=1 status=none; cat) | sha256sum',
    'mknod /tmp/fifo p; cat /tmp/noise > /tmp/fifo & sha256sum < /tmp/fifo; wait; rm /tmp/fifo',
  ]) {
    const { stdout, stderr, status } = await os.exec(script);
    t.is(stderr, '', script);
    t.is(stdout, wanted, script);
    t.is(status, 0);
  }
});

test.serial('several writers of one pipe: every line arrives once and whole', async (t) => {
  const { stdout } = await os.exec(`
    { for w in 1 2 3; do seq -f "$w %05g" 1 4000 & done; wait; } | sort | uniq -c | awk '{ print $1 }' | sort | uniq -c`);
  t.is(stdout.trim().replace(/ +/g, ' '), '12000 1');
});

test.serial(
  'whoever is killed in the middle takes nobody along, and leaves no memory behind',
  async (t) => {
    const free = async (): Promise<number> => {
      const { stdout } = await os.exec(
        'sync; echo 3 > /proc/sys/vm/drop_caches; cat /proc/meminfo',
      );
      return Number(/^MemFree: +(\d+)/m.exec(stdout)?.[1]);
    };
    await os.exec('yes | head -c 10 | cat'); // the workers are there
    const before = await free();
    const { stdout } = await os.exec(`
    i=0
    while [ $i -lt 12 ]; do
      yes | cat > /dev/null &
      reader=$!
      yes | head -c 300000 | wc -c
      kill -9 $reader
      i=$((i + 1))
    done 2> /dev/null
    wait
    { kill -9 $$; } | cat
    `);
    t.is(stdout, '300000\n'.repeat(12));
    t.is((await os.exec('echo lives | cat')).stdout, 'lives\n');
    let after = 0;
    for (let tries = 0; tries < 50 && after < before - 512; tries++) after = await free();
    t.true(after >= before - 512, `${before} kB free before, ${after} after`);
  },
);

test.serial(
  'a pipe without readers is told by SIGPIPE, one without writers by its end',
  async (t) => {
    const { stdout } = await os.exec(`
    yes | head -n 1 > /dev/null; echo "$? \${PIPESTATUS-}"
    (trap '' PIPE; yes 2> /dev/null; echo $? > /tmp/status) | true; cat /tmp/status
    (sleep 0.05; printf late) | cat; echo
    : | cat; echo end`);
    t.is(stdout, '0 \n1\nlate\nend\n');
  },
);

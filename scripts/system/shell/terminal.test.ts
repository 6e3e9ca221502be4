// The shell at a terminal, with the keys a person would press: `atoll` runs in a PTY of the host, which
// python3 gives us. Each step types something and waits for what must come then.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const atoll = fileURLToPath(new URL('../../atoll.js', import.meta.url));

/** argv: the steps as JSON, the command. A step waits for its text behind what was matched before. */
const driver = `
import fcntl, json, os, pty, re, select, struct, sys, termios, time
steps = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.environ['TERM'] = 'xterm'
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 60, 0, 0))
raw = b''
done = 0
def wait(text):
    global raw, done
    end = time.time() + 60
    while True:
        seen = re.sub(r'\\x1b\\[[?0-9;]*[A-Za-z]|\\r', '', raw.decode(errors='replace'))
        at = seen.find(text, done)
        if at >= 0: break
        if time.time() > end: sys.exit('no %r in %r, after %r' % (text, seen[done:], seen[:done][-400:]))
        if select.select([fd], [], [], 0.1)[0]:
            try: raw += os.read(fd, 4096)
            except OSError: sys.exit('ended: %r' % seen[done:])
    done = at + len(text)
wait('# ')
for keys, text in steps:
    os.write(fd, keys.encode())
    wait(text)
print('all steps done')
os.kill(pid, 9)
`;

type Steps = readonly (readonly [keys: string, then: string])[];

const prompt = 'ready> ';
/** A line of output and the next prompt, less what moves the cursor. */
const out = (text: string): string => `\n${text}\n${prompt}`;

const atTerminal = test.macro({
  async exec(t, steps: Steps) {
    const dir = await mkdtemp(join(tmpdir(), 'terminal-'));
    try {
      const script = join(dir, 'driver.py');
      await writeFile(script, driver);
      const all = [['PS1="rea""dy> "\r', prompt], ...steps];
      const args = [script, JSON.stringify(all), process.execPath, atoll];
      const child = spawn('python3', args, { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
      }
      const missing = await new Promise<boolean>((resolve) => {
        child.on('error', () => resolve(true)).on('close', () => resolve(false));
      });
      if (missing) {
        t.log('no python3 here: skipped');
        t.pass();
      } else t.is(said, 'all steps done\n');
    } finally {
      await rm(dir, { recursive: true });
    }
  },
  title: (claim) => claim ?? '',
});

// One after the other: each is a machine of its own.
test.serial('a line is edited, recalled, searched and completed', atTerminal, [
  ['echo ac\x02b\r', out('abc')], // ^B
  ['\x10\x17x\x02\x02\x02\x02\x02\x02\x02\x0b\x19 y\r', out('x y')], // ^P ^W ^K ^Y
  ['echo one two\x1bb\x1b[Dz\r', out('onez two')],
  ['\x1b[A\x1b[H\x1bf\x1bd x\x05!\r', out('x two!')],
  ['\x12ac\x07\r', prompt],
  ['\x12abc\r', prompt],
  ['echo /etc/passw\t\r', out('/etc/passwd')],
  ['v_long=7\r', prompt],
  ['echo $v_lo\t\r', out('7')],
  ['whoa\t\r', out('root')],
  ['ls /etc/pr\t\r', out('/etc/profile')],
  ['echo ab\x14\x15echo c\r', out('c')], // ^T ^U
  ['echo one \'two "2" three\'\r', out('one two "2" three')],
  ['echo \x1b. x\r', out('two "2" three x')], // M-.
  ['echo a\x1b.\x1b.\r', out('atwo "2" three')],
  ['echo p q\x17\x17\x17ls\x15\x19 ; \x19\x1by\r', out('p q')], // ^W ^U ^Y M-y
  ['echo gone\x17\x1f\r', out('gone')], // ^_ undoes
  ['echo b c\x1bt\r', out('c b')], // M-t
  ['EDITOR="sed -i s/old/new/"\r', prompt],
  ['echo old\x18\x05', `echo new\nnew\n${prompt}`], // ^X ^E
  ['echo first\r', out('first')],
  ['echo second\r', out('second')],
  ['\x10\x10\x0f', `${out('first')}echo second`], // ^P ^P ^O
  ['\r', out('second')],
  [`echo ${'w'.repeat(70)}\x01\x06\x06\x06\x06\x06X\r`, out(`X${'w'.repeat(70)}`)],
  ['echo 日本\x02\x7f語\r', out('語本')],
  ['echo \x1b[200~a\rb\x1b[201~\r', `a\n-sh: 1: b: not found\n${prompt}`],
  ['half a line\x03', prompt],
  ['if true\r', '> '],
  ['then echo multi\r', '> '],
  ['fi\r', out('multi')],
  ['cat ~/.sh_history | tail -1 | wc -l\r', out('1')],
  [`sh -c 'echo st""arted; exec cat'\r`, '\nstarted\n'],
  ['typed\r', 'typed\ntyped\n'],
  ['\x04', prompt],
]);

/** Says when it runs: keys before that are the shell's. */
const job = `sh -c 'echo st""arted; exec sleep 100'`;

test.serial('jobs stop, go on and end as keys and commands say', atTerminal, [
  ['yes | head -1\r', out('y')],
  ['sleep 100 & kill %1; wait; echo "st"=$?\r', out('st=0')],
  [`${job}\r`, '\nstarted\n'],
  ['\x1a', `Stopped                    ${job}\n${prompt}`],
  ['jobs\r', `[1] + Stopped                    ${job}\n${prompt}`],
  ['bg\r', `[1] ${job}\n${prompt}`],
  ['jobs\r', `[1] + Running                    ${job}\n${prompt}`],
  ['fg\r', `\n${job}\n`],
  ['\x03', prompt],
  ['echo "st"=$?\r', out('st=130')],
  [
    `sh -c "trap 'echo b''ye' EXIT; trap 'exit 3' INT; echo st''art; while :; do :; done"\r`,
    'start',
  ],
  ['\x03', `bye\n${prompt}`],
  ['(echo st""arted; sleep 100; echo not yet)\r', '\nstarted\n'],
  ['\x1a', prompt],
  ['exit\r', `You have stopped jobs.\n${prompt}`],
  ['kill -9 %1; wait; echo "gone"\r', out('gone')],
  ['while :; do :; done\r', 'done\n'],
  ['\x03', `^C\n${prompt}`],
  ['read x\r', '\n'],
  ['half\x03', `half^C\n${prompt}`],
  ['sleep 0.1 & wait; echo "next"\r', out('next')],
  ['in=$(sh -c "echo st\\"\\"arted >&2; cat" | cat); echo "[$in]"\r', '\nstarted\n'],
  ['in\r', '\n'],
  ['\x04', `[in]\n${prompt}`],
]);

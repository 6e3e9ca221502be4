// top, watch and reset in a terminal, with the keys that a person would press.

import test from 'ava';
import { type Atoll, boot } from '../../../host/atoll.ts';
import { Person } from '../../testing/person.ts';

let machine: Atoll;
test.before(async () => {
  machine = await boot({ disks: [] });
});
test.after.always(() => machine.shutdown());

async function leave(person: Person): Promise<void> {
  await person.type('exit\r');
  await person.terminal.exit;
}

/** The rows below the reversed head of the processes. */
function processes(person: Person): string[] {
  const at = person.rows.findIndex((row) => /^ *PID USER/.test(row));
  return person.rows.slice(at + 1).filter((row) => row !== '');
}

const commandOf = (row: string): string => row.trim().split(/\s+/).slice(8).join(' ');

test('top shows who is busy first, and sorts, kills and leaves by keys', async (t) => {
  const person = await Person.at(machine, { cols: 100, rows: 24 });
  await person.type('sleep 1000 & yes > /dev/null &\r');
  await person.type('clear; top -d 0.3\r');
  await person.sees(/PID USER +NI S +%CPU +TIME\+ +HOPS\/s +CALLS\/s COMMAND/);
  await person.waits('yes at the top', () => commandOf(processes(person)[0] ?? '') === 'yes');
  t.regex(person.reversed, /PID USER/);
  t.regex(person.text, /Per second: \d+ hops, \d+ messages/);
  await person.type('N');
  await person.waits(
    'top, the youngest, first',
    () => commandOf(processes(person)[0] ?? '') === 'top',
  );
  await person.type('R');
  await person.waits('the eldest first', () => /^ +1 root/.test(processes(person)[0] ?? ''));
  await person.type('c');
  await person.sees('sleep 1000');
  const pid = (name: string): string =>
    processes(person)
      .find((row) => commandOf(row) === name)
      ?.trim()
      .split(' ')[0] ?? '';
  const sleeper = pid('sleep 1000');
  await person.type('k');
  await person.sees('PID to signal');
  await person.type(`${sleeper}\r`);
  await person.sees(`Send pid ${sleeper} signal [15/SIGTERM]`);
  await person.type('KILL\r');
  await person.waits('no sleep', () => !/ S .*sleep 1000/.test(person.text));
  await person.type('k99999\r\r');
  await person.sees('Failed to signal 99999: No such process');
  const busy = pid('yes');
  await person.type(`r${busy}\r7\r`);
  await person.sees(new RegExp(`^ *${busy} root +7 `, 'm'));
  await person.type('unobody\r');
  await person.waits('nobody has processes', () => processes(person).length === 0);
  await person.type('u\x15\r');
  await person.sees('top -d 0.3');
  await person.resize(60, 12);
  await person.waits('twelve rows of sixty', () =>
    /^ *PID USER.*CALLS\/s COMMAN$/m.test(person.text),
  );
  await person.type('h');
  await person.sees('leaves');
  await person.type(' ');
  await person.sees('PID USER');
  await person.types('q');
  await person.types('kill %2; wait; clear\r');
  await leave(person);
});

test('top -b is text: looks, servers, chosen processes, wrong options', async (t) => {
  const two = await machine.exec('top -b -n 2 -d 0.1 -p $$ -c');
  t.is(two.status, 0);
  t.is(two.stdout.match(/^top - /gm)?.length, 2);
  t.is(two.stdout.match(/ sh -c top/g)?.length, 2);
  for (const [command, message] of [
    ['top -b -o nothing', "unrecognized field name 'nothing'"],
    ['top -b -d x', "bad delay interval 'x'"],
    ['top -b -n 0', "bad -n argument '0'"],
    ['top -b -u nobody-here', 'Invalid user'],
    ['top < /dev/null', 'failed tty get'],
  ] as const) {
    const ran = await machine.exec(command);
    t.is(ran.stderr, `top: ${message}\n`);
    t.is(ran.status, 1);
  }
});

test('watch shows a command anew, marks what changed, follows the size, ends by its options', async (t) => {
  const person = await Person.at(machine, { cols: 80, rows: 10 });
  await person.type("clear; echo 10 > n; watch -d -n 0.2 'echo at $(cat n) $COLUMNS'\r");
  await person.sees(/^Every 0\.2s: echo at .*:\d\d \d{4}$/m);
  await person.sees('at 10 80');
  t.is(person.reversed, '');
  await machine.fs.writeFile('/root/n', '19\n');
  await person.waits('a 9 in reverse', () => person.reversed === '9');
  await person.resize(40, 8);
  await person.sees('at 19 40');
  await person.types('q');
  await person.type("watch -g -t -n 0.1 'cat n'\r");
  await person.waits('the number alone', () => person.rows[0] === '19' && person.rows[1] === '');
  await machine.fs.writeFile('/root/n', '20\n');
  await person.waits('the prompt', () => person.rows.some((row) => row.startsWith('$>')));
  await person.types('clear\r');
  await person.type("watch -e 'echo wrong; exit 3'; echo status $?\r");
  await person.sees('command exit with a non-zero status');
  await person.type('x');
  await person.sees(/^status 3$/m);
  await person.type('clear; watch -n 60 sleep 1001\r');
  await machine.exec("until pgrep -f '^sleep 1001'; do :; done");
  await person.waits('an empty screen', () => person.text.trim() === '');
  await person.types('\x03');
  const refused = await machine.exec('watch true; watch; watch -n x true');
  t.regex(
    refused.stderr,
    /not a terminal\n.*missing command\n.*\n.*failed to parse argument: 'x'\n$/s,
  );
  await leave(person);
});

test('reset undoes raw keys, a missing echo and the alternate screen; tset sets characters', async (t) => {
  const person = await Person.at(machine, { cols: 50, rows: 10 });
  await person.type("clear; printf '\\033[?1049h\\033(0\\033[?25l'; stty raw -echo; cat\r");
  await person.waits('cat runs', () => !person.text.includes('$>'));
  await machine.exec('until pkill -x cat; do :; done');
  await person.sees('$>');
  await person.type('reset -Q; stty -a | grep -c " echo "\r');
  await person.waits('an empty screen, and echo', () => person.text.trim() === '1\n$>');
  await person.type('tset -e "^H"; stty -a | grep -o "erase = ^."\r');
  await person.sees(/^Erase is backspace\.\nerase = \^H$/m);
  const refused = await machine.exec('tset -e abc; tset -y');
  t.regex(refused.stderr, /not a terminal|invalid character/);
  await leave(person);
});

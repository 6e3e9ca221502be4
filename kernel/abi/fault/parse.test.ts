// The language of fault rules: what is read is written back the same, what is wrong is told with its
// column, and no text whatever makes the parser fail in another way.

import test from 'ava';
import fc from 'fast-check';
import { T } from '../../ninep/types.ts';
import { isProblem, parseRule, problemText, ruleLines } from './parse.ts';
import { MESSAGES, POINTS, pointPattern } from './points.ts';
import { printRule } from './print.ts';

const reads = test.macro<[text: string, written?: string]>({
  exec(t, text, written) {
    const canonical = written ?? text;
    const rule = parseRule(text);
    if (isProblem(rule)) return t.fail(problemText(rule));
    t.is(printRule(rule), canonical);
    t.deepEqual(parseRule(canonical), rule);
  },
  title: (_, text) => `'${text}' is a rule`,
});

test(reads, 'on blk.sdC0.write nth=3 do err EIO');
test(reads, 'j1: on blk.sdC0.write tag=journal nth=2 do torn 512, power prefix');
test(reads, 'on blk.sdC0.flush p=1/100 do lie');
test(reads, 'on ipc.ext4fs.Twrite after=20 do crash');
test(reads, 'on blk.*.{read,write} lba=100..200 len>=4096 do delay 50ms~10ms');
test(
  reads,
  '  a :on blk.sdC0.read len<=4K   do delay 2s , bad',
  'a: on blk.sdC0.read len<=4096 do delay 2000ms, bad',
);
test(reads, 'on sys.open path~/mnt/*/a* pid=7 times=2 do err ENOENT');
test(reads, 'on alloc.* every=3 do kill ahci');
test(reads, 'on sys.write t=2s..5s do short 1', 'on sys.write t=2000ms..5000ms do short 1');
test(reads, 'on sys.write t=1.5s.. do full', 'on sys.write t=1500ms.. do full');
test(
  reads,
  'on blk.sdC0.write budget=1M do err EIO',
  'on blk.sdC0.write budget=1048576 do err EIO',
);
test(reads, 'on clock do jump -1h, off', 'on clock do jump -3600000ms, off');
test(reads, 'on clock nth=1,5,9 do drift 500');
test(reads, 'on irq.ahci state=later do drop, goto start');
test(reads, 'on blk.sdC0.write do misdirect 5, flip 9');

const refuses = test.macro({
  exec(t, text: string, problem: string) {
    const rule = parseRule(text);
    t.is(isProblem(rule) ? problemText(rule) : 'a rule', problem);
  },
  title: (_, text: string) => `'${text}' is refused, with the column`,
});

test(refuses, '', "column 1: expected 'on', or a name and ':', found the end");
test(refuses, 'x: onto', "column 4: expected 'on', found 'onto'");
test(refuses, 'on ', 'column 4: expected a point such as blk.sdC0.write, found the end');
test(
  refuses,
  'on blk.sdC0.wirte do err EIO',
  "column 4: no point 'blk.sdC0.wirte': expected blk.DEV.{read,write,flush,trim}",
);
test(
  refuses,
  'on blk.sdC0.write nht=3 do err EIO',
  "column 19: expected a condition (lba, len, tag, nth, every, after, p, times, t, budget, state) or 'do', found 'nht'",
);
test(
  refuses,
  'on blk.sdC0.flush do torn 512',
  "column 22: 'torn' makes no sense at blk.sdC0.flush: expected err, delay, dup, lie, drop, hang, crash, kill, power, pause, resume, goto, off",
);
test(
  refuses,
  'on sys.open do err EBLAH',
  "column 20: expected an error such as EIO, found 'EBLAH'",
);
test(
  refuses,
  'on blk.a.read do err ENOENT',
  'column 18: a disk cannot tell ENOENT: expected err EIO',
);
test(refuses, 'on sys.open nth=0 do hang', "column 17: expected a number from 1, found '0'");
test(
  refuses,
  'on blk.a.write do torn 100',
  "column 24: expected a number of bytes in whole sectors such as 512, found '100'",
);
test(
  refuses,
  'on sys.open do hang hang',
  "column 21: expected ',' and another action, or the end of the rule, found 'hang'",
);
test(
  refuses,
  'on sys.open p=3/2 do hang',
  "column 15: expected a probability of at most 1, found '3'",
);
test(
  refuses,
  `on sys.open path~${'a'.repeat(500)} do hang`,
  'column 401: expected at most 400 characters',
);

test('rules stand a line each; blank lines and comments are left out', (t) => {
  const text = '# a scenario\n\non sys.open do hang # for ever\n  \non clock do jump 1s\n';
  t.deepEqual(ruleLines(text), [
    { line: 3, text: 'on sys.open do hang' },
    { line: 5, text: 'on clock do jump 1s' },
  ]);
});

test('the messages of the ipc points are those of 9P2000.L', (t) => {
  const known = new Set(Object.keys(T));
  t.deepEqual(
    [...known].filter((name) => !MESSAGES.includes(name) && name !== 'Tlerror'),
    [],
  );
});

test('a star does not reach over a dot, braces name alternatives', (t) => {
  t.true(pointPattern('blk.*.{read,write}').test('blk.sdC0.write'));
  t.false(pointPattern('blk.*').test('blk.sdC0.write'));
  t.true(pointPattern('ipc.{ext4fs,ahci}.T*').test('ipc.ahci.Tread'));
  t.false(pointPattern('ipc.ext4fs.T*').test('ipc.ext4fs.Rread'));
});

const words = [
  ...['on', 'do', 'blk', '.', '*', 'sdC0', 'write', 'ipc', 'ext4fs', 'Tread', 'sys', 'open'],
  ...['=', '>=', '<=', '~', '..', ',', ':', '{', '}', '/', 'nth', 'p', 't', 'err', 'EIO', 'delay'],
  ...[
    'torn',
    '512',
    '1',
    '4K',
    '2s',
    'power',
    'prefix',
    'goto',
    'x',
    ' ',
    ' ',
    ' ',
    '-',
    '\0',
    'é',
  ],
];

test('whatever the text, the answer is a rule that reads back the same, or a column inside it', (t) => {
  const texts = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 24 }).map((list) => list.join('')),
    fc.string({ maxLength: 60 }),
    fc.tuple(fc.constantFrom(...POINTS), fc.nat(), fc.string()).map(([point, n, tail]) => {
      const operation = point.operations[n % point.operations.length] ?? '';
      const name = [point.kind, point.place && '*', operation].filter(Boolean).join('.');
      const [action = ''] = point.actions(operation);
      return `on ${name} nth=${n + 1} do ${action}${tail}`;
    }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const rule = parseRule(text);
      if (isProblem(rule)) return rule.column >= 1 && rule.column <= text.length + 1;
      const again = parseRule(printRule(rule));
      t.deepEqual(again, rule);
      return true;
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

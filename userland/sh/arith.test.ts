// Arithmetic expansion: values, assignments, errors (POSIX.1-2017, XCU 2.6.4).

import test from 'ava';
import fc from 'fast-check';
import { arithmetic } from './arith.ts';
import { ShellError } from './errors.ts';

function scope(values: Record<string, string> = {}) {
  const map = new Map(Object.entries(values));
  return {
    map,
    get: (name: string) => map.get(name),
    set: (name: string, value: string) => void map.set(name, value),
  };
}

const gives = test.macro({
  exec(t, source: string, expected: string) {
    t.is(arithmetic(source, scope({ x: '7', o: '010', h: '0x1F', n: '-3', s: ' 5 ' })), expected);
  },
  title: (_, source: string, expected: string) => `$((${source})) is ${expected}`,
});

test(gives, '', '0');
test(gives, '1+2*3-4/2%3', '5');
test(gives, '(1+2)*3', '9');
test(gives, '-7/2', '-3');
test(gives, '-7%2', '-1');
test(gives, '1<<2+1', '8');
test(gives, '1|2^3&4', '3');
test(gives, '1?2?3:4:5', '3');
test(gives, '0||2&&0', '0');
test(gives, '!0+!1+~0', '0');
test(gives, '- -5', '5');
test(gives, 'x+o+h+n+s', '48');
test(gives, 'unset+1', '1');
test(gives, '9223372036854775807+1', '-9223372036854775808');
test(gives, '-9223372036854775807-1', '-9223372036854775808');
test(gives, '9007199254740993*3', '27021597764222979');
test(gives, '3037000500*3037000500', '-9223372036709301616');
test(gives, '99999999999999999999', '9223372036854775807');
test(gives, '1<<63', '-9223372036854775808');
test(gives, '-1>>70', '-1');
test(gives, '1,2', '2');
test(gives, '0/5', '0');
test(gives, '0*-1', '0');

test('assignments change the variables', (t) => {
  const s = scope({ x: '5' });
  t.is(arithmetic('x += y = 3', s), '8');
  t.is(arithmetic('x++ + ++x', s), '18');
  t.is(arithmetic('x <<= 1', s), '20');
  t.is(arithmetic('0 ? z = 1 : 2', s), '2');
  t.is(arithmetic('1 || (z = 1)', s), '1');
  t.deepEqual(
    [...s.map],
    [
      ['x', '20'],
      ['y', '3'],
    ],
  );
});

const refuses = test.macro({
  exec(t, source: string, words: RegExp) {
    t.throws(() => arithmetic(source, scope({ bad: 'abc' })), {
      instanceOf: ShellError,
      message: words,
    });
  },
  title: (_, source: string) => `$((${source.slice(0, 20)})) is refused`,
});

test(refuses, '1/0', /division by zero/);
test(refuses, '1%0', /division by zero/);
test(refuses, '1+', /syntax error/);
test(refuses, '1 2', /syntax error/);
test(refuses, '08', /syntax error/);
test(refuses, 'a.b', /syntax error/);
test(refuses, '1=2', /syntax error/);
test(refuses, 'bad', /Illegal number: abc/);
test(refuses, '('.repeat(5000), /too deep|syntax error/);
test(refuses, '-'.repeat(5000), /too deep|syntax error/);

test('any two 64-bit numbers give what BigInt.asIntN gives', (t) => {
  const int64 = fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(int64, int64, (a, b) => {
      const s = scope({ a: String(a), b: String(b) });
      const is = (op: string, value: bigint) =>
        arithmetic(`a ${op} b`, s) === String(BigInt.asIntN(64, value));
      const whole = is('+', a + b) && is('-', a - b) && is('*', a * b) && is('&', a & b);
      return (
        whole &&
        is('^', a ^ b) &&
        is('|', a | b) &&
        (b === 0n || (is('/', a / b) && is('%', a % b)))
      );
    }),
  );
  t.pass();
});

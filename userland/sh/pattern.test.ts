// Patterns of the shell (POSIX.1-2017, XCU 2.13).

import test from 'ava';
import fc from 'fast-check';
import { compilePattern, matches, type Pattern, quotePattern, removeAffix } from './pattern.ts';

const cases = test.macro({
  exec(t, pattern: string, yes: readonly string[], no: readonly string[]) {
    for (const text of yes) t.true(matches(compilePattern(pattern), text), text);
    for (const text of no) t.false(matches(compilePattern(pattern), text), text);
  },
  title: (_, pattern: string) => `the pattern ${JSON.stringify(pattern)} matches what it should`,
});

test(cases, '', [''], ['a']);
test(cases, '*', ['', 'a', 'a/b\nc'], []);
test(cases, 'a*b*c', ['abc', 'axxbyyc', 'abbcc'], ['ab', 'acb', 'xabc']);
test(cases, '?', ['a', '\u{1f600}', '\udc80'], ['', 'ab']);
test(cases, '[a-c]x', ['ax', 'cx'], ['dx', 'x', 'a']);
test(cases, '[!a-c]', ['d', '-'], ['a', '']);
test(cases, '[]a]', [']', 'a'], ['b']);
test(cases, '[a-]', ['a', '-'], ['b']);
test(cases, '[[:digit:][:upper:]_]', ['5', 'Q', '_'], ['q', '[', ':']);
test(cases, '[[.a.]-c]', ['b'], ['d', '.']);
test(cases, '[a', ['[a'], ['a']);
test(cases, '\\*\\[\\\\', ['*[\\'], ['x[\\']);
test(cases, '[\\]]', [']'], ['\\', '']);
test(cases, '[\\!a]', ['!', 'a'], ['b']);

test('a quoted text matches itself and nothing else', (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, other) => {
      const pattern = compilePattern(quotePattern(text));
      return matches(pattern, text) && matches(pattern, other) === (text === other);
    }),
  );
  t.pass();
});

test('stars agree with a regular expression', (t) => {
  const letters = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 });
  const texts = fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 });
  fc.assert(
    fc.property(letters, texts, (pattern, chars) => {
      const source = pattern.map((c) => (c === '*' ? '.*' : c === '?' ? '.' : c)).join('');
      const text = chars.join('');
      const expected = new RegExp(`^${source}$`, 's').test(text);
      return matches(compilePattern(pattern.join('')), text) === expected;
    }),
  );
  t.pass();
});

test('simple patterns agree with what they do among others', (t) => {
  const texts = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 12 });
  const literals = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 2 });
  const ends = fc.constantFrom('prefix' as const, 'suffix' as const);
  const lengths = fc.constantFrom('shortest' as const, 'longest' as const);
  const stars = fc.constantFrom('front', 'back', 'none');
  fc.assert(
    fc.property(texts, literals, ends, lengths, stars, (chars, literal, end, length, star) => {
      const text = chars.join('');
      const join = (middle: string): string =>
        (star === 'front' ? '*' : '') + middle + (star === 'back' ? '*' : '');
      const simple = compilePattern(join(literal.join('')));
      const general = compilePattern(join(literal.map((c) => `[${c}]`).join('')));
      const of = (pattern: Pattern) => removeAffix(text, { pattern, end, length });
      t.is(of(simple), of(general));
    }),
  );
});

test('a pattern of many stars over a long text ends at once', (t) => {
  const pattern = compilePattern('*a*a*a*a*a*a*a*a*b');
  t.false(matches(pattern, 'a'.repeat(20_000)));
  t.is(removeAffix('a'.repeat(5_000), { pattern, end: 'prefix', length: 'longest' }).length, 5_000);
});

test('the shortest and the longest prefix and suffix go', (t) => {
  const pattern = compilePattern('*/');
  const back = compilePattern('/*');
  t.is(removeAffix('a/b/c', { pattern, end: 'prefix', length: 'shortest' }), 'b/c');
  t.is(removeAffix('a/b/c', { pattern, end: 'prefix', length: 'longest' }), 'c');
  t.is(removeAffix('a/b/c', { pattern: back, end: 'suffix', length: 'shortest' }), 'a/b');
  t.is(removeAffix('a/b/c', { pattern: back, end: 'suffix', length: 'longest' }), 'a');
  t.is(removeAffix('abc', { pattern, end: 'prefix', length: 'longest' }), 'abc');
});

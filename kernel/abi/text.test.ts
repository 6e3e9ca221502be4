// Text that carries any bytes, for names and arguments.

import test from 'ava';
import fc from 'fast-check';
import { decodeText, encodeText, textSize } from './text.ts';

/** Bytes that are nearly UTF-8: pieces of real text, stray continuations, cut and overlong forms. */
const nearlyUtf8 = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }).map((s) => new TextEncoder().encode(s)),
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom(
        Uint8Array.of(0xc0, 0x80),
        Uint8Array.of(0xe0, 0x80, 0x80),
        Uint8Array.of(0xed, 0xa0, 0x80), // a surrogate
        Uint8Array.of(0xed, 0xb2, 0x80), // the surrogate that an escape is made of
        Uint8Array.of(0xf0, 0x8f, 0xbf, 0xbf),
        Uint8Array.of(0xf4, 0x90, 0x80, 0x80),
        Uint8Array.of(0xe2, 0x82), // cut
        Uint8Array.of(0xef, 0xbb, 0xbf), // a byte order mark
      ),
    ),
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

test('any bytes become text and the same bytes again', (t) => {
  const check = (bytes: Uint8Array): void => {
    const text = decodeText(bytes);
    t.deepEqual([...encodeText(text)], [...bytes]);
    t.is(textSize(text), bytes.length);
  };
  fc.assert(fc.property(nearlyUtf8, check), { numRuns: 500 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check), { numRuns: 500 });
});

test('well-formed text is plain UTF-8 and comes back unchanged', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      t.deepEqual([...encodeText(text)], [...new TextEncoder().encode(text)]);
      t.is(decodeText(encodeText(text)), text);
      t.is(textSize(text), encodeText(text).length);
    }),
    { numRuns: 500 },
  );
});

test('every single byte and every pair of bytes survives', (t) => {
  let wrong = 0;
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) {
      const [x, y, ...rest] = encodeText(decodeText(Uint8Array.of(a, b)));
      if (x !== a || y !== b || rest.length > 0) wrong++;
    }
  }
  t.is(wrong, 0);
});

test('different bytes are different names: an overlong slash is no slash', (t) => {
  t.false(decodeText(Uint8Array.of(0xc0, 0xaf)).includes('/'));
  t.false(decodeText(Uint8Array.of(0xe0, 0x80, 0xaf)).includes('/'));
});

test('lone surrogates that are no escapes encode as three bytes, and no text fails', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff)), (units) => {
      const text = String.fromCharCode(...units);
      t.is(encodeText(text).length, textSize(text));
    }),
  );
});

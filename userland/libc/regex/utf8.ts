// Patterns over text of UTF-8 (RFC 3629 §4): where a set has all bytes beyond ASCII, as `.` and `[^x]` have,
// it means one whole character. Bytes that are no UTF-8 are matched by no such set.

import type { ByteSet, Node } from './syntax.ts';

export function inCharacters(node: Node): Node {
  switch (node.kind) {
    case 'set':
      return hasAllHigh(node.set) ? character(node.set) : node;
    case 'cat':
    case 'alt':
      return { ...node, parts: node.parts.map(inCharacters) };
    case 'group':
    case 'repeat':
      return { ...node, body: inCharacters(node.body) };
    default:
      return node;
  }
}

const hasAllHigh = (set: ByteSet): boolean => set.subarray(0x80).every((bit) => bit === 1);

function character(set: ByteSet): Node {
  const ascii = set.slice();
  ascii.fill(0, 0x80);
  const more = (count: number): Node[] => Array.from({ length: count }, () => range(0x80, 0xbf));
  return {
    kind: 'alt',
    parts: [
      { kind: 'set', set: ascii },
      { kind: 'cat', parts: [range(0xc2, 0xdf), ...more(1)] },
      { kind: 'cat', parts: [range(0xe0, 0xef), ...more(2)] },
      { kind: 'cat', parts: [range(0xf0, 0xf4), ...more(3)] },
    ],
  };
}

function range(low: number, high: number): Node {
  const set = new Uint8Array(256);
  set.fill(1, low, high + 1);
  return { kind: 'set', set };
}

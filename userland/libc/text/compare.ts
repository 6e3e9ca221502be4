// Orders of text: numbers inside names as numbers (`ls -v`, `sort -V`), after Debian policy §5.6.12.

/**
 * `file2` before `file10`; `~` before everything, letters before other characters; `.`, `..` and hidden
 * names first. What follows like `.tar.gz` counts only between names that are the same without it.
 */
export function compareVersions(a: string, b: string): number {
  const early = rank(a) - rank(b);
  if (early !== 0 || a === b) return early;
  return compareParts(withoutSuffix(a), withoutSuffix(b)) || compareParts(a, b);
}

const rank = (name: string): number => {
  const early = ['', '.', '..'].indexOf(name);
  if (early >= 0) return early;
  return name.startsWith('.') ? 3 : 4;
};

const withoutSuffix = (name: string): string =>
  name.slice(0, 1) + name.slice(1).replace(/(?:\.[A-Za-z~][A-Za-z0-9~]*)+$/, '');

function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while (
      (i < a.length && !isDigit(a.charCodeAt(i))) ||
      (j < b.length && !isDigit(b.charCodeAt(j)))
    ) {
      const order = weight(a, i) - weight(b, j);
      if (order !== 0) return order;
      i++;
      j++;
    }
    while (a[i] === '0') i++;
    while (b[j] === '0') j++;
    let first = 0;
    while (isDigit(a.charCodeAt(i)) && isDigit(b.charCodeAt(j))) {
      first ||= a.charCodeAt(i) - b.charCodeAt(j);
      i++;
      j++;
    }
    if (isDigit(a.charCodeAt(i))) return 1;
    if (isDigit(b.charCodeAt(j))) return -1;
    if (first !== 0) return first;
  }
  return 0;
}

const isDigit = (c: number): boolean => c >= 48 && c <= 57;

function weight(text: string, at: number): number {
  if (at >= text.length) return -1;
  const c = text.charCodeAt(at);
  if (isDigit(c)) return 0;
  if (text[at] === '~') return -2;
  return /[A-Za-z]/.test(text[at] ?? '') ? c : c + 256;
}

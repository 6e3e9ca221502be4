// The parser's errors, with dash's words and the right line.

import test from 'ava';
import { ShellSyntaxError } from '../errors.ts';
import { Lexer } from './lexer.ts';
import { Parser, parseAll } from './parser.ts';

const wrong = test.macro({
  exec(t, source: string, message: RegExp, line: number) {
    const error = t.throws(() => parseAll(source), { instanceOf: ShellSyntaxError, message });
    t.is((error as ShellSyntaxError | undefined)?.line, line);
  },
  title: (_, source: string) => `a syntax error: ${JSON.stringify(source.slice(0, 40))}`,
});

test(wrong, 'fi', /"fi" unexpected/, 1);
test(wrong, 'if true; then\necho', /end of file unexpected \(expecting "fi"\)/, 2);
test(wrong, 'echo a\n\n)', /"\)" unexpected/, 3);
test(wrong, 'while do :; done', /"do" unexpected/, 1);
test(wrong, "echo '\n\n", /Unterminated quoted string/, 3);
test(wrong, 'echo "a', /Unterminated quoted string/, 1);
test(wrong, 'echo `a', /EOF in backquote substitution/, 1);
test(wrong, 'echo $(a', /end of file unexpected \(expecting "\)"\)/, 1);
test(wrong, 'echo ${a', /Missing '}'/, 1);
test(wrong, 'for 1 in a; do :; done', /Bad for loop variable/, 1);
test(wrong, 'a.b() { :; }', /Bad function name/, 1);
test(wrong, 'echo a &&; b', /";" unexpected/, 1);
test(wrong, 'echo >\n', /newline unexpected/, 1);
test(wrong, '('.repeat(10_000), /Nesting too deep/, 1);
test(wrong, '${a:-'.repeat(10_000), /Nesting too deep/, 1);
test(wrong, '$('.repeat(10_000), /Nesting too deep/, 1);
test(wrong, '{ '.repeat(10_000), /Nesting too deep/, 1);
test(wrong, 'if '.repeat(10_000), /Nesting too deep/, 1);
test(wrong, '$(('.repeat(10_000), /Nesting too deep/, 1);

test('a tree is plain data', (t) => {
  const sign = '$';
  const source = `f() { for i in "$@"; do echo ${sign}{i%.*} $(ls | wc -l) $((i+1)) <<E; done; }\n$i\nE\n`;
  const tree = parseAll(source);
  t.deepEqual(JSON.parse(JSON.stringify(tree)), tree);
});

test('a command is complete before the next line is read', (t) => {
  const lines = ['echo a\n', 'if true\n', 'then cat <<E\n', 'x\n', 'E\n', 'fi\n', ')\n'];
  let read = 0;
  const parser = new Parser(new Lexer({ text: '', more: () => lines[read++] }));
  t.like(parser.parseComplete(), { type: 'simple' });
  t.is(read, 1);
  t.like(parser.parseComplete(), { type: 'if' });
  t.is(read, 6);
  t.throws(() => parser.parseComplete(), { message: '")" unexpected' });
});

test('no more is read than a command needs', (t) => {
  for (const line of ['a &\n', 'a;\n', "a $'\\n'\n", 'a b\\c\n', '{ a; }\n', 'a 2>b\n', '(a)\n']) {
    let read = 0;
    const more = () => (read++ === 0 ? line : t.fail(`reads on after ${line}`) ? '' : undefined);
    new Parser(new Lexer({ text: '', more })).parseComplete();
    t.is(read, 1);
  }
});

test('lines are counted through quotes, continuations and here-documents', (t) => {
  const source = 'a "x\ny" \\\n z\ncat <<E\n1\n2\nE\nb\n';
  const tree = parseAll(source);
  t.like(tree, {
    type: 'list',
    items: [{ command: { line: 1 } }, { command: { line: 4 } }, { command: { line: 8 } }],
  });
});

test('aliases are not expanded inside themselves', (t) => {
  const aliases = new Map([
    ['ls', 'ls -a '],
    ['x', 'y'],
    ['y', 'x'],
  ]);
  const words = (text: string) => {
    const tree = new Parser(new Lexer({ text, aliases })).parseComplete();
    return tree?.type === 'simple' ? tree.words.map((word) => word.lit) : undefined;
  };
  t.deepEqual(words('ls x b'), ['ls', '-a', 'x', 'b']);
  t.deepEqual(words('x b'), ['x', 'b']);
  t.deepEqual(words('\\x b'), ['x', 'b']);
});

test('a script of 10 MB parses', (t) => {
  const line = 'x=$((x + 1)); [ "$x" -lt 5 ] && echo "value: $x" || :\n';
  const parser = new Parser(new Lexer({ text: line.repeat(10_000_000 / line.length) }));
  let count = 0;
  while (parser.parseComplete() !== null) count++;
  t.is(count, Math.floor(10_000_000 / line.length));
});

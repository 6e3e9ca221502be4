// One command line with the files that it works on, as a script for any sh: what is run is what is told.

export interface Case {
  readonly program: string;
  /** Name → content, one byte a character. */
  readonly files: Readonly<Record<string, string>>;
  /** Lines of sh that make more of the tree. */
  readonly setup?: readonly string[];
  /** The command's words, the program's own among them. */
  readonly words: readonly string[];
  /** The file that is standard input; /dev/null unless given. */
  readonly stdin?: string;
  /** What follows the words as it is: a pipe, a second command. */
  readonly tail?: string;
  /** What becomes of the tree is compared, too. */
  readonly tree?: true;
  /** The order of lines is not told. */
  readonly sorted?: true;
  /** The file that a smaller case keeps, too. */
  readonly keep?: string;
  /** With fewer words it would do what must not be done to the host. */
  readonly whole?: true;
  /** That it complains counts, not of what. */
  readonly vague?: true;
  readonly env?: Readonly<Record<string, string>>;
}

export const quote = (text: string): string =>
  /^[\w./:,=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** Names that a shell has itself: the program is meant. */
const BUILTINS = /^(echo|printf|test|\[|true|false|pwd|kill|nice|time)$/;

/** `printf` of the bytes, for any sh. */
function written(name: string, content: string): string {
  const format = content.replace(/[^ -$&(-[\]-~]/g, (c) =>
    c === '\n' ? '\\n' : c === '%' ? '%%' : `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  const safe = format.replace(/^-/, '\\055');
  return format === '' ? `: > ${quote(name)}` : `printf '${safe}' > ${quote(name)}`;
}

const TREE = [
  `find . -mindepth 1 ! -type d -printf '%M %n %s %p %l\\n' -o -type d -printf '%M %p\\n' | sort`,
  // One program shows all contents: a process for each of them is what a case costs most.
  "find . -type f ! -size +40 | sort | xargs -rd '\\n' tail -vc +1",
];

export function commandOf(one: Case): string {
  const env = Object.entries(one.env ?? {}).map(([name, value]) => `${name}=${quote(value)} `);
  const program = BUILTINS.test(one.words[0] ?? '') ? 'env ' : '';
  const input = one.stdin === undefined ? ' < /dev/null' : ` < ${quote(one.stdin)}`;
  return `${env.join('')}${program}${one.words.map(quote).join(' ')}${input}${one.tail ?? ''}`;
}

/** The lines that make its files, those that run it, and those that tell what became of them. */
export function linesOf(one: Case): { before: string[]; command: string; after: string[] } {
  const files = Object.entries(one.files).map(([name, content]) => written(name, content));
  return {
    before: [...files, ...(one.setup ?? [])],
    command: commandOf(one),
    after: one.tree ? TREE : [],
  };
}

/** For a person: a line that shows it in an empty directory. */
export function pasteable(one: Case): string {
  const { before, command, after } = linesOf(one);
  return ['cd "$(mktemp -d)"', ...before, command, ...after].join('\n');
}

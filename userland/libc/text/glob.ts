// Shell patterns (POSIX.1-2024 §2.14.1) as regular expressions over names: find -name, grep
// --include. `*` and `?` match `/` and a leading dot too, as fnmatch(3) without flags does.

export function globRegExp(pattern: string, flags: '' | 'i' = ''): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? '';
    const set = c === '[' ? bracket(pattern, i) : undefined;
    if (c === '*') source += '[\\s\\S]*';
    else if (c === '?') source += '[\\s\\S]';
    else if (set !== undefined) {
      source += set.source;
      i = set.end;
    } else if (c === '\\' && i + 1 < pattern.length) source += escaped(pattern[++i] ?? '');
    else source += escaped(c);
  }
  return new RegExp(`^(?:${source})$`, flags);
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const classes: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

/** `[abc]`, `[!a-z]`, `[[:digit:]]`; undefined when it is not closed. */
function bracket(pattern: string, at: number): { source: string; end: number } | undefined {
  const match = /^\[([!^]?)(\]?(?:\[:[a-z]+:\]|\\[\s\S]|[^\]\\])*)\]/.exec(pattern.slice(at));
  if (match === null) return undefined;
  const inner = (match[2] ?? '').replace(
    /\[:([a-z]+):\]|\\([\s\S])|([\s\S])/g,
    (_, name?: string, quoted?: string, plain?: string) => {
      if (name !== undefined) return classes[name] ?? '';
      if (quoted !== undefined) return escaped(quoted);
      return plain === '-' ? '-' : escaped(plain ?? '');
    },
  );
  return { source: `[${match[1] ? '^' : ''}${inner}]`, end: at + match[0].length - 1 };
}

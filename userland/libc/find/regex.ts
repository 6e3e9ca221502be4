// -regex and -iregex: patterns that whole paths must match, in the dialects of -regextype (GNU find, "Regular
// Expressions"). Emacs's, which is the usual one, is read as an extended expression with other spellings.

import { encodeText } from '../../../kernel/abi/text.ts';
import type { Tool } from '../program.ts';
import { Regex } from '../regex/regex.ts';
import { type Dialect, PatternError } from '../regex/syntax.ts';
import { toLatin1 } from '../text/latin1.ts';

const TYPES: Readonly<Record<string, Dialect | 'emacs'>> = {
  ...{ emacs: 'emacs', 'findutils-default': 'emacs', ed: 'basic', sed: 'basic', grep: 'basic' },
  ...{ 'posix-basic': 'basic', 'posix-minimal-basic': 'basic', 'posix-extended': 'extended' },
  ...{ egrep: 'extended', 'posix-egrep': 'extended', awk: 'extended', 'posix-awk': 'extended' },
  ...{ gnu_awk: 'extended', 'gnu-awk': 'extended' },
};

export const isRegexType = (type: string): boolean => Object.hasOwn(TYPES, type);

export function pathRegex(
  tool: Tool,
  pattern: string,
  { type, ignoreCase }: { type: string; ignoreCase: boolean },
): Regex {
  const dialect = TYPES[type] ?? 'emacs';
  const bytes = toLatin1(encodeText(pattern));
  const source = dialect === 'emacs' ? respelled(bytes) : bytes;
  try {
    return new Regex([source], {
      ...{ dialect: dialect === 'emacs' ? 'extended' : dialect, ignoreCase },
      ...{ extent: 'line', whole: true },
    });
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return tool.die(`failed to compile regular expression '${pattern}': ${error.message}`);
  }
}

export const matchesPath = (regex: Regex, path: string): boolean =>
  regex.find(toLatin1(encodeText(path)), 0) !== undefined;

/** Groups and alternatives are escaped in Emacs, and braces are plain. */
function respelled(pattern: string): string {
  return pattern.replace(/\\[\s\S]|\[\^?\]?[^\]]*\]|[(){}|]/g, (part) => {
    if (part.startsWith('[')) return part;
    if (!part.startsWith('\\')) return `\\${part}`;
    return '()|'.includes(part[1] ?? '') ? (part[1] ?? '') : part;
  });
}

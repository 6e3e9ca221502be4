// Kinds of text: programs by their `#!` line, and what a few languages begin with.

import type { Kind } from './magic.ts';

/** `interpreter` → how its scripts are called; all but Perl's are text of an encoding that is told. */
const interpreters: Readonly<Record<string, readonly [name: string, mime: string]>> = {
  sh: ['POSIX shell script', 'text/x-shellscript'],
  dash: ['a /bin/dash script', 'text/plain'],
  bash: ['Bourne-Again shell script', 'text/x-shellscript'],
  awk: ['awk script', 'text/x-awk'],
  perl: ['Perl script text executable', 'text/x-perl'],
  python: ['Python script', 'text/x-script.python'],
  python3: ['Python script', 'text/x-script.python'],
};

/** What the text is, `encoding` the words for its encoding; undefined when it is nothing special. */
export function describeLanguage(text: string, encoding: string): Kind | undefined {
  const script = /^#![ \t]*(\S+)(?:[ \t]+(\S+))?/.exec(text);
  if (script !== null) {
    const [, path = '', argument = ''] = script;
    const word = (path.endsWith('/env') ? argument : path).split('/').at(-1) ?? '';
    const [name, mime] = interpreters[word] ?? [`a ${path} script`, 'text/plain'];
    const isWhole = name.endsWith('executable');
    return { description: isWhole ? name : `${name}, ${encoding} text executable`, mime };
  }
  if (/^<\?xml version="1\.0"/.test(text))
    return { description: `XML 1.0 document, ${encoding} text`, mime: 'text/xml' };
  if (/^\s*<(?:!doctype html|html)\b/i.test(text))
    return { description: `HTML document, ${encoding} text`, mime: 'text/html' };
  return undefined;
}

/** A whole object or array of JSON. */
export function isJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

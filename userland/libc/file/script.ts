// Programs by their `#!` line, and what texts of a few languages begin with.

import type { Kind } from './magic.ts';

/** Whether the kind is shown alone, or with the words for the encoding behind it. */
type Showing = 'alone' | 'text' | 'text executable';

interface Interpreter {
  readonly names: RegExp;
  readonly description: string;
  readonly mime: string;
  /** Where it is looked for; `env` is what `/usr/bin/env` finds. */
  readonly where: RegExp;
  readonly showing?: Showing;
}

const ANYWHERE = /^(?:\/usr|\/usr\/local)?\/bin$|^env$/;
const INSTALLED = /^(?:\/usr|\/usr\/local)?\/bin$/;
const USR = /^(?:\/usr|\/usr\/local)\/bin$|^env$/;
const BIN = /^\/bin$/;
const SHELL = 'text/x-shellscript';

const interpreters: readonly Interpreter[] = [
  { names: /^sh$/, description: 'POSIX shell script', mime: SHELL, where: BIN },
  { names: /^bash$/, description: 'Bourne-Again shell script', mime: SHELL, where: ANYWHERE },
  { names: /^ksh$/, description: 'Korn shell script', mime: SHELL, where: BIN },
  { names: /^csh$/, description: 'C shell script', mime: SHELL, where: BIN },
  { names: /^tcsh$/, description: 'Tenex C shell script', mime: SHELL, where: INSTALLED },
  { names: /^zsh$/, description: "Paul Falstad's zsh script", mime: SHELL, where: ANYWHERE },
  { names: /^ash$/, description: "Neil Brown's ash script", mime: SHELL, where: INSTALLED },
  { names: /^fish$/, description: 'fish shell script', mime: SHELL, where: USR },
  {
    ...{ names: /^awk$/, description: 'awk script', mime: 'text/x-awk' },
    where: /^(?:\/usr)?\/bin$/,
  },
  { names: /^gawk$/, description: 'GNU awk script', mime: 'text/x-gawk', where: INSTALLED },
  { names: /^nawk$/, description: 'new awk script', mime: 'text/x-nawk', where: INSTALLED },
  {
    ...{ names: /^perl$/, description: 'Perl script text executable', mime: 'text/x-perl' },
    ...{ where: ANYWHERE, showing: 'alone' },
  },
  { names: /^python/, description: 'Python script', mime: 'text/x-script.python', where: USR },
  { names: /^ruby/, description: 'Ruby script', mime: 'text/x-ruby', where: USR },
  { names: /^lua/, description: 'Lua script', mime: 'text/x-lua', where: USR },
  {
    ...{ names: /^php/, description: 'PHP script', mime: 'text/x-php' },
    where: /^(?:\/usr|\/usr\/local)\/bin$/,
  },
  {
    ...{ names: /^node(?:js)?$/, description: 'Node.js script executable' },
    ...{ mime: 'application/javascript', where: /^(?:\/usr)?\/bin$|^env$/, showing: 'text' },
  },
];

interface Language {
  readonly begins: RegExp;
  readonly description: string;
  readonly mime: string;
  readonly showing: Showing;
}

const language = (
  begins: RegExp,
  description: string,
  more: Pick<Language, 'mime' | 'showing'>,
): Language => ({ begins, description, ...more });

const PYTHON = { mime: 'text/x-script.python', showing: 'text executable' } as const;
const DIFF = { mime: 'text/x-diff', showing: 'text' } as const;
const MAIL = { mime: 'message/rfc822', showing: 'text' } as const;
const PLAIN = { mime: 'text/plain', showing: 'alone' } as const;

/** In this order: the first that fits. */
const languages: readonly Language[] = [
  language(/^%!PS-Adobe-\d/, 'PostScript document text conforming DSC level', {
    ...{ mime: 'application/postscript', showing: 'alone' },
  }),
  language(/^%!/, 'PostScript document text', { mime: 'application/postscript', showing: 'alone' }),
  language(/^-----BEGIN CERTIFICATE-----/, 'PEM certificate', PLAIN),
  language(/^-----BEGIN RSA PRIVATE/, 'PEM RSA private key', PLAIN),
  language(/^-----BEGIN OPENSSH PRIVATE KEY-----/, 'OpenSSH private key', PLAIN),
  language(/^-----BEGIN PGP PUBLIC KEY BLOCK-/, 'PGP public key block', {
    ...{ mime: 'application/pgp-keys', showing: 'alone' },
  }),
  language(/^ssh-rsa /, 'OpenSSH RSA public key', PLAIN),
  language(/^ssh-ed25519 /, 'OpenSSH ED25519 public key', PLAIN),
  language(/^<svg/, 'SVG Scalable Vector Graphics image', {
    ...{ mime: 'image/svg+xml', showing: 'alone' },
  }),
  language(/^<\?xml version=["']1\.0["']/, 'XML 1.0 document', {
    ...{ mime: 'text/xml', showing: 'text' },
  }),
  language(/^\s*<(?:!doctype html|html|head|title|a href=)/i, 'HTML document', {
    ...{ mime: 'text/html', showing: 'text' },
  }),
  language(/^<\?php/, 'PHP script', { mime: 'text/x-php', showing: 'text' }),
  language(/^\\documentclass/, 'LaTeX 2e document', { mime: 'text/x-tex', showing: 'text' }),
  language(/^--- [^\n]*\n\+\+\+ [^\n]*\n@@/, 'unified diff output', DIFF),
  language(/^\*\*\* [^\n]*\n--- /, 'context diff output', DIFF),
  language(/^(?:diff |Only in )/, 'diff output', DIFF),
  language(/^(?:\.\\"|'\\"|\.(?:TH|SH|Dd|de) )/, 'troff or preprocessor input', {
    ...{ mime: 'text/troff', showing: 'text' },
  }),
  language(/^Received:/, 'RFC 822 mail', MAIL),
  language(/^Return-Path:/, 'SMTP mail', MAIL),
  language(/^(?:From|Date):/, 'news or mail', MAIL),
  language(
    /^(?:"""|[\t ]*(?:def +\w+\(.*\)|class +\w+):|from +[\w.]+ +import )/m,
    'Python script',
    {
      ...PYTHON,
    },
  ),
  language(/^(?:#include\s*[<"]|#pragma )/, 'C source', { mime: 'text/x-c', showing: 'text' }),
];

/** What the text is, `encoding` the words for its encoding; undefined when it is nothing special. */
export function describeLanguage(text: string, encoding: string): Kind | undefined {
  const line = /^#!([^\n]*)/.exec(text);
  if (line !== null) return script(line[1]?.trim() ?? '', { encoding, text });
  const found = languages.find(({ begins }) => begins.test(text));
  if (found === undefined) return undefined;
  const { showing, mime } = found;
  const level = /^%!PS-Adobe-(\d\.\d)/.exec(text)?.[1];
  const description = level === undefined ? found.description : `${found.description} ${level}`;
  return {
    description: shown(description, { encoding, showing }),
    mime,
    alone: showing === 'alone',
  };
}

function shown(
  description: string,
  { encoding, showing }: { encoding: string; showing: Showing },
): string {
  return showing === 'alone' ? description : `${description}, ${encoding} ${showing}`;
}

function script(line: string, { encoding, text }: { encoding: string; text: string }): Kind {
  const isWhole = /^#![ \t]*\S+(?:[ \t]+\S+)?\s/.test(text); // one without its end is not known by its name
  const found = /^\/usr\/bin\/env[ \t]+(.*)/.exec(line);
  const command = found?.[1] ?? line;
  const [path = ''] = command.split(/[ \t]/);
  const where = found === null ? path.slice(0, Math.max(0, path.lastIndexOf('/'))) : 'env';
  const name = path.slice(path.lastIndexOf('/') + 1);
  const known = interpreters.find((one) => one.names.test(name) && one.where.test(where));
  if (known === undefined || !isWhole) {
    const description = shown(`a ${command} script`, { encoding, showing: 'text executable' });
    return { description, mime: 'text/plain' };
  }
  const { description, mime, showing = 'text executable' } = known;
  return {
    description: shown(description, { encoding, showing }),
    mime,
    alone: showing === 'alone',
  };
}

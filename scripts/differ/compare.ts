// What two outcomes differ in: output to the byte, status, and the kind of error. Words of messages are
// the program's own; which error of the system it tells, and whether it complains at all, are not.

import { strerror, toErrno } from '../../kernel/abi/errno.ts';
import type { Case } from './case.ts';
import type { Outcome } from './run.ts';

export type Strictness = 'kind' | 'words';

/** dash does of `test ! -z -a -a`: 128 and SIGSEGV. */
const CRASHED = 139;

/** Undefined when they agree. */
export function difference(
  one: Case,
  { ours, theirs }: { ours: Outcome | undefined; theirs: Outcome | undefined },
  strictness: Strictness = 'kind',
): string | undefined {
  if (theirs === undefined || theirs.status === CRASHED) return undefined; // the host's own tool failed
  if (ours === undefined) return 'hangs';
  const order = (text: string): string =>
    one.sorted
      ? text
          .split(/[\n\0]/)
          .sort()
          .join('\n')
      : text;
  const [mine, other] = [ours, theirs].map(({ stdout }) => order(plain(stdout)));
  if (mine !== other)
    return `stdout\nours:   ${show(mine)}\ntheirs: ${show(other)}${complaints(ours, theirs)}`;
  if (ours.status !== theirs.status)
    return `status\nours:   ${ours.status}\ntheirs: ${theirs.status}${complaints(ours, theirs)}`;
  const complains = (stderr: string): string => (stderr === '' ? '' : 'complains');
  const tell = one.vague ? complains : strictness === 'kind' ? kindOf : plain;
  if (tell(ours.stderr) !== tell(theirs.stderr)) return `error${complaints(ours, theirs)}`;
  return undefined;
}

const show = (text = ''): string =>
  JSON.stringify(text.length > 1500 ? `${text.slice(0, 1500)}…` : text);

const complaints = (ours: Outcome, theirs: Outcome): string =>
  ours.stderr === '' && theirs.stderr === ''
    ? ''
    : `\nours:   ${show(plain(ours.stderr))}\ntheirs: ${show(plain(theirs.stderr))}`;

const plain = (text: string): string =>
  text.replaceAll(/\/(usr\/)?bin\//g, '').replaceAll(/\xe2\x80[\x98\x99]/g, "'");

const errors = [...new Set(Array.from({ length: 133 }, (_, i) => strerror(toErrno(i + 1))))];

const kindOf = (stderr: string): string =>
  stderr === ''
    ? ''
    : `complains ${errors
        .filter((text) => stderr.includes(text))
        .sort()
        .join()}`;

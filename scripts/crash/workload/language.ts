// Workloads as text: operations with their arguments, semicolons between them, so that a failure can
// be told, repeated and shrunk. `append A/foo 3000; rename A/foo B/bar; fsync B/bar`. Between those that are
// handed in together stands `&`: `create foo & mkdir B/bar & append A/foo 300; sync`

export const VERBS = {
  create: 'path',
  mkdir: 'path',
  append: 'path size',
  write: 'path offset size',
  truncate: 'path size',
  reserve: 'path offset size', // fallocate
  punch: 'path offset size', // whole blocks, as zero
  zero: 'path offset size',
  link: 'path to',
  symlink: 'path size', // of a target with so many characters
  unlink: 'path',
  rmdir: 'path',
  rename: 'path to',
  setxattr: 'path name size',
  removexattr: 'path name',
  open: 'path', // stays open: unlinked, it is a file without a name
  close: 'path',
  fsync: 'path',
  fdatasync: 'path',
  sync: '',
  tick: '', // six seconds go by: the commit timer fires, an idle volume is checkpointed
  unmount: '',
} as const;
export type Verb = keyof typeof VERBS;

export interface Op {
  readonly verb: Verb;
  readonly path: string; // names joined by '/'; '' is the root
  readonly to: string;
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Handed in together with the one before. */
  readonly joins?: true;
}

/** Bytes of one operation: so much goes in one Twrite. */
const SIZE_MAX = 65536;

/** A workload that cannot be read: exits 2 with this message. */
export class WorkloadError extends Error {}

export function readWorkload(text: string): Op[] {
  return text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part) => {
      const parts = part.split('&').map((one) => readOp(one.trim()));
      return parts.length === 1 ? parts.flat() : joined(parts.flat());
    });
}

/** What may be handed in with others: it needs no other one, and is answered by one transaction. */
const JOINING: ReadonlySet<string> = new Set(['create', 'mkdir', 'symlink', 'append', 'write']);
/** Bytes of a write that fit into a message. */
const INLINE_MAX = 7000;

function joined(ops: Op[]): Op[] {
  for (const op of ops) {
    const fits = !/append|write/.test(op.verb) || op.size <= INLINE_MAX;
    if (!JOINING.has(op.verb) || !fits)
      throw new WorkloadError(`'${opText(op)}' is not handed in together with others`);
  }
  if (new Set(ops.map(({ path }) => path)).size < ops.length)
    throw new WorkloadError(`'${ops.map(opText).join(' & ')}': the same file twice`);
  return ops.map((op, i) => (i === 0 ? op : { ...op, joins: true }));
}

function readOp(text: string): Op[] {
  const [verb = '', ...args] = text.split(/\s+/);
  if (verb === 'crowd') return crowd(args);
  if (!(verb in VERBS)) {
    throw new WorkloadError(`'${verb}' is none of ${Object.keys(VERBS).join(', ')}, crowd`);
  }
  const kinds = VERBS[verb as Verb].split(' ').filter((kind) => kind !== '');
  if (args.length !== kinds.length) {
    throw new WorkloadError(`'${text}': ${verb} takes ${kinds.join(', ') || 'nothing'}`);
  }
  const op = { verb: verb as Verb, path: '', to: '', name: '', offset: 0, size: 0 };
  for (const [i, kind] of kinds.entries()) {
    const arg = args[i] ?? '';
    if (kind === 'path' || kind === 'to') op[kind] = arg.replace(/^\/+/, '');
    else if (kind === 'name') op.name = arg;
    else op[kind as 'offset' | 'size'] = number(text, arg, kind === 'size');
  }
  return [op];
}

function number(text: string, arg: string, isSize: boolean): number {
  const value = /^\d+$/.test(arg) ? Number(arg) : Number.NaN;
  if (!Number.isSafeInteger(value) || (isSize && value > SIZE_MAX && !text.startsWith('trunc'))) {
    throw new WorkloadError(`'${text}': '${arg}' is no number, or more than ${SIZE_MAX}`);
  }
  return value;
}

/** `crowd DIR N NAME`: N files with long names, to fill a directory. */
function crowd([dir = '', count = '', name = '']: string[]): Op[] {
  return Array.from({ length: number('crowd', count, true) }, (_, i) => ({
    ...{ verb: 'create' as const, to: '', name: '', offset: 0, size: 0 },
    path: `${dir}/${name}${i}${'-long'.repeat(20)}`,
  }));
}

export function opText(op: Op): string {
  const kinds = VERBS[op.verb].split(' ').filter((kind) => kind !== '');
  return [
    op.verb,
    ...kinds.map((kind) => op[kind as 'path'] || (kind === 'path' ? '/' : '0')),
  ].join(' ');
}

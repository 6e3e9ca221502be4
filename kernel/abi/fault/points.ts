// The injection points: how each is named, what a rule may ask of a hit there, and what it can do.
// docs/faults.md says what each combination means.

import { SYS } from '../syscall.ts';
import type { ActionName, Match, PointKind } from './rule.ts';

export interface PointClass {
  readonly kind: PointKind;
  /** What stands between kind and operation: a disk, a server. '' when there is nothing. */
  readonly place: string;
  /** The last part of the name; '' when the place is the last. */
  readonly operations: readonly string[];
  readonly keys: readonly Match['key'][];
  readonly actions: (operation: string) => readonly ActionName[];
}

/** What every point can do, since it concerns others than the hit itself. */
const ANYWHERE: readonly ActionName[] = ['kill', 'power', 'pause', 'resume', 'goto', 'off'];

const T_MESSAGES =
  'Tversion Tauth Tattach Tflush Twalk Tread Twrite Tclunk Tremove Tlopen Tlcreate Tsymlink Tmknod Trename Treadlink Tgetattr Tsetattr Txattrwalk Txattrcreate Treaddir Tfsync Tlock Tgetlock Tlink Tmkdir Trenameat Tunlinkat Tstatfs Tallocate Tseek'.split(
    ' ',
  );
/** The 9P2000.L messages: what a receiver finds in a ring. */
export const MESSAGES: readonly string[] = [
  ...T_MESSAGES,
  'Rlerror',
  ...T_MESSAGES.map((name) => `R${name.slice(1)}`),
];

/** What can run out. */
export const POOLS = [
  ...(['frames', 'pages', 'grants', 'seats', 'pipes', 'files', 'fids'] as const),
  ...(['cache', 'blocks', 'inodes'] as const),
];
export type Pool = (typeof POOLS)[number];

const BLK: Readonly<Record<string, readonly ActionName[]>> = {
  read: ['err', 'delay', 'dup', 'reorder', 'flip', 'misdirect', 'stale', 'bad', 'short'],
  write: ['err', 'delay', 'dup', 'reorder', 'lie', 'torn', 'flip', 'misdirect', 'bad'],
  flush: ['err', 'delay', 'dup', 'lie'],
  trim: ['err', 'delay', 'dup', 'lie'],
};

const SHORT_MESSAGES = ['Tread', 'Twrite'];
const SHORT_CALLS = ['read', 'pread', 'write', 'pwrite'];

export const POINTS: readonly PointClass[] = [
  {
    kind: 'blk',
    place: 'DEV',
    operations: Object.keys(BLK),
    keys: ['lba', 'len', 'tag'],
    actions: (operation) => [...(BLK[operation] ?? []), 'drop', 'hang', 'crash', ...ANYWHERE],
  },
  {
    kind: 'irq',
    place: 'DEV',
    operations: [''],
    keys: [],
    actions: () => ['drop', 'dup', 'delay', 'crash', ...ANYWHERE],
  },
  {
    kind: 'ipc',
    place: 'SERVICE',
    operations: MESSAGES,
    keys: ['len'],
    actions: (message) => [
      ...(['err', 'delay', 'drop', 'hang', 'crash'] as const),
      ...(message.startsWith('T') ? (['oom', 'full'] as const) : []),
      ...(SHORT_MESSAGES.includes(message) ? (['short'] as const) : []),
      ...ANYWHERE,
    ],
  },
  {
    kind: 'proc',
    place: 'NAME',
    operations: ['spawn', 'exec', 'start'],
    keys: ['pid'],
    actions: () => ['err', 'oom', 'delay', ...ANYWHERE],
  },
  {
    kind: 'alloc',
    place: '',
    operations: POOLS,
    keys: ['pid', 'pgrp', 'len'],
    actions: () => ['oom', 'full', ...ANYWHERE],
  },
  {
    kind: 'sys',
    place: '',
    operations: Object.keys(SYS).filter((name) => !['ready', 'exit', 'shutdown'].includes(name)),
    keys: ['pid', 'pgrp', 'path', 'len'],
    actions: (call) => [
      ...(['err', 'delay', 'hang', 'crash', 'oom', 'full'] as const),
      ...(SHORT_CALLS.includes(call) ? (['short'] as const) : []),
      ...ANYWHERE,
    ],
  },
  {
    kind: 'clock',
    place: '',
    operations: [''],
    keys: [],
    actions: () => ['jump', 'drift', ...ANYWHERE],
  },
];

export const pointClass = (kind: string): PointClass | undefined =>
  POINTS.find((one) => one.kind === kind);

/** A class's names as they are told to people: `blk.DEV.{read,write,flush,trim}`. */
export function spelled({ kind, place, operations }: PointClass): string {
  const [first = ''] = operations;
  const last = operations.length > 1 ? `{${operations.join(',')}}` : first;
  return [kind, place, last].filter((part) => part !== '').join('.');
}

/** A pattern for one name: `*` any characters, `{a,b}` one of these. */
export function globPattern(glob: string): RegExp {
  const source = glob.replace(/[{},*]|[^\w]/g, (c) =>
    c === '*' ? '.*' : c === '{' ? '(?:' : c === '}' ? ')' : c === ',' ? '|' : `\\${c}`,
  );
  return new RegExp(`^(?:${source})$`);
}

/** Splits at dots that are not inside braces. */
export const segmentsOf = (point: string): string[] => point.split(/\.(?![^{]*\})/);

/** The pattern of a whole point: a `*` does not reach over a dot. */
export function pointPattern(point: string): RegExp {
  const parts = segmentsOf(point).map((part) =>
    globPattern(part).source.slice(1, -1).replaceAll('.*', '[^.]*'),
  );
  return new RegExp(`^${parts.join('\\.')}$`);
}

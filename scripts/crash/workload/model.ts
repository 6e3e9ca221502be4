// What the files are after each operation, in memory: the other side of every comparison. A state is
// never changed once it was made; the next one shares what stayed the same.

import { type Op, opText, type Verb, WorkloadError } from './language.ts';
import { paint, paintText } from './paint.ts';

export interface Node {
  readonly id: number;
  readonly kind: 'file' | 'dir' | 'symlink';
  readonly data: Uint8Array; // a file's
  readonly target: string; // a link's
  readonly xattrs: ReadonlyMap<string, string>;
}

export interface State {
  /** Path → node; '' is the root. */
  readonly names: ReadonlyMap<string, number>;
  readonly nodes: ReadonlyMap<number, Node>;
}

const EMPTY = { data: new Uint8Array(0), target: '', xattrs: new Map<string, string>() };
const ROOT = 0;

export const emptyState: State = {
  names: new Map([['', ROOT]]),
  nodes: new Map([[ROOT, { ...EMPTY, id: ROOT, kind: 'dir' }]]),
};

export const nodeAt = (state: State, path: string): Node | undefined => {
  const id = state.names.get(path);
  return id === undefined ? undefined : state.nodes.get(id);
};

/** The state after an operation; `index` is its number, which its data shows. */
export function after(state: State, op: Op, index: number): State {
  refuse(state, op);
  const node = nodeAt(state, op.path) ?? { ...EMPTY, id: -1, kind: 'file' };
  const made = { ...EMPTY, id: state.nodes.size + index * 1000 };
  switch (op.verb) {
    case 'create':
      return added(state, op.path, { ...made, kind: 'file' });
    case 'mkdir':
      return added(state, op.path, { ...made, kind: 'dir' });
    case 'symlink':
      return added(state, op.path, { ...made, kind: 'symlink', target: paintText(index, op.size) });
    case 'append':
      return written(state, node, { offset: node.data.length, size: op.size, index });
    case 'write':
      return written(state, node, { offset: op.offset, size: op.size, index });
    case 'truncate': {
      const data = new Uint8Array(op.size);
      data.set(node.data.subarray(0, op.size));
      return changed(state, { ...node, data });
    }
    case 'reserve': {
      const data = new Uint8Array(Math.max(node.data.length, op.offset + op.size));
      data.set(node.data);
      return changed(state, { ...node, data });
    }
    case 'punch':
    case 'zero': {
      const data = node.data.slice();
      data.fill(0, op.offset, op.offset + op.size);
      return changed(state, { ...node, data });
    }
    case 'link':
      return { ...state, names: new Map(state.names).set(op.to, node.id) };
    case 'unlink':
    case 'rmdir':
      return removed(state, op.path);
    case 'rename':
      return renamed(state, op);
    case 'setxattr':
    case 'removexattr': {
      const xattrs = new Map(node.xattrs);
      if (op.verb === 'setxattr') xattrs.set(op.name, paintText(index, op.size));
      else xattrs.delete(op.name);
      return changed(state, { ...node, xattrs });
    }
    default:
      return state;
  }
}

/** The state after all the operations, of an empty volume or of another one. */
export function stateAfter(ops: readonly Op[], state = emptyState): State {
  return ops.reduce(after, state);
}

/** Can all the operations be done, one after the other? */
export function possible(state: State, ops: readonly Op[]): boolean {
  try {
    stateAfter(ops, state);
    return true;
  } catch (error) {
    if (error instanceof WorkloadError) return false;
    throw error;
  }
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** Throws when the operation is none that succeeds: workloads are of those alone. */
function refuse(state: State, op: Op): void {
  const node = nodeAt(state, op.path);
  const old = nodeAt(state, op.to);
  const is = (...kinds: Node['kind'][]): boolean => node !== undefined && kinds.includes(node.kind);
  const empty = (path: string): boolean =>
    ![...state.names.keys()].some((name) => below(name, path));
  const opens = (): boolean => is('file');
  const places = (path: string): boolean => nodeAt(state, parentOf(path))?.kind === 'dir';
  const able: Readonly<Record<Verb, () => boolean>> = {
    create: () => node === undefined && places(op.path),
    mkdir: () => node === undefined && places(op.path),
    symlink: () => node === undefined && places(op.path),
    append: opens,
    write: opens,
    truncate: opens,
    reserve: opens,
    punch: opens,
    zero: opens,
    link: () => is('file') && old === undefined && places(op.to),
    unlink: () => is('file', 'symlink'),
    rmdir: () => is('dir') && op.path !== '' && empty(op.path),
    rename: () =>
      node !== undefined &&
      places(op.to) &&
      !below(op.to, op.path) &&
      (old === undefined || ((old.kind === 'dir') === is('dir') && empty(op.to))),
    setxattr: () => is('file', 'dir'),
    removexattr: () => node?.xattrs.has(op.name) === true,
    open: () => is('file'),
    close: () => true,
    fsync: () => is('file', 'dir'),
    fdatasync: () => is('file', 'dir'),
    sync: () => true,
    tick: () => true,
    unmount: () => true,
  };
  if (!able[op.verb]()) throw new WorkloadError(`'${opText(op)}' cannot be done at this point`);
}

const below = (path: string, dir: string): boolean => path !== '' && path.startsWith(`${dir}/`);

function added(state: State, path: string, node: Node): State {
  return {
    names: new Map(state.names).set(path, node.id),
    nodes: new Map(state.nodes).set(node.id, node),
  };
}

const changed = (state: State, node: Node): State => ({
  ...state,
  nodes: new Map(state.nodes).set(node.id, node),
});

function written(
  state: State,
  node: Node,
  { offset, size, index }: { offset: number; size: number; index: number },
): State {
  const data = new Uint8Array(Math.max(node.data.length, offset + size));
  data.set(node.data);
  data.set(paint(index, offset, size), offset);
  return changed(state, { ...node, data });
}

function removed(state: State, path: string): State {
  const names = new Map(state.names);
  names.delete(path);
  return { ...state, names };
}

function renamed(state: State, { path, to }: Op): State {
  if (nodeAt(state, path) === nodeAt(state, to)) return state;
  const names = new Map<string, number>();
  for (const [name, id] of state.names) if (name !== to) names.set(moved(name, path, to), id);
  return { ...state, names };
}

const moved = (name: string, from: string, to: string): string =>
  name === from || name.startsWith(`${from}/`) ? to + name.slice(from.length) : name;

/**
 * Names, kinds, sizes, targets and attributes as one text: all of a state that is not file data. Two
 * names of one file show the same number. How many links a directory has is the checker's business.
 */
export function shapeOf(state: State): string {
  const groups = new Map<number, number>();
  const paths = [...state.names.keys()].sort();
  return paths
    .map((path) => {
      const node = nodeAt(state, path);
      if (node === undefined) return '';
      const group = groups.get(node.id) ?? groups.size;
      groups.set(node.id, group);
      const links = [...state.names.values()].filter((id) => id === node.id).length;
      return shapeLine({ ...node, path, group, size: node.data.length, links });
    })
    .join('\n');
}

export interface ShapeLine {
  readonly path: string;
  readonly kind: Node['kind'];
  readonly group: number;
  readonly size: number;
  readonly links: number;
  readonly target: string;
  readonly xattrs: ReadonlyMap<string, string>;
}

export function shapeLine({ path, kind, group, size, links, target, xattrs }: ShapeLine): string {
  const attributes = [...xattrs].sort().map(([name, value]) => `${name}=${value}`);
  const file = `${size} bytes, file ${group} with ${links} links`;
  const what = kind === 'file' ? file : kind === 'dir' ? '' : `to ${target}`;
  return `${path || '/'}: ${kind} ${what} ${attributes.join(' ')}`.trimEnd();
}

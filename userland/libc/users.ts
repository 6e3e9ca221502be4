// User and group names from /etc/passwd and /etc/group (passwd(5), group(5)), read when first asked
// for. Without the files there is root, 0, and numbers.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { Input } from './stdio.ts';
import type { Sys } from './sys.ts';

export class Users {
  readonly #sys: Sys;
  #users: Map<string, number> | undefined;
  #groups: Map<string, number> | undefined;

  constructor(sys: Sys) {
    this.#sys = sys;
  }

  userName(uid: number): string | undefined {
    return keyOf(this.#passwd(), uid);
  }

  groupName(gid: number): string | undefined {
    return keyOf(this.#group(), gid);
  }

  /** A name or a number; undefined when it is neither. */
  uid(text: string): number | undefined {
    return this.#passwd().get(text) ?? plainNumber(text);
  }

  gid(text: string): number | undefined {
    return this.#group().get(text) ?? plainNumber(text);
  }

  #passwd(): Map<string, number> {
    this.#users ??= readTable(this.#sys, '/etc/passwd');
    return this.#users;
  }

  #group(): Map<string, number> {
    this.#groups ??= readTable(this.#sys, '/etc/group');
    return this.#groups;
  }
}

const plainNumber = (text: string): number | undefined =>
  /^\+?\d{1,10}$/.test(text) && Number(text) < 0xffffffff ? Number(text) : undefined;

function keyOf(table: Map<string, number>, id: number): string | undefined {
  for (const [name, value] of table) if (value === id) return name;
  return undefined;
}

/** `name:password:id:…` lines. */
function readTable(sys: Sys, path: string): Map<string, number> {
  const table = new Map<string, number>();
  try {
    const fd = sys.open(path, O_RDONLY);
    const input = new Input(sys, fd);
    for (let line = input.line(); line !== undefined; line = input.line()) {
      const [name, , id] = decodeText(line).split(':');
      if (name !== undefined && id !== undefined && !table.has(name)) table.set(name, Number(id));
    }
    sys.close(fd);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error; // no table is no fault
  }
  if (table.size === 0) table.set('root', 0);
  return table;
}

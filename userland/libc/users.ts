// User and group names from /etc/passwd and /etc/group (passwd(5), group(5)), read when first asked
// for. Without the files there is root, 0, and numbers.

import { O_RDONLY } from '../../kernel/abi/constants.ts';
import { PosixError } from '../../kernel/abi/errno.ts';
import { decodeText } from '../../kernel/abi/text.ts';
import { Input } from './stdio.ts';
import type { Sys } from './sys.ts';

/** passwd(5) */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

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

  /** All of a user's line in /etc/passwd; undefined for one who has none. */
  account(text: string): Account | undefined {
    const wanted = plainNumber(text);
    const accounts = readLines(this.#sys, '/etc/passwd').map(toAccount);
    const named = accounts.find((account) => account?.name === text);
    return named ?? accounts.find((account) => account?.uid === wanted && wanted !== undefined);
  }

  /** The groups whose lines name the user, its own first. */
  groupsOf(account: Pick<Account, 'name' | 'gid'>): number[] {
    const groups = readLines(this.#sys, '/etc/group')
      .filter(([, , , members = '']) => members.split(',').includes(account.name))
      .map(([, , gid]) => Number(gid));
    return [...new Set([account.gid, ...groups])];
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
  for (const [name, , id] of readLines(sys, path)) {
    if (name !== undefined && id !== undefined && !table.has(name)) table.set(name, Number(id));
  }
  if (table.size === 0) table.set('root', 0);
  return table;
}

/** The fields of each line; none when there is no such file. */
function readLines(sys: Sys, path: string): string[][] {
  const lines: string[][] = [];
  try {
    const fd = sys.open(path, O_RDONLY);
    const input = new Input(sys, fd);
    for (let line = input.line(); line !== undefined; line = input.line())
      lines.push(decodeText(line).split(':'));
    sys.close(fd);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error; // no table is no fault
  }
  return lines;
}

function toAccount([name, , uid, gid, , home = '/', shell = '']: string[]): Account | undefined {
  if (name === undefined || uid === undefined || gid === undefined) return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home, shell: shell || '/bin/sh' };
}

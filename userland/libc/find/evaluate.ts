// What find does with one file: the tests and actions of its expression, left to right.

import { DT_DIR, DT_LNK, DT_REG } from '../../../kernel/abi/constants.ts';
import { ENOENT, PosixError, strerror } from '../../../kernel/abi/errno.ts';
import { compareTimespec, type Stat } from '../../../kernel/abi/stat.ts';
import { textSize } from '../../../kernel/abi/text.ts';
import { formatMode, typeLetter } from '../files/mode.ts';
import { basename, dirname, isSymlink, listDirectory } from '../files/path.ts';
import type { Visit } from '../files/walk.ts';
import type { Tool } from '../program.ts';
import { startProgram, waitFor } from '../spawn.ts';
import { Input } from '../stdio.ts';
import { quotedArgument } from '../text/quote.ts';
import { strftime } from '../time/date.ts';
import { formatFile } from './format.ts';
import type { Action, Batch, Expression, Relation, Settings, Test } from './parse.ts';
import { matchesPath } from './regex.ts';

export interface Subject {
  readonly visit: Visit;
  readonly root: string;
  readonly settings: Settings;
}

const BATCH_BYTES = 128 * 1024;

export function evaluate(tool: Tool, expression: Expression, subject: Subject): boolean | 'quit' {
  switch (expression.op) {
    case 'test':
      return holds(tool, expression.test, subject);
    case 'action':
      return act(tool, expression.action, subject);
    case 'not': {
      const value = evaluate(tool, expression.of, subject);
      return value === 'quit' ? value : !value;
    }
    default: {
      const left = evaluate(tool, expression.left, subject);
      if (left === 'quit' || (expression.op === 'and' && !left)) return left;
      if (expression.op === 'or' && left) return left;
      return evaluate(tool, expression.right, subject);
    }
  }
}

const related = (value: number, relation: Relation, count: number): boolean =>
  relation === 'more' ? value > count : relation === 'less' ? value < count : value === count;

function holds(tool: Tool, test: Test, { visit, settings }: Subject): boolean {
  const { path } = visit;
  switch (test.kind) {
    case 'name':
      return test.glob.test(basename(path));
    case 'path':
      return test.glob.test(path);
    case 'regex':
      return matchesPath(test.regex, path);
    case 'lname':
      return visit.type === DT_LNK && test.glob.test(tool.sys.readlink(path));
    case 'type':
      return test.letters.includes(findType(visit.type << 12));
    case 'xtype':
      return test.letters.includes(findType(otherStat(tool, visit, settings).mode));
    case 'size':
      return related(Math.ceil(visit.stat.size / test.unit), test.relation, test.count);
    case 'time': {
      const age = (settings.now.sec - visit.stat[test.field].sec) / test.unit;
      return related(
        test.unit === 60 && test.relation === 'more' ? Math.ceil(age) : Math.floor(age),
        test.relation,
        test.count,
      );
    }
    case 'newer':
      return compareTimespec(visit.stat[test.field], test.than) > 0;
    case 'perm':
      return permitted(visit.stat.mode & 0o7777, test);
    case 'number':
      return related(visit.stat[test.field], test.relation, test.count);
    case 'access':
      return quietly(() => tool.sys.access(path, test.mode));
    case 'samefile':
      return visit.stat.dev === test.dev && visit.stat.ino === test.ino;
    case 'empty':
      if (visit.type === DT_DIR) return isEmptyDirectory(tool, path);
      return visit.type === DT_REG && visit.stat.size === 0;
    case 'nouser':
      return settings.users.userName(visit.stat.uid) === undefined;
    case 'nogroup':
      return settings.users.groupName(visit.stat.gid) === undefined;
    default:
      return test.kind === 'true';
  }
}

const findType = (mode: number): string => typeLetter(mode).replace('-', 'f');

/** -xtype looks at what -type does not: through the link, or at it. */
function otherStat(tool: Tool, visit: Visit, settings: Settings): Stat {
  try {
    return settings.follow === 'always' ? tool.sys.lstat(visit.path) : tool.sys.stat(visit.path);
  } catch (error) {
    if (error instanceof PosixError && error.errno === ENOENT) return visit.stat;
    tool.fault(quotedArgument(visit.path), error);
    return { ...visit.stat, mode: 0 }; // a loop has no type
  }
}

function permitted(mode: number, test: Test & { kind: 'perm' }): boolean {
  if (test.how === 'exact') return mode === test.bits;
  if (test.how === 'all') return (mode & test.bits) === test.bits;
  return test.bits === 0 || (mode & test.bits) !== 0;
}

function quietly(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof PosixError) return false;
    throw error;
  }
}

function isEmptyDirectory(tool: Tool, path: string): boolean {
  return (
    tool.attempt(quotedArgument(path), () => listDirectory(tool.sys, path).length === 0) ?? false
  );
}

function act(tool: Tool, action: Action, subject: Subject): boolean | 'quit' {
  const { visit } = subject;
  switch (action.kind) {
    case 'print':
      action.out.text(visit.path + action.end);
      return true;
    case 'printf':
      action.out.text(formatFile(tool, action.format, subject));
      return true;
    case 'ls':
      action.out.text(longLine(tool, subject));
      return true;
    case 'prune':
      visit.prune = true;
      return true;
    case 'quit':
      return 'quit';
    case 'delete':
      return remove(tool, visit);
    case 'exec':
      return execute(tool, action, visit.path);
    case 'batch':
      collect(tool, action.batch, visit.path);
      return true;
  }
}

function remove(tool: Tool, visit: Visit): boolean {
  if (visit.path === '.') return true;
  try {
    if (visit.type === DT_DIR) tool.sys.rmdir(visit.path);
    else tool.sys.unlink(visit.path);
    return true;
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    tool.warn(`cannot delete ${quotedArgument(visit.path)}: ${strerror(error.errno)}`);
    return false;
  }
}

function execute(tool: Tool, action: Action & { kind: 'exec' }, path: string): boolean {
  const name = action.inDirectory ? inDirectory(path) : path;
  const argv = action.argv.map((word) => word.replaceAll('{}', () => name));
  if (action.ask) {
    tool.out.flush();
    tool.error(`< ${argv[0]} ... ${path} > ? `);
    const answer = new Input(tool.sys, 0, 1).line();
    if (answer === undefined || (answer[0] !== 121 && answer[0] !== 89)) return false;
  }
  const back = tool.sys.getcwd();
  if (action.inDirectory) tool.sys.chdir(dirname(path));
  const started = startProgram(tool, argv, quotedArgument);
  if (action.inDirectory) tool.sys.chdir(back);
  return typeof started === 'number' && waitFor(tool, started).status === 0;
}

/** Its name where it lies; slashes at the end of a root are part of it. */
const inDirectory = (path: string): string => `./${/[^/]*\/*$/.exec(path)?.[0] ?? path}`;

function collect(tool: Tool, batch: Batch, path: string): void {
  const directory = batch.place === 'here' ? '' : dirname(path);
  if (directory !== batch.directory && batch.names.length > 0) runBatch(tool, batch);
  batch.directory = directory;
  const name = batch.place === 'here' ? path : inDirectory(path);
  batch.names.push(name);
  batch.bytes += textSize(name) + 1;
  if (batch.bytes >= BATCH_BYTES) runBatch(tool, batch);
}

function runBatch(tool: Tool, batch: Batch): void {
  const back = tool.sys.getcwd();
  if (batch.directory !== '') tool.sys.chdir(batch.directory);
  const started = startProgram(tool, [...batch.argv, ...batch.names], quotedArgument);
  if (batch.directory !== '') tool.sys.chdir(back);
  if (typeof started !== 'number' || waitFor(tool, started).status !== 0) tool.status = 1;
  batch.names = [];
  batch.bytes = 0;
}

/** The rest of what -exec … + collected, and of what goes into files. */
export function finish(tool: Tool, settings: Settings): void {
  for (const batch of settings.batches) if (batch.names.length > 0) runBatch(tool, batch);
  for (const out of settings.outputs.values()) out.flush();
}

function longLine(tool: Tool, { visit, settings }: Subject): string {
  const { path, stat } = visit;
  const { users } = settings;
  const user = users.userName(stat.uid) ?? String(stat.uid);
  const group = users.groupName(stat.gid) ?? String(stat.gid);
  const blocks = Math.ceil(stat.blocks / 2);
  const link = isSymlink(stat) ? ` -> ${tool.sys.readlink(path)}` : '';
  const time = strftime('%b %e %H:%M', stat.mtime);
  return `${String(stat.ino).padStart(9)} ${String(blocks).padStart(6)} ${formatMode(stat.mode)} ${String(stat.nlink).padStart(3)} ${user.padEnd(8)} ${group.padEnd(8)} ${String(stat.size).padStart(8)} ${time} ${path}${link}\n`;
}

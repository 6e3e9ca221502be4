// For the tidy test: the project's sources, parsed by the compiler that builds them.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  isArrayLiteralExpression,
  isArrowFunction,
  isBlock,
  isConstructorDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isGetAccessorDeclaration,
  isMethodDeclaration,
  isObjectLiteralExpression,
  isSetAccessorDeclaration,
  isSwitchStatement,
  type Node,
  type SourceFile,
} from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const TOP = [
  'daemons',
  'docs',
  'drivers',
  'host',
  'images',
  'kernel',
  'scripts',
  'userland',
];

export interface Source {
  readonly path: string; // from the project's root
  readonly text: string;
  readonly lines: number;
}

/** Every TypeScript file of the project. */
export function sources(): Source[] {
  const paths = TOP.flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => join(top, name)),
  );
  return [...paths, 'index.ts'].sort().map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return { path, text, lines: text.split('\n').length - 1 };
  });
}

/** Tests, and what only tests use. */
export const isTest = (path: string): boolean =>
  /\.(test|fuzz|bench)\.ts$|\/testing\/|\/test-[^/]*\.ts$|\/testing\.ts$/.test(path);

export interface Found {
  readonly where: string; // file:line
  readonly what: string;
}

/** What a file imports, types too: paths from the root for our own, bare names for packages. */
export const imports = ({ path, text }: Source): Found[] =>
  lines(
    path,
    text,
    /^(?:import (?:[^'=]* from )?|export [^'=]* from |\} from )'([^']+)';$|\bimport\('([^']+)'\)/,
  ).map((found) => ({
    ...found,
    what: found.what.startsWith('.') ? join(path, '..', found.what) : found.what,
  }));

/** Where a file's code says something: comments and one-line strings do not count. */
export const says = ({ path, text }: Source, what: RegExp): Found[] =>
  lines(path, text.replace(/'(?:[^'\\\n]|\\.)*'/g, "''"), what);

function lines(path: string, text: string, what: RegExp): Found[] {
  return text.split('\n').flatMap((line, index) => {
    const code = line.replace(/^\s*(\/\*|\*( |\/|$)).*|(^|\s)\/\/.*/, '');
    const hit = what.exec(code);
    return hit ? [{ where: `${path}:${index + 1}`, what: hit[1] ?? hit[2] ?? hit[0] }] : [];
  });
}

export interface LongFunction {
  readonly where: string;
  readonly lines: number;
}

/** Functions of more than `limit` lines, flat dispatch switches and tables not counted. */
export function longFunctions(paths: readonly string[], limit: number): LongFunction[] {
  const api = new API({ cwd: ROOT });
  try {
    const [project] = api
      .updateSnapshot({ openProject: join(ROOT, 'tsconfig.json') })
      .getProjects();
    return paths.flatMap((path) => {
      const file = project?.program.getSourceFile(join(ROOT, path));
      return file ? longOnes(file, path, limit) : [{ where: `${path} is not compiled`, lines: 0 }];
    });
  } finally {
    api.close();
  }
}

function longOnes(file: SourceFile, path: string, limit: number): LongFunction[] {
  const starts = lineStarts(file.text);
  const lineOf = (at: number): number => starts.findLastIndex((start) => start <= at) + 1;
  const span = (node: Node): number => lineOf(node.end) - lineOf(startOf(file.text, node)) + 1;
  const found: LongFunction[] = [];
  const visit = (node: Node): void => {
    if (isFunction(node)) {
      const lines = span(node) - exempt(node, span);
      const line = lineOf(startOf(file.text, node));
      if (lines > limit) found.push({ where: `${path}:${line}`, lines });
    }
    node.forEachChild(visit);
  };
  visit(file);
  return found;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') starts.push(i + 1);
  return starts;
}

/** Where the node begins behind the blanks and comments before it. */
function startOf(text: string, node: Node): number {
  const trivia = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
  trivia.lastIndex = node.pos;
  trivia.exec(text);
  return trivia.lastIndex;
}

const isFunction = (node: Node): boolean =>
  isFunctionDeclaration(node) ||
  isFunctionExpression(node) ||
  isArrowFunction(node) ||
  isMethodDeclaration(node) ||
  isConstructorDeclaration(node) ||
  isGetAccessorDeclaration(node) ||
  isSetAccessorDeclaration(node);

/** A clause of a flat switch, one entry of a table: no longer than this. */
const FLAT_LINES = 8;

/**
 * The lines that do not count: a switch in which no clause has more than 8 lines, and an object or
 * array literal without statements, in whatever depth they stand.
 */
function exempt(node: Node, span: (node: Node) => number): number {
  let lines = 0;
  node.forEachChild((child) => {
    const flat =
      isSwitchStatement(child) &&
      child.caseBlock.clauses.every((clause) => span(clause) <= FLAT_LINES);
    const table =
      (isObjectLiteralExpression(child) || isArrayLiteralExpression(child)) && !hasBlock(child);
    lines += flat || table ? span(child) - 1 : exempt(child, span);
  });
  return lines;
}

function hasBlock(node: Node): boolean {
  let found = isBlock(node);
  node.forEachChild((child) => {
    found ||= hasBlock(child);
  });
  return found;
}

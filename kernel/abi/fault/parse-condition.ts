// Conditions of a fault rule: on the hit (lba, len, tag, path, pid) and on when to fire (nth, every,
// after, p, times, t, budget, state).

import type { Match, When } from './rule.ts';
import { type Scanner, SIZES, TIMES } from './scanner.ts';

const WHEN = ['nth', 'every', 'after', 'p', 'times', 't', 'budget', 'state'] as const;
type WhenKey = (typeof WHEN)[number];

const MOST = Number.MAX_SAFE_INTEGER;

export function parseCondition(scanner: Scanner, keys: readonly Match['key'][]): Match | When {
  const start = scanner.mark();
  const word = scanner.matching(/[a-z]+/y);
  const expected = `a condition (${[...keys, ...WHEN].join(', ')}) or 'do'`;
  if (word === undefined) return scanner.fail(expected);
  const key = keys.find((one) => one === word);
  if (key !== undefined) return parseMatch(scanner, key);
  const when = WHEN.find((one) => one === word);
  if (when === undefined) return scanner.fail(expected, start);
  scanner.expect('=');
  return parseWhen(scanner, when);
}

function parseMatch(scanner: Scanner, key: Match['key']): Match {
  const none = { low: 0, high: MOST, text: '' };
  if (key === 'path') {
    scanner.expect('~');
    return { ...none, key, text: scanner.word('a pattern of a path', /[^\s]/) };
  }
  if (key === 'tag') {
    scanner.expect('=');
    return { ...none, key, text: scanner.word('a tag: journal, super, meta or data', /[a-z]/) };
  }
  const what = key === 'len' ? 'a size such as 4K' : 'a number';
  const units = key === 'len' ? SIZES : {};
  if (scanner.take('>=')) return { ...none, key, low: scanner.number(what, units) };
  if (scanner.take('<=')) return { ...none, key, high: scanner.number(what, units) };
  if (!scanner.take('=')) return scanner.fail("'=', '>=' or '<='");
  const start = scanner.mark();
  const low = scanner.number(what, units);
  const high = scanner.take('..') ? scanner.number(what, units) : low;
  if (high < low) return scanner.fail('a range whose end is not below its start', start);
  return { ...none, key, low, high };
}

function parseWhen(scanner: Scanner, key: WhenKey): When {
  const start = scanner.mark();
  switch (key) {
    case 'nth': {
      const nth = [countFrom(scanner, 1)];
      while (scanner.take(',')) nth.push(countFrom(scanner, 1));
      return { nth };
    }
    case 'every':
    case 'times':
      return { [key]: countFrom(scanner, 1) };
    case 'after':
      return { after: countFrom(scanner, 0) };
    case 'budget':
      return { budget: scanner.number('a size such as 10M', SIZES) };
    case 'state':
      return { state: stateName(scanner) };
    case 'p': {
      const of = scanner.number('a probability such as 1/100');
      scanner.expect('/');
      const outOf = countFrom(scanner, 1);
      return of <= outOf ? { p: { of, outOf } } : scanner.fail('a probability of at most 1', start);
    }
    default: {
      const fromMs = scanner.number('a time such as 2s', TIMES);
      scanner.expect('..');
      const open = /[0-9]/.test(scanner.text[scanner.mark() - 1] ?? '');
      const toMs = open ? scanner.number('a time such as 5s', TIMES) : MOST;
      return toMs >= fromMs
        ? { t: { fromMs, toMs } }
        : scanner.fail('an end behind the start', start);
    }
  }
}

function countFrom(scanner: Scanner, least: number): number {
  const what = `a number from ${least}`;
  const start = scanner.mark();
  const value = scanner.number(what);
  return value >= least && value <= 0x7fff_ffff ? value : scanner.fail(what, start);
}

export const stateName = (scanner: Scanner): string =>
  scanner.word('the name of a state', /[\w-]/).slice(0, 24);

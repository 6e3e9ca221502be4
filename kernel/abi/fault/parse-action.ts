// Actions of a fault rule.

import { errnoByName } from '../errno.ts';
import { stateName } from './parse-condition.ts';
import { type Action, BARE, type PowerChoice } from './rule.ts';
import { type Scanner, SIZES, TIMES } from './scanner.ts';

const WITH_VALUES = [
  ...(['err', 'delay', 'torn', 'flip', 'misdirect', 'short'] as const),
  ...(['kill', 'pause', 'resume', 'power', 'goto', 'jump', 'drift'] as const),
];
const NAMES: readonly string[] = [...WITH_VALUES, ...BARE];
const POWER: readonly PowerChoice[] = ['none', 'all', 'prefix', 'subset', 'torn'];
const SECTOR = 512;

export function parseAction(scanner: Scanner): Action {
  const start = scanner.mark();
  const word = scanner.matching(/[a-z]+/y);
  const bare = BARE.find((one) => one === word);
  if (bare !== undefined) return { do: bare };
  const name = WITH_VALUES.find((one) => one === word);
  if (name === undefined) {
    return scanner.fail(`an action (${NAMES.join(', ')})`, start);
  }
  switch (name) {
    case 'err':
      return readErrno(scanner);
    case 'delay': {
      const ms = scanner.number('a time such as 50ms', TIMES);
      const jitterMs = scanner.take('~') ? scanner.number('a time such as 10ms', TIMES) : 0;
      return { do: 'delay', ms, jitterMs };
    }
    case 'torn':
      return readTorn(scanner);
    case 'flip':
      return given(scanner) ? { do: name, bit: scanner.number('a bit') } : { do: name };
    case 'misdirect':
      return given(scanner) ? { do: name, lba: scanner.number('a sector') } : { do: name };
    case 'short':
      return given(scanner)
        ? { do: name, bytes: scanner.number('a size such as 512', SIZES) }
        : { do: name };
    case 'kill':
    case 'pause':
    case 'resume':
      return { do: name, service: scanner.word('a server such as ext4fs', /[\w-]/) };
    case 'goto':
      return { do: name, state: stateName(scanner) };
    case 'power': {
      const choice = scanner.matching(/[a-z]+/y);
      const known = POWER.find((one) => one === choice);
      return known === undefined
        ? scanner.fail(`what the cache keeps: ${POWER.join(', ')}`)
        : { do: name, choice: known };
    }
    case 'jump':
      return { do: name, ms: signed(scanner) * scanner.number('a time such as -1h', TIMES) };
    case 'drift':
      return { do: name, ppm: signed(scanner) * scanner.number('millionths such as 500') };
  }
}

const given = (scanner: Scanner): boolean => /[0-9]/.test(scanner.text[scanner.mark() - 1] ?? '');

/** A sign, taken: -1 for '-'. */
function signed(scanner: Scanner): number {
  const negative = scanner.take('-');
  if (!negative) scanner.take('+');
  return negative ? -1 : 1;
}

function readErrno(scanner: Scanner): Action {
  const start = scanner.mark();
  const name = scanner.matching(/E[A-Z0-9]+/y);
  const errno = name === undefined ? undefined : errnoByName(name);
  if (errno === undefined) return scanner.fail('an error such as EIO', start);
  return { do: 'err', errno };
}

function readTorn(scanner: Scanner): Action {
  const what = 'a number of bytes in whole sectors such as 512';
  const start = scanner.mark();
  const bytes = scanner.number(what, SIZES);
  if (bytes % SECTOR !== 0) return scanner.fail(what, start);
  return { do: 'torn', bytes };
}

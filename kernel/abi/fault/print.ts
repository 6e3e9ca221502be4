// Writes fault rules back as text: what parse.ts reads as the same rule.

import { errnoName } from '../errno.ts';
import type { Action, Match, Rule, When } from './rule.ts';

const MOST = Number.MAX_SAFE_INTEGER;

export function printRule({ name, point, match, when, actions }: Rule): string {
  const conditions = [...match.map(printMatch), ...printWhen(when)];
  const words = ['on', point, ...conditions, 'do', actions.map(printAction).join(', ')];
  return `${name === '' ? '' : `${name}: `}${words.join(' ')}`;
}

function printAction(action: Action): string {
  switch (action.do) {
    case 'err':
      return `err ${errnoName(action.errno)}`;
    case 'delay':
      return `delay ${action.ms}ms${action.jitterMs > 0 ? `~${action.jitterMs}ms` : ''}`;
    case 'torn':
      return `torn ${action.bytes}`;
    case 'flip':
      return action.bit === undefined ? 'flip' : `flip ${action.bit}`;
    case 'misdirect':
      return action.lba === undefined ? 'misdirect' : `misdirect ${action.lba}`;
    case 'short':
      return action.bytes === undefined ? 'short' : `short ${action.bytes}`;
    case 'kill':
    case 'pause':
    case 'resume':
      return `${action.do} ${action.service}`;
    case 'power':
      return `power ${action.choice}`;
    case 'goto':
      return `goto ${action.state}`;
    case 'jump':
      return `jump ${action.ms}ms`;
    case 'drift':
      return `drift ${action.ppm}`;
    default:
      return action.do;
  }
}

function printMatch({ key, low, high, text }: Match): string {
  if (key === 'path') return `path~${text}`;
  if (key === 'tag') return `tag=${text}`;
  if (low === high) return `${key}=${low}`;
  if (high === MOST) return `${key}>=${low}`;
  return low === 0 ? `${key}<=${high}` : `${key}=${low}..${high}`;
}

function printWhen(when: When): string[] {
  const { nth, every, after, p, times, t, budget, state } = when;
  const counts = Object.entries({ nth, every, after, times, budget, state });
  const words = counts.filter(([, value]) => value !== undefined).map(([k, v]) => `${k}=${v}`);
  if (p) words.push(`p=${p.of}/${p.outOf}`);
  if (t) words.push(`t=${t.fromMs}ms..${t.toMs === MOST ? '' : `${t.toMs}ms`}`);
  return words;
}

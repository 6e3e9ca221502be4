// A line typed at the bottom of a screen: a pattern, a name, a number. Erase and kill as a terminal has.

import { clusters } from './width.ts';

export interface LineInput {
  /** Shown in front of it. */
  readonly prompt: string;
  readonly next: () => string;
  readonly show: (text: string) => void;
  /** Lines that were typed before, the oldest first. */
  readonly history: string[];
}

const mostHistory = 100;

/** What was typed, or undefined when it was given up. */
export function readLine({ prompt, next, show, history }: LineInput): string | undefined {
  let typed: string[] = [];
  let place = history.length;
  for (;;) {
    show(prompt + typed.join(''));
    const key = next();
    if (key === '^M' || key === '^J') break;
    if (key === 'end' || key === '^C' || key === 'escape' || key === '^G') return undefined;
    if (key === '^?' || key === '^H') {
      if (typed.length === 0) return undefined;
      typed.pop();
    } else if (key === '^U') typed = [];
    else if (key === '^W') typed = clusters(typed.join('').replace(/\S*\s*$/, ''));
    else if (key === 'up' && place > 0) typed = clusters(history[--place] ?? '');
    else if (key === 'down') typed = clusters(history[++place] ?? '');
    else if (key === '^V') typed.push(literal(next()));
    else if ([...key].length === 1) typed.push(key);
    place = Math.min(place, history.length);
  }
  const text = typed.join('');
  if (text !== '' && history.at(-1) !== text) history.push(text);
  if (history.length > mostHistory) history.shift();
  return text;
}

/** A key that stands for itself. */
const literal = (key: string): string =>
  /^\^.$/.test(key)
    ? String.fromCharCode(key.charCodeAt(1) ^ 0x40)
    : key === 'escape'
      ? '\x1b'
      : key;

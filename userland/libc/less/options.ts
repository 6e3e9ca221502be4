// The options of less, on its command line, in LESS, and typed while it runs.

import type { OptionSpec, Options } from '../options.ts';

export const lessOptions: OptionSpec = {
  short: 'cdefgiJmnqrsuwEFGIKLMNQRSVWX~b:h:j:k:o:O:p:P:t:T:x:y:z:#:',
  long: {
    'quit-at-eof': 'e',
    'QUIT-AT-EOF': 'E',
    force: 'f',
    'quit-if-one-screen': 'F',
    'hilite-search': 'g',
    'HILITE-SEARCH': 'G',
    'ignore-case': 'i',
    'IGNORE-CASE': 'I',
    'long-prompt': 'm',
    'LONG-PROMPT': 'M',
    'line-numbers': 'n',
    'LINE-NUMBERS': 'N',
    'pattern=': 'p',
    'raw-control-chars': 'R',
    'RAW-CONTROL-CHARS': 'R',
    'squeeze-blank-lines': 's',
    'chop-long-lines': 'S',
    'tabs=': 'x',
    tilde: '~',
    'no-init': 'X',
    'window=': 'z',
  },
};

export interface LessSettings {
  ignoreCase: 'never' | 'smart' | 'always';
  highlight: boolean;
  prompt: 'short' | 'medium' | 'long';
  numbers: boolean;
  raw: boolean;
  squeeze: boolean;
  chop: boolean;
  tilde: boolean;
  tab: number;
  /** Rows that space moves by; the screen's when it is 0. */
  window: number;
  quitAtEnd: 'never' | 'second' | 'first';
  quitIfOneScreen: boolean;
  force: boolean;
}

export function lessSettings(options: Options): LessSettings {
  const prompt = options.last('m', 'M');
  const ignore = options.last('i', 'I');
  const tab = Number.parseInt(options.value('x') ?? '8', 10);
  return {
    ignoreCase: ignore === 'I' ? 'always' : ignore === 'i' ? 'smart' : 'never',
    highlight: !options.has('G'),
    prompt: prompt === 'M' ? 'long' : prompt === 'm' ? 'medium' : 'short',
    numbers: options.last('n', 'N') === 'N',
    raw: options.has('R', 'r'),
    squeeze: options.has('s'),
    chop: options.has('S'),
    tilde: !options.has('~'),
    tab: tab >= 1 && tab <= 100 ? tab : 8,
    window: Math.max(0, Number.parseInt(options.value('z') ?? '0', 10) || 0),
    quitAtEnd: options.has('E') ? 'first' : options.has('e') ? 'second' : 'never',
    quitIfOneScreen: options.has('F'),
    force: options.has('f'),
  };
}

/** Turns an option over that was typed as `-S`; what is told about it, undefined when there is none. */
export function toggle(settings: LessSettings, letter: string): string | undefined {
  const on = (is: boolean, yes: string, no: string): string => (is ? yes : no);
  switch (letter) {
    case 'N':
    case 'n':
      settings.numbers = letter === 'N' && !settings.numbers;
      return on(settings.numbers, 'Line numbers', "Don't use line numbers");
    case 'S':
      settings.chop = !settings.chop;
      return on(settings.chop, 'Chop long lines', 'Fold long lines');
    case 'R':
    case 'r':
      settings.raw = !settings.raw;
      return on(settings.raw, 'Colours are shown', 'Control characters are shown as text');
    case 's':
      settings.squeeze = !settings.squeeze;
      return on(settings.squeeze, 'Squeeze multiple blank lines', 'Display all blank lines');
    case 'G':
    case 'g':
      settings.highlight = !settings.highlight;
      return on(settings.highlight, 'Matches are highlighted', 'Matches are not highlighted');
    case 'i':
    case 'I':
      settings.ignoreCase =
        settings.ignoreCase !== 'never' ? 'never' : letter === 'i' ? 'smart' : 'always';
      return on(settings.ignoreCase !== 'never', 'Ignore case in searches', 'Case is significant');
    case '~':
      settings.tilde = !settings.tilde;
      return on(settings.tilde, 'Tildes stand behind the end', 'Nothing stands behind the end');
    case 'm':
    case 'M':
      settings.prompt = settings.prompt !== 'short' ? 'short' : letter === 'm' ? 'medium' : 'long';
      return `The prompt is ${settings.prompt}`;
    default:
      return undefined;
  }
}

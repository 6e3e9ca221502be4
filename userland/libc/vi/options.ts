// What `:set` sets.

export interface Options {
  autoindent: boolean;
  expandtab: boolean;
  ignorecase: boolean;
  list: boolean;
  number: boolean;
  readonly: boolean;
  showmode: boolean;
  shiftwidth: number;
  tabstop: number;
}

export const usualOptions = (): Options => ({
  ...{ autoindent: false, expandtab: false, ignorecase: false, list: false, number: false },
  ...{ readonly: false, showmode: true, shiftwidth: 8, tabstop: 8 },
});

const short: Readonly<Record<string, keyof Options>> = {
  ...{ ai: 'autoindent', et: 'expandtab', ic: 'ignorecase', nu: 'number', ro: 'readonly' },
  ...{ smd: 'showmode', sw: 'shiftwidth', ts: 'tabstop' },
};

/** One word of `:set`: `name`, `noname`, `name!`, `name=value`, `name?`; what there is to tell. */
export function setOption(options: Options, word: string): string {
  const [, off = '', given = '', rest = ''] = /^(no)?(\w+?)([!?]|=.*)?$/.exec(word) ?? [];
  const name = short[given] ?? given;
  if (!isOption(options, name)) {
    return off !== '' && isOption(options, short[off + given] ?? off + given)
      ? setOption(options, off + given)
      : `${word}: unknown option`;
  }
  const value = options[name];
  if (rest === '?') return shownOption(options, name);
  if (typeof value === 'number') {
    const number = /^=\d{1,2}$/.test(rest) ? Number(rest.slice(1)) : 0;
    if (rest === '') return shownOption(options, name);
    if (number < 1) return `${word}: a number from 1 to 99 is wanted`;
    Object.assign(options, { [name]: number });
  } else if (rest.startsWith('=')) return `${word}: takes no value`;
  else Object.assign(options, { [name]: rest === '!' ? !value : off === '' });
  return '';
}

export const allOptions = (options: Options): string =>
  (Object.keys(options) as (keyof Options)[]).map((name) => shownOption(options, name)).join(' ');

const isOption = (options: Options, name: string): name is keyof Options =>
  Object.hasOwn(options, name);

function shownOption(options: Options, name: keyof Options): string {
  const value = options[name];
  if (typeof value === 'number') return `${name}=${value}`;
  return value ? name : `no${name}`;
}

// Ctrl-R: incremental search backwards through the history, as emacs has it.

import type { Key } from '../../libc/tty/keys.ts';

export interface SearchOptions {
  readonly entries: readonly string[];
  /** Where it begins: only what is before is looked at. */
  readonly from: number;
  readonly readKey: () => Key;
  readonly show: (prompt: string, text: string) => void;
}

export interface Found {
  /** The entry to go to; none when the search was given up. */
  readonly place?: number;
  /** The key that ended the search, still to be done. */
  readonly key?: Key;
}

export function searchHistory(options: SearchOptions): Found {
  const { entries, readKey, show } = options;
  let query = '';
  let place: number | undefined;
  let failed = false;
  const look = (from: number): void => {
    const at = lastWith(entries, query, from);
    failed = at === undefined;
    place = at ?? place;
  };
  for (;;) {
    const text = place === undefined ? '' : (entries[place] ?? '');
    show(`(${failed ? 'failed ' : ''}reverse-i-search)\`${query}': `, text);
    const key = readKey();
    if (key.type === 'text' || key.type === 'paste') {
      query += key.text;
      look(place ?? options.from - 1);
    } else if (key.type === 'end') return { key };
    else if (key.name === '^R') look((place ?? options.from) - 1);
    else if (key.name === '^?' || key.name === '^H') {
      query = [...query].slice(0, -1).join('');
      place = undefined;
      look(options.from - 1);
    } else if (key.name === '^G' || key.name === '^C') return key.name === '^G' ? {} : { key };
    else return place === undefined ? { key } : { place, key };
  }
}

/** The last entry at or before `from` that holds the text. */
function lastWith(entries: readonly string[], query: string, from: number): number | undefined {
  for (let at = from; at >= 0; at--) if (entries[at]?.includes(query)) return at;
  return undefined;
}

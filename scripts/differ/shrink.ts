// Makes a case that differs smaller while it still differs: words, files, lines, then characters are left
// out, in halves, quarters and so on (delta debugging, A. Zeller and R. Hildebrandt, 2002).

import type { Case } from './case.ts';

/** Runs that a shrinking may take. */
const MOST_RUNS = 120;

export async function shrink(
  one: Case,
  differs: (smaller: Case) => Promise<boolean>,
): Promise<Case> {
  let smallest = one;
  let runs = 0;
  const attempt = async (smaller: Case): Promise<boolean> => {
    if (runs++ >= MOST_RUNS || !(await differs(smaller))) return false;
    smallest = smaller;
    return true;
  };
  for (let i = one.whole ? 0 : smallest.words.length - 1; i > 0; i--)
    await attempt({ ...smallest, words: smallest.words.filter((_, k) => k !== i) });
  if (smallest.tail !== undefined) await attempt(without(smallest, 'tail'));
  for (const line of smallest.setup ?? [])
    await attempt({ ...smallest, setup: smallest.setup?.filter((other) => other !== line) ?? [] });
  for (const name of Object.keys(smallest.files)) {
    const { [name]: content = '', ...files } = smallest.files;
    if (name !== one.keep && (await attempt({ ...smallest, files }))) continue;
    const with_ = (text: string): Case => ({
      ...smallest,
      files: { ...smallest.files, [name]: text },
    });
    const lines = await fewer(content.split(/(?<=\n)/), (left) => attempt(with_(left.join(''))));
    if (name === one.keep) continue; // a program that misses characters is another one
    await fewer([...lines.join('')], (left) => attempt(with_(left.join(''))));
  }
  return smallest;
}

function without(one: Case, key: 'tail'): Case {
  const { [key]: _, ...rest } = one;
  return rest;
}

async function fewer(
  parts: readonly string[],
  attempt: (left: readonly string[]) => Promise<boolean>,
): Promise<readonly string[]> {
  let left = parts;
  for (
    let size = Math.ceil(parts.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  )
    for (let at = 0; at < left.length; ) {
      const smaller = [...left.slice(0, at), ...left.slice(at + size)];
      if (await attempt(smaller)) left = smaller;
      else at += size;
    }
  return left;
}

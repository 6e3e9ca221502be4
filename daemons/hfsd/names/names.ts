// From names as programs write them to names as they lie on the disk, and back. ':' and '/' change
// places: each is the separator of its own world.

import { ENAMETOOLONG } from '../../../kernel/abi/errno.ts';
import { compose, decompose } from '../../../kernel/abi/names/hfsplus.ts';
import { fromMacRoman, toMacRoman } from '../../../kernel/abi/names/macroman.ts';

export interface Names {
  /** Characters of the longest name. */
  readonly longest: number;
  /** ENAMETOOLONG, or undefined when the format has no such character. */
  toDisk(name: string): string | typeof ENAMETOOLONG | undefined;
  fromDisk(name: string): string;
}

const exchange = (name: string): string =>
  /[:/]/.test(name) ? name.replace(/[:/]/g, (c) => (c === ':' ? '/' : ':')) : name;

/** A NUL cannot be in a program's name: it is shown as its picture. */
const hideNul = (name: string): string => (name.includes('\0') ? name.replaceAll('\0', '␀') : name);
const showNul = (name: string): string => (name.includes('␀') ? name.replaceAll('␀', '\0') : name);

export const hfsNames: Names = {
  longest: 31,
  toDisk(name) {
    const disk = toMacRoman(exchange(name));
    return disk !== undefined && disk.length > 31 ? ENAMETOOLONG : disk;
  },
  fromDisk: (name) => exchange(hideNul(fromMacRoman(name))),
};

export const plusNames: Names = {
  longest: 255,
  toDisk(name) {
    const disk = decompose(showNul(exchange(name)));
    return disk.length > 255 ? ENAMETOOLONG : disk;
  },
  fromDisk: (name) => exchange(hideNul(compose(name))),
};

// What FAT and exFAT have in common on the disk: directories of slots of 32 bytes, and the attributes of a
// file. fatgen103, "FAT Directory Structure"; exFAT specification 1.00, §7.4.4.

export const SLOT = 32; // bytes of an entry
/** The first byte of a slot: nothing behind it is in use. */
export const SLOT_END = 0x00;

export const ATTR_READ_ONLY = 0x01;
export const ATTR_DIRECTORY = 0x10;
export const ATTR_ARCHIVE = 0x20;

// Where the structures of a virtio function lie in its one BAR, and the capabilities that tell so:
// VIRTIO 1.2 §4.1.4.

import { assert } from '../../../kernel/abi/errno.ts';
import * as r from '../../virtio-blk/regs.ts';

export const CLASS_STORAGE = 0x018000; // mass storage, other
export const REGISTERS_BAR = 4;
export const NOTIFY_MULTIPLIER = 4;

export type Area = 'common' | 'isr' | 'device' | 'notify';

const AREAS: readonly { area: Area; type: number; offset: number; length: number }[] = [
  { area: 'common', type: r.CAP_COMMON, offset: 0x0000, length: r.COMMON_SIZE },
  { area: 'isr', type: r.CAP_ISR, offset: 0x1000, length: 4 },
  { area: 'device', type: r.CAP_DEVICE, offset: 0x2000, length: r.BlockConfig.size },
  { area: 'notify', type: r.CAP_NOTIFY, offset: 0x3000, length: 0x1000 },
];

const fields = new Map(
  (Object.keys(r.COMMON) as r.CommonField[]).map((name) => [r.COMMON[name].join(), name]),
);

export const Layout = {
  size: 0x4000,

  /** The structure that an offset of the BAR is in, and the offset within it. */
  area(offset: number): [Area | undefined, number] {
    const found = AREAS.findLast((one) => one.offset <= offset);
    assert(found !== undefined);
    const at = offset - found.offset;
    return at < found.length ? [found.area, at] : [undefined, 0];
  },

  /** §4.1.3.1: a field is accessed as a whole, or the address in two halves. */
  common: (at: number, width: number): r.CommonField | undefined => fields.get(`${at},${width}`),
};

/** What follows id and pointer: cap_len, cfg_type, bar, id, padding, offset, length. */
export function capabilities(): { id: number; body: Uint8Array }[] {
  return AREAS.map(({ type, offset, length }) => {
    const size = r.PciCap.size + (type === r.CAP_NOTIFY ? 4 : 0);
    const view = new DataView(new ArrayBuffer(size));
    const cap = new r.PciCap(view, 0);
    cap.cap_len = size;
    cap.cfg_type = type;
    cap.bar = REGISTERS_BAR;
    cap.offset = offset;
    cap.length = length;
    if (type === r.CAP_NOTIFY) view.setUint32(r.PciCap.size, NOTIFY_MULTIPLIER, true);
    return { id: r.PCI_CAP_VENDOR, body: new Uint8Array(view.buffer, 2) };
  });
}

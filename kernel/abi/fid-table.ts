// The fids that the next worker of a volume is to know from the start: written by the kernel into
// `ram` before it gives the worker its orders, 32 bytes each.
//
//   +0 fid   +4 flags of Tlopen, -1 = not open   +8 1 = made by Tattach
//   +12 qid.type   +16 qid.version (f64)   +24 qid.path (f64): the inode number

export interface FidEntry {
  readonly fid: number;
  readonly flags: number | undefined;
  readonly attached: boolean;
  readonly qid: { readonly type: number; readonly version: number; readonly path: number };
}

export const FID_ENTRY_SIZE = 32;

export function putFids(view: DataView, address: number, entries: readonly FidEntry[]): void {
  entries.forEach(({ fid, flags, attached, qid }, i) => {
    const at = address + i * FID_ENTRY_SIZE;
    view.setUint32(at, fid, true);
    view.setInt32(at + 4, flags ?? -1, true);
    view.setUint32(at + 8, attached ? 1 : 0, true);
    view.setUint32(at + 12, qid.type, true);
    view.setFloat64(at + 16, qid.version, true);
    view.setFloat64(at + 24, qid.path, true);
  });
}

export function getFids(view: DataView, address: number, count: number): FidEntry[] {
  return Array.from({ length: count }, (_, i) => {
    const at = address + i * FID_ENTRY_SIZE;
    const flags = view.getInt32(at + 4, true);
    return {
      fid: view.getUint32(at, true),
      flags: flags < 0 ? undefined : flags,
      attached: view.getUint32(at + 8, true) === 1,
      qid: {
        type: view.getUint32(at + 12, true),
        version: view.getFloat64(at + 16, true),
        path: view.getFloat64(at + 24, true),
      },
    };
  });
}

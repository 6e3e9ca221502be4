// The label in the boot sector, which must say what the one in the root directory says; fatgen103, "BS_VolLab".

import type { Report } from '../../fsck/report.ts';
import type { BootSectorView } from '../ondisk.ts';
import type { FatBits } from '../volume/geometry.ts';

const PRESENT = 0x29; // BS_BootSig: number, label and type are there
const NO_LABEL = 'NO NAME    ';

/** Puts right what differs, in memory. */
export function checkLabel(
  boot: BootSectorView,
  { bits, label, report }: { bits: FatBits; label: Uint8Array | undefined; report: Report },
): void {
  const [signature, field] =
    bits === 32
      ? (['BS32_BootSig', 'BS32_VolLab'] as const)
      : (['BS_BootSig', 'BS_VolLab'] as const);
  const due = label ?? new TextEncoder().encode(NO_LABEL);
  const same = boot[field].every((byte, i) => byte === due[i]);
  if (boot[signature] === PRESENT && same) return;
  report.bad('boot', 'the label in the boot sector is not that of the root directory');
  boot[signature] = PRESENT;
  boot[field] = due;
}

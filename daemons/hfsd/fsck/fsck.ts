// fsck: a volume that nobody has mounted, its log replayed, is checked, and repaired if that is wanted: in
// memory first, so that the header, which leads to everything else, is written last.

import { PosixError } from '../../../kernel/abi/errno.ts';
import { type Medium, runAtOnce } from '../../lib/medium.ts';
import { mediumSectors } from '../journal/bytes.ts';
import { findLog } from '../journal/find.ts';
import { replay } from '../journal/replay.ts';
import { HEADER_OFFSET, MAC_EPOCH } from '../ondisk.ts';
import { embeddedPlace, openVolume } from '../volume/volume.ts';
import { mediumWindow } from '../window.ts';
import { checkVolume, type Findings } from './check.ts';
import { OverlayMedium } from './overlay.ts';
import { type RepairWorld, repairVolume } from './repair.ts';

export interface FsckResult {
  /** Of its log; 0 when that was empty. */
  readonly replayed: number;
  readonly problems: readonly string[];
  /** After a repair: what is still wrong. */
  readonly left: readonly string[];
  readonly files: number;
  readonly folders: number;
}

const REPAIRS = 3;

/** Throws EMEDIUMTYPE or EUCLEAN when there is no volume that could be checked. */
export function fsck(
  medium: Medium,
  { mode, world }: { mode: 'look' | 'repair'; world: RepairWorld },
): FsckResult {
  const whole = inside(medium);
  const overlay = new OverlayMedium(whole);
  const replayed = replayLog(mode === 'look' ? overlay : whole);
  const now = (world.nowSec + MAC_EPOCH) >>> 0;
  const findings = checkVolume(overlay, now);
  const { problems } = findings;
  const counts = { replayed, ...countsOf(findings) };
  if (mode === 'look' || problems.length === 0) return { ...counts, problems, left: problems };
  let left = findings;
  // What is cut off may be what something else was made of: that shows the next time.
  for (let tries = 0; tries < REPAIRS && left.problems.length > 0; tries++) {
    repairVolume(overlay, left, world);
    left = checkVolume(overlay, now);
  }
  overlay.bringHome();
  return { ...counts, problems, left: left.problems };
}

function countsOf({ opened }: Findings): { files: number; folders: number } {
  const { files, folders } = opened.head;
  return { files, folders };
}

/** HFS Plus inside its wrapper is what is checked. */
function inside(medium: Medium): Medium {
  const probe = medium.read(0, Math.min(HEADER_OFFSET + 512, medium.sizeBytes));
  const place = embeddedPlace(probe, medium.sizeBytes);
  return place === undefined ? medium : mediumWindow(medium, place);
}

/** The lists replayed. A volume or a log that is damaged has none: the check tells of it. */
function replayLog(medium: Medium): number {
  const probe = medium.read(0, Math.min(4096, medium.sizeBytes));
  const sectors = mediumSectors(medium);
  try {
    const volume = openVolume(probe, medium.sizeBytes);
    const { log } = runAtOnce(findLog(sectors, volume));
    if (log === undefined || log.start === log.end) return 0;
    const lists = runAtOnce(replay(sectors, log));
    // A log of our own counts for the volume as it is now, and a repair changes that.
    if (volume.journalInfoBlock === 0) medium.write(log.place.headerAt, new Uint8Array(512));
    return lists;
  } catch (error) {
    if (error instanceof PosixError) return 0;
    throw error;
  }
}

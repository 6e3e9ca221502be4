// The stages in which an epoch of changed blocks is written in the careful order, with a flush between two of
// them. What belongs to which stage each format says (fat/write/stages.ts, exfat/write/plan.ts).

export const STAGES = 5;
export type Stage = 1 | 2 | 3 | 4 | 5;

/** The content of a block after each stage. */
export type Staged = Readonly<Record<Stage, Uint8Array>>;

export interface Change {
  readonly old: Uint8Array; // what the disk holds
  readonly now: Uint8Array;
}

/** All of it belongs to one stage. */
export function stageWhole({ old, now }: Change, stage: Stage): Staged {
  const at = (s: Stage): Uint8Array => (s < stage ? old : now);
  return { 1: at(1), 2: at(2), 3: at(3), 4: at(4), 5: at(5) };
}

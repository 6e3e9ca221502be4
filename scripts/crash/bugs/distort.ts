// Bugs of a disk and of whoever drives it, to test the tester: what the disk was told is changed, as
// if a flush had been left out or a write had come at another time. The volume itself never notices,
// since it reads what it wrote.

import {
  JBD2_COMMIT_BLOCK,
  JBD2_MAGIC,
  JBD2_SUPERBLOCK_V2,
} from '../../../daemons/ext4fs/ondisk-journal.ts';
import type { LogEntry } from '../../../daemons/lib/memory-device.ts';
import type { Prepared } from '../prepare.ts';
import type { Story } from '../workload/record.ts';

export type Distortion = (story: Story, prepared: Prepared) => Story;

/** An entry of the history, and when it happens: its index, unless it is moved. */
interface Event {
  readonly entry: LogEntry;
  readonly kind: Kind;
  readonly index: number;
  at: number;
}

type Kind = 'flush' | 'log' | 'commit' | 'tail' | 'data' | 'home';

/** Moves events by giving them another time; those it leaves out never happen. */
type Change = (events: Event[]) => Event[];

const previous = (
  events: readonly Event[],
  { index }: Event,
  ...kinds: Kind[]
): Event | undefined =>
  events.findLast((event) => event.index < index && kinds.includes(event.kind));
const following = (
  events: readonly Event[],
  { index }: Event,
  ...kinds: Kind[]
): Event | undefined => events.find((event) => event.index > index && kinds.includes(event.kind));

/** Leaves out the flush just before, or just behind, each event of a kind. */
const withoutFlush =
  (kind: Kind, step: -1 | 1): Change =>
  (events) =>
    events.filter((event) => event.kind !== 'flush' || events[event.index - step]?.kind !== kind);

const moveEach =
  (kind: Kind, to: (event: Event, events: readonly Event[]) => number): Change =>
  (events) => {
    for (const event of events) if (event.kind === kind) event.at = to(event, events);
    return events;
  };

/** Behind the flush that follows the next commit: when the transaction is on the medium. */
const afterCommit = (event: Event, events: readonly Event[]): number => {
  const commit = following(events, event, 'commit');
  const flush = commit && following(events, commit, 'flush');
  return flush ? flush.index + 0.5 : event.at;
};

export const DISTORTIONS: Readonly<Record<string, Change>> = {
  'no-flush-at-all': (events) => events.filter(({ kind }) => kind !== 'flush'),
  'no-flush-before-commit': withoutFlush('commit', -1),
  'no-flush-after-commit': withoutFlush('commit', 1),
  'no-flush-before-tail': withoutFlush('tail', -1),
  'no-flush-after-tail': withoutFlush('tail', 1),
  'data-after-commit': moveEach('data', afterCommit),
  'log-after-commit': moveEach('log', afterCommit),
  'home-before-commit': moveEach('home', (event, events) => {
    const commit = previous(events, event, 'commit');
    return commit ? commit.index - 0.5 : event.at;
  }),
  'tail-before-home': moveEach('tail', (event, events) => {
    const home = previous(events, event, 'home');
    const before = home && previous(events, home, 'flush');
    return before ? before.index + 0.5 : event.at;
  }),
};

export function distortion(name: string | undefined): Distortion | undefined {
  const change = name === undefined ? undefined : DISTORTIONS[name];
  return change && ((story, prepared) => distorted(story, prepared, change));
}

function distorted(story: Story, prepared: Prepared, change: Change): Story {
  const inLog = new Set<number>();
  for (const { offset, size } of prepared.void) {
    for (let at = 0; at < size; at += 1024) inLog.add(offset + at);
  }
  const events = change(
    story.history.map((entry, index) => ({ entry, index, at: index, kind: kindOf(entry, inLog) })),
  );
  events.sort((a, b) => a.at - b.at || a.index - b.index);
  const moved = (mark: number): number => events.filter(({ at }) => at < mark - 0.25).length;
  return {
    ...story,
    history: events.map(({ entry }) => entry),
    steps: story.steps.map(({ op, began, ended }) => ({
      ...{ op, began: moved(began), ended: moved(ended) },
    })),
  };
}

function kindOf(entry: LogEntry, inLog: ReadonlySet<number>): Kind {
  if (entry.kind === 'flush') return 'flush';
  const { data, offset } = entry;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (!inLog.has(offset)) return view.getUint32(0) >>> 8 === PAINTED ? 'data' : 'home';
  if (view.getUint32(0) !== JBD2_MAGIC) return 'log';
  const type = view.getUint32(4);
  if (type === JBD2_COMMIT_BLOCK) return 'commit';
  return type === JBD2_SUPERBLOCK_V2 ? 'tail' : 'log';
}

/** 'op ': how painted data begins. */
const PAINTED = 0x6f7020;

import type { RecordedEvent } from '../../events/envelope.js';

/** Where an event stands. */
type Standing = Pick<RecordedEvent, 'stream' | 'revision' | 'id'>;

/** Which ids a device's last telemetry events have, in little room: 32 bits of each. */
export interface RecentIds {
  /** The last revision of a stream that was taken in; -1 when none was. */
  revision(stream: string): number;
  /** Takes in the next event of its stream; one that is not the next is left to be read later. */
  add(event: Standing): void;
  /** Whether none of the device's last `window` events is missing. */
  covers(window: number): boolean;
  /** Whether an id may be that of one of them: now and then of none of them, but never the other way. */
  mayHold(id: string): boolean;
}

/** Today's and yesterday's matter, and may have come in any order: of three, what came in first is neither. */
const STREAMS = 3;
const AT_FIRST = 64;

/**
 * @param most how many ids are kept, at most
 * @param last the device's last events, oldest first
 * @param complete whether nothing came before these
 */
export function recentIds(most: number, last: readonly Standing[], complete: boolean): RecentIds {
  const revisions = new Map<string, number>();
  /** A ring, once as many are kept as may be. */
  let prints = new Uint32Array(Math.min(AT_FIRST, most));
  let count = 0;
  let isComplete = complete;

  function push(id: string): void {
    if (count === prints.length && count < most) {
      const larger = new Uint32Array(Math.min(2 * count, most));
      larger.set(prints);
      prints = larger;
    }
    if (count >= prints.length) isComplete = false;
    prints[count % prints.length] = printOf(id);
    count += 1;
  }

  function at(stream: string, revision: number): void {
    revisions.set(stream, revision);
    const [oldest] = revisions.keys();
    if (revisions.size > STREAMS && oldest !== undefined) revisions.delete(oldest);
  }

  for (const { stream, revision, id } of last) {
    push(id);
    at(stream, revision);
  }

  return {
    revision: (stream) => revisions.get(stream) ?? -1,
    add({ stream, revision, id }) {
      if (revision !== (revisions.get(stream) ?? -1) + 1) return;
      push(id);
      at(stream, revision);
    },
    covers: (window) => isComplete || Math.min(count, prints.length) >= window,
    mayHold: (id) => prints.includes(printOf(id)),
  };
}

/** The last digits of a UUID are its most random ones, in version 5 as in version 7. */
function printOf(id: string): number {
  return Number.parseInt(id.slice(-8), 16);
}

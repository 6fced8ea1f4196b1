import { catalog } from '../events/catalog.js';
import type { Position, RecordedEvent } from '../events/envelope.js';
import type { Batch } from '../events/eventStore.js';
import { footprint } from '../events/footprint.js';
import { park, type Incoming } from './fold.js';
import type { AnyProjection, Told } from './projection.js';
import type { Repeats } from './repeats.js';

/** Events on their way into the projections, and how far the log has been looked through for them. */
export interface Gathered {
  readonly incoming: readonly Incoming[];
  readonly position: Position;
  /** About how much memory they and what they change take, in bytes. */
  readonly bytes: number;
  /** Whether there is nothing more for now. */
  readonly caughtUp: boolean;
}

/**
 * The most events folded at once: the more, the more seldom a document is copied; but those that
 * outlive the young generation's collections cost each of them, and then the old one's.
 */
const MOST_EVENTS = 10_000;
/** Fewer where they take much memory: a heap has to hold them together with what waits to be written. */
const MOST_BYTES = 32 * 1_048_576;

/** About how many bytes of memory an event of a type makes documents take, beside its own. */
export type BytesAtHand = (type: string) => number;

/** The types of events for which documents are looked up that take much memory. */
export function bytesAtHand(projections: readonly AnyProjection[]): BytesAtHand {
  const byType = new Map<string, number>();
  for (const { types, largest = 0 } of projections) {
    for (const type of types) byType.set(type, (byType.get(type) ?? 0) + largest);
  }
  return (type) => byType.get(type) ?? 0;
}

/** About how much memory events on their way, and what they change, take. */
export function bytesOf(incoming: readonly Incoming[], atHand: BytesAtHand): number {
  let bytes = 0;
  for (const one of incoming) {
    bytes += atHand(one.type) + ('poison' in one ? 0 : footprint(one.data));
  }
  return bytes;
}

/**
 * Gathers the pages that a subscription hands over into larger batches, without what folds don't need
 * of them: nothing else of a page lives on.
 */
export async function* gathered(
  pages: AsyncIterable<Batch>,
  repeats: Repeats,
  atHand: BytesAtHand,
  now: () => number,
): AsyncGenerator<Gathered> {
  let incoming: Incoming[] = [];
  let bytes = 0;
  for await (const { events, position, caughtUp } of pages) {
    const more = toFold(events, repeats, now);
    incoming.push(...more);
    bytes += bytesOf(more, atHand);
    if (!caughtUp && incoming.length < MOST_EVENTS && bytes < MOST_BYTES) continue;
    yield { incoming, position, bytes, caughtUp };
    incoming = [];
    bytes = 0;
  }
}

/** The events as folds take them, without those that stand in the log twice. */
export function toFold(
  events: readonly RecordedEvent[],
  repeats: Repeats,
  now: () => number,
): readonly Incoming[] {
  return events.filter(({ id }) => !repeats.seen(id)).map((event) => told(event, now));
}

function told(recorded: RecordedEvent, now: () => number): Incoming {
  try {
    const { id, stream, revision, position, type, time, data } = catalog.upcast(recorded);
    // Type and data are those of one event still; a rest pattern would know it, at many times the price.
    return { id, stream, revision, position, type, time, data } as Told;
  } catch (error) {
    const { position, type, stream } = recorded;
    return { poison: park('', stream, recorded, error, now()), type, stream, position };
  }
}

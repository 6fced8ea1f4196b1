import { catalog } from '../events/catalog.js';
import type { Position, RecordedEvent } from '../events/envelope.js';
import type { Batch } from '../events/eventStore.js';
import { park, type Incoming } from './fold.js';
import type { Told } from './projection.js';
import type { Repeats } from './repeats.js';

/** Events on their way into the projections, and how far the log has been looked through for them. */
export interface Gathered {
  readonly incoming: readonly Incoming[];
  readonly position: Position;
  /** Whether there is nothing more for now. */
  readonly caughtUp: boolean;
}

/**
 * The most events folded at once: the more, the more seldom a document is copied; but those that
 * outlive the young generation's collections cost each of them, and then the old one's.
 */
const MOST_EVENTS = 10_000;

/**
 * Gathers the pages that a subscription hands over into larger batches, without what folds don't need
 * of them: nothing else of a page lives on.
 */
export async function* gathered(
  pages: AsyncIterable<Batch>,
  repeats: Repeats,
  now: () => number,
): AsyncGenerator<Gathered> {
  let incoming: Incoming[] = [];
  for await (const { events, position, caughtUp } of pages) {
    incoming.push(...toFold(events, repeats, now));
    if (!caughtUp && incoming.length < MOST_EVENTS) continue;
    yield { incoming, position, caughtUp };
    incoming = [];
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

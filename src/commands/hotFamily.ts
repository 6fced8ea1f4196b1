import { LRUCache } from 'lru-cache';
import type { EventStore } from '../events/eventStore.js';
import type { RecordedEvent } from '../events/envelope.js';
import type { Family } from './decider.js';
import { advance, notYet, type Loaded } from './loaded.js';

/**
 * The states of one family's streams, kept in memory and fresh by the process's own subscription to
 * the log, so that most commands and every permission check read nothing. A state may be behind by
 * what another process has just written: the expected revision of an append catches that, `isCurrent`
 * does where nothing is appended, and `reload` then reads what was missed.
 */
export interface HotFamily<State> extends Family<State> {
  /** The stream's state if it is in memory: what a hot path looks at before it waits for `load`. */
  peek(stream: string): Loaded<State> | undefined;
  /** The stream's state, from memory or else from the log. */
  load(stream: string): Promise<Loaded<State>>;
  /** The stream's state as the log has it now. */
  reload(stream: string): Promise<Loaded<State>>;
  /** Whether the log has nothing of the stream that `loaded` has not. */
  isCurrent(stream: string, loaded: Loaded<State>): Promise<boolean>;
  /** The stream's state as it was at a revision. */
  at(stream: string, revision: number): Promise<Loaded<State>>;
  /** Takes over what an append of this process has made of the stream. */
  keep(stream: string, loaded: Loaded<State>): void;
  /** Takes in an event of this family from the subscription. */
  observe(event: RecordedEvent): void;
  /** Forgets everything: after a gap in the subscription. */
  clear(): void;
}

const ANSWERED_IN_A_KILOBYTE = 4;

/** @param limit how much is kept, in units of about a kilobyte */
export function hotFamily<State>(
  store: EventStore,
  family: Family<State>,
  limit: number,
): HotFamily<State> {
  // Counted by size and not by `max`, for which the cache would set aside all its room at once.
  const hot = new LRUCache<string, Loaded<State>>({
    maxSize: limit,
    sizeCalculation: ({ state, answered }) =>
      (family.weight?.(state) ?? 1) + Math.floor(answered.length / ANSWERED_IN_A_KILOBYTE),
  });
  const loads = new Map<string, Load<State>>();

  async function replay(stream: string, limit: number): Promise<Loaded<State>> {
    return goOn(notYet(family), store.read(stream, { limit }));
  }

  async function goOn(loaded: Loaded<State>, events: AsyncIterable<RecordedEvent>) {
    let after = loaded;
    for await (const event of events) after = advance(family, after, event);
    return after;
  }

  /** Reads what the log has of a stream beyond what is known of it, which is all there is when nothing is. */
  async function fetch(stream: string, known = notYet(family)): Promise<Loaded<State>> {
    const newer = goOn(known, store.read(stream, { from: known.revision + 1 }));
    const load: Load<State> = { stale: false, promise: newer };
    loads.set(stream, load);
    try {
      const loaded = await load.promise;
      // What came by while this was read may be missing from it: good for this caller, not to be kept.
      if (!load.stale && loaded.revision >= 0) hot.set(stream, loaded);
      return loaded;
    } finally {
      if (loads.get(stream) === load) loads.delete(stream);
    }
  }

  function outdate(stream: string) {
    const load = loads.get(stream);
    if (load === undefined) return;
    load.stale = true;
    loads.delete(stream);
  }

  return {
    ...family,
    peek: (stream) => hot.get(stream),
    async load(stream) {
      return hot.get(stream) ?? (await (loads.get(stream)?.promise ?? fetch(stream)));
    },
    reload(stream) {
      const known = hot.peek(stream);
      hot.delete(stream);
      outdate(stream);
      return fetch(stream, known);
    },
    async isCurrent(stream, { revision }) {
      let last = revision;
      for await (const newer of store.read(stream, { from: revision + 1, limit: 1 })) {
        last = newer.revision;
      }
      return last === revision;
    },
    at: (stream, revision) => replay(stream, revision + 1),
    keep(stream, loaded) {
      outdate(stream);
      const known = hot.peek(stream);
      if (known === undefined || known.revision < loaded.revision) hot.set(stream, loaded);
    },
    observe(event) {
      outdate(event.stream);
      const loaded = hot.peek(event.stream);
      if (loaded === undefined || event.revision <= loaded.revision) return;
      if (event.revision === loaded.revision + 1) {
        hot.set(event.stream, advance(family, loaded, event));
      } else {
        hot.delete(event.stream);
      }
    },
    clear() {
      for (const stream of loads.keys()) outdate(stream);
      hot.clear();
    },
  };
}

/**
 * What follows from a stream's state: at once when that is in memory, since a promise for each of
 * the thousands of lines of a batch is much to keep.
 */
export function withState<State, Result>(
  family: HotFamily<State>,
  stream: string,
  then: (state: State) => Result | Promise<Result>,
): Result | Promise<Result> {
  const hot = family.peek(stream);
  return hot === undefined ? family.load(stream).then(({ state }) => then(state)) : then(hot.state);
}

interface Load<State> {
  stale: boolean;
  readonly promise: Promise<Loaded<State>>;
}

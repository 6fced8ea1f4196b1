import { LRUCache } from 'lru-cache';
import { REPEAT_WINDOW } from '../../events/eventStore.js';

/** What the writer remembers of a stream, so that an append costs inserts only. */
export interface StreamState {
  readonly id: number;
  /** The last revision; -1 for a stream without events. */
  revision: number;
  /** The first revision whose id is remembered; they are from there on without a gap. */
  rememberedFrom: number;
  readonly slot: number;
}

export interface StreamCache {
  get(name: string): StreamState | undefined;
  add(name: string, id: number, revision: number): StreamState;
  clear(): void;
  /** Remembers the id of the event at a revision. */
  remember(state: StreamState, revision: number, eventId: string): void;
  /** Revisions of the repeat window that may carry this id, newest first: to be looked up. */
  candidates(state: StreamState, eventId: string): number[];
}

/**
 * The `capacity` streams written last. Of the ids of each stream's last REPEAT_WINDOW events 16 bits
 * are kept, in one array for all streams: 64 bytes a stream, and a false likeness, at one append in two
 * thousand, costs one lookup.
 */
export function createStreamCache(capacity: number): StreamCache {
  // One more than the streams: a new one gets its slot before the oldest gives up its own.
  const prints = new Uint16Array((capacity + 1) * REPEAT_WINDOW);
  const free: number[] = [];
  let unused = 0;
  const streams = new LRUCache<string, StreamState>({
    max: capacity,
    dispose: ({ slot }) => free.push(slot),
  });
  return {
    get: (name) => streams.get(name),
    add(name, id, revision) {
      const slot = free.pop() ?? unused++;
      const state = { id, revision, rememberedFrom: revision + 1, slot };
      streams.set(name, state);
      return state;
    },
    clear: () => streams.clear(),
    remember(state, revision, eventId) {
      prints[state.slot * REPEAT_WINDOW + (revision % REPEAT_WINDOW)] = printOf(eventId);
    },
    candidates(state, eventId) {
      const print = printOf(eventId);
      const found: number[] = [];
      const oldest = Math.max(state.rememberedFrom, windowStart(state));
      const ring = state.slot * REPEAT_WINDOW;
      for (let place = 0; place < REPEAT_WINDOW; place++) {
        if (prints[ring + place] !== print) continue;
        const age = (state.revision + REPEAT_WINDOW - place) % REPEAT_WINDOW;
        if (state.revision - age >= oldest) found.push(state.revision - age);
      }
      return found.sort((a, b) => b - a);
    },
  };
}

/** The oldest revision in which a repeat is looked for. */
export function windowStart({ revision }: StreamState): number {
  return Math.max(0, revision - REPEAT_WINDOW + 1);
}

/** The last digits of a UUID are its most random ones, in version 5 as in version 7. */
function printOf(eventId: string): number {
  return Number.parseInt(eventId.slice(-4), 16);
}

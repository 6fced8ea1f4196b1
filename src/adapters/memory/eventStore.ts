import {
  START,
  type EventMetadata,
  type NewEvent,
  type Position,
  type RecordedEvent,
} from '../../events/envelope.js';
import {
  isAppendFault,
  REPEAT_WINDOW,
  StoreUnavailable,
  WrongRevision,
  type Appended,
  type AppendOutcome,
  type Batch,
  type EventStore,
  type Expected,
  type Filter,
  type Subscribe,
} from '../../events/eventStore.js';
import type { Signals } from '../../projections/signals.js';
import { appendText, type AppendText, type EventText } from '../json/eventText.js';

/** What a memory log holds; several stores may be opened on it, one after another or together. */
export interface MemoryLog {
  readonly all: RecordedEvent[];
  readonly streams: Map<string, RecordedEvent[]>;
  /** Called after each append. */
  readonly watchers: Set<() => void>;
}

export function createMemoryLog(): MemoryLog {
  return { all: [], streams: new Map(), watchers: new Set() };
}

/** Positions are sparse by design here, so that nobody comes to count on the next one. */
const STRIDE = 8;

const positionOf = (index: number): Position => BigInt((index + 1) * STRIDE) as Position;

/** How many events stand at or before a position: the index of the next one. */
const indexAfter = (position: Position): number => Math.floor(Number(position) / STRIDE);

/** A log in this process's memory, for tests and for the whole system run on a driven clock. */
export function openMemoryEventStore({
  log = createMemoryLog(),
  signals,
}: { log?: MemoryLog; signals?: Signals } = {}): EventStore {
  const stopping = new AbortController();
  const head = (): Position => log.all.at(-1)?.position ?? START;

  const requireOpen = (): void => {
    if (stopping.signal.aborted)
      throw new StoreUnavailable('stopped', 'the event store is stopped');
  };

  async function* follow({ from, signal, batchSize = 1_000, ...filter }: Subscribe) {
    let position = from === 'now' ? head() : from;
    let idle = false;
    while (!signal.aborted) {
      requireOpen();
      if (idle && head() <= position) {
        await appended(log, signal, stopping.signal);
        continue;
      }
      const batch = nextBatch(position, filter, batchSize);
      ({ position, caughtUp: idle } = batch);
      yield batch;
    }
  }

  function nextBatch(from: Position, filter: Filter, batchSize: number): Batch {
    const events: RecordedEvent[] = [];
    let index = indexAfter(from);
    for (; index < log.all.length && events.length < batchSize; index++) {
      const event = log.all[index];
      if (event !== undefined && wanted(event, filter)) events.push(event);
    }
    const position = index === 0 ? from : positionOf(index - 1);
    return {
      events,
      position: position > from ? position : from,
      caughtUp: index >= log.all.length,
    };
  }

  function append(stream: string, events: readonly NewEvent[], expected: Expected): Appended {
    requireOpen();
    const answer = write(log, appendText(stream, events, expected));
    signals?.publish({ kind: 'log', position: head() });
    return answer;
  }

  return {
    append: async (...args) => append(...args),

    async appendEach(appends) {
      return appends.map(({ stream, events, expected }) =>
        outcomeOf(() => append(stream, events, expected)),
      );
    },

    async *read(stream, { from, direction = 'forwards', limit = Infinity } = {}) {
      requireOpen();
      const events = log.streams.get(stream) ?? [];
      const chosen =
        direction === 'forwards'
          ? events.slice(from ?? 0)
          : events.slice(0, (from ?? events.length) + 1).reverse();
      yield* chosen.slice(0, limit);
    },

    async *readAll({ from, direction = 'forwards', limit = Infinity, ...filter } = {}) {
      requireOpen();
      const events =
        direction === 'forwards'
          ? log.all.slice(indexAfter(from ?? START))
          : log.all.filter(({ position }) => from === undefined || position < from).reverse();
      yield* events.filter((event) => wanted(event, filter)).slice(0, limit);
    },

    subscribe: follow,

    async head() {
      requireOpen();
      return head();
    },

    async stop() {
      stopping.abort();
    },
  };
}

function outcomeOf(append: () => Appended): AppendOutcome {
  try {
    return append();
  } catch (error) {
    if (isAppendFault(error)) return error;
    throw error;
  }
}

function write(log: MemoryLog, { stream, events, expected }: AppendText): Appended {
  const standing = log.streams.get(stream) ?? [];
  const last = standing.length - 1;
  const believed = expected === 'any' ? last : expected === 'none' ? -1 : expected;
  const repeat =
    expected === 'any'
      ? repeatedRecently(standing, events)
      : repeatedAt(standing, believed + 1, events);
  if (repeat !== undefined) return repeat;
  if (believed !== last) throw new WrongRevision(stream, expected, last < 0 ? undefined : last);

  for (const [id, type, time, data, metadata] of events) {
    const event: RecordedEvent = {
      id,
      stream,
      revision: standing.length,
      position: positionOf(log.all.length),
      type,
      time,
      data: JSON.parse(data),
      metadata: JSON.parse(metadata) as EventMetadata,
    };
    standing.push(event);
    log.all.push(event);
  }
  log.streams.set(stream, standing);
  for (const watcher of [...log.watchers]) watcher();
  return { revision: standing.length - 1, position: positionOf(log.all.length - 1) };
}

function repeatedRecently(
  standing: readonly RecordedEvent[],
  events: readonly EventText[],
): Appended | undefined {
  const lastId = events.at(-1)?.[0];
  const found = standing.slice(-REPEAT_WINDOW).findLast(({ id }) => id === lastId);
  return found && repeatedAt(standing, found.revision - events.length + 1, events);
}

function repeatedAt(
  standing: readonly RecordedEvent[],
  first: number,
  events: readonly EventText[],
): Appended | undefined {
  const last = standing[first + events.length - 1];
  const same = events.every(([id], index) => standing[first + index]?.id === id);
  return same && last ? { revision: last.revision, position: last.position } : undefined;
}

function wanted({ type, stream }: RecordedEvent, { types, streams }: Filter): boolean {
  return (
    (types === undefined || types.includes(type)) &&
    (streams === undefined || streams.some((prefix) => stream.startsWith(prefix)))
  );
}

/** Resolves at the next append, or when one of the signals aborts. */
function appended(log: MemoryLog, ...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      log.watchers.delete(done);
      for (const signal of signals) signal.removeEventListener('abort', done);
      resolve();
    };
    log.watchers.add(done);
    for (const signal of signals) signal.addEventListener('abort', done);
    if (signals.some(({ aborted }) => aborted)) done();
  });
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { START, type Position, type RecordedEvent } from '../../events/envelope.js';
import type { EventStore, Filter } from '../../events/eventStore.js';
import type { LogReader } from './logReader.js';

/** Events that are read in one go: a few milliseconds of the calling thread. */
export const PAGE_EVENTS = 500;

/**
 * Rows that a filter looks at in one go. Positions of this log are dense, so a stretch of positions
 * bounds the rows.
 */
export const SCAN_ROWS = 5_000n;

/** The port's reads, page by page. Between two pages the thread's other work gets its turn. */
export function readsOf(reader: LogReader): Pick<EventStore, 'read' | 'readAll'> {
  return {
    async *read(stream, { from, direction = 'forwards', limit = Infinity } = {}) {
      const step = direction === 'forwards' ? 1 : -1;
      let next = from ?? (direction === 'forwards' ? 0 : Infinity);
      let left = limit;
      while (left > 0) {
        const asked = Math.min(PAGE_EVENTS, left);
        const { events, isFull } = reader.streamPage(stream, next, direction, asked);
        yield* events;
        left -= events.length;
        const last = events.at(-1);
        if (last === undefined || !isFull) return;
        next = last.revision + step;
        await nextTurn();
      }
    },

    readAll({ from, direction = 'forwards', limit = Infinity, ...filter } = {}) {
      return direction === 'forwards'
        ? forwards(reader, filter, from ?? START, limit)
        : backwards(reader, filter, from, limit);
    },
  };
}

/** Ends at the log's end as it was when reading began: otherwise a busy log would never end. */
async function* forwards(
  reader: LogReader,
  filter: Filter,
  from: Position,
  limit: number,
): AsyncGenerator<RecordedEvent> {
  const end = reader.head();
  const scan = reader.scan(filter, 'forwards');
  let after = from;
  let left = limit;
  while (after < end && left > 0) {
    const upTo = earlier(end, (after + SCAN_ROWS) as Position);
    const { events, isFull } = scan({ after, upTo, limit: Math.min(PAGE_EVENTS, left) });
    yield* events;
    left -= events.length;
    after = isFull ? (events.at(-1)?.position ?? upTo) : upTo;
    await nextTurn();
  }
}

async function* backwards(
  reader: LogReader,
  filter: Filter,
  from: Position | undefined,
  limit: number,
): AsyncGenerator<RecordedEvent> {
  const scan = reader.scan(filter, 'backwards');
  const head = reader.head();
  let upTo = from === undefined ? head : earlier(head, (from - 1n) as Position);
  let left = limit;
  while (upTo > START && left > 0) {
    const after = (upTo > SCAN_ROWS ? upTo - SCAN_ROWS : START) as Position;
    const { events, isFull } = scan({ after, upTo, limit: Math.min(PAGE_EVENTS, left) });
    yield* events;
    left -= events.length;
    const last = events.at(-1);
    upTo = isFull && last ? ((last.position - 1n) as Position) : after;
    await nextTurn();
  }
}

export function earlier(a: Position, b: Position): Position {
  return a < b ? a : b;
}

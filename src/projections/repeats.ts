import type { Position } from '../events/envelope.js';
import type { EventStore } from '../events/eventStore.js';

/**
 * How many last events of the log are remembered by id, at least. A store may hold an event twice when an
 * append with `any` was repeated after its answer was lost; the repeat comes within seconds.
 */
export const REPEATS_REMEMBERED = 16_384;

/** Tells an event that stands twice in the log, by the ids of the last events before it. */
export interface Repeats {
  /** Whether the id is among the last events; remembers it if it isn't. */
  seen(id: string): boolean;
}

/** Remembers what stands before `position`, so that a restart folds as an uninterrupted run would. */
export async function repeatsBefore(
  log: Pick<EventStore, 'readAll'>,
  position: Position,
  types: readonly string[],
): Promise<Repeats> {
  const last: string[] = [];
  const limit = REPEATS_REMEMBERED;
  for await (const { id } of log.readAll({
    from: later1(position),
    direction: 'backwards',
    limit,
    types,
  })) {
    last.push(id);
  }
  // Of two sets the older is dropped as a whole when the younger is full: to drop ids one by one
  // costs a set more than to look in two.
  let older = new Set<string>();
  let younger = new Set(last.reverse());
  return {
    seen(id) {
      if (younger.has(id) || older.has(id)) return true;
      if (younger.size >= REPEATS_REMEMBERED) {
        older = younger;
        younger = new Set();
      }
      younger.add(id);
      return false;
    },
  };
}

/** Reading backwards leaves out where it starts: one further takes `position` itself in. */
function later1(position: Position): Position {
  return (position + 1n) as Position;
}

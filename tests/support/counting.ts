import type { Position } from '../../src/events/envelope.js';
import type { Doc, Generation, ReadModelStore, Write } from '../../src/projections/readModels.js';

/**
 * The smallest projection that shows an event lost or folded twice: each event adds its position to
 * the sum of one of a few documents, and now and then one removes it.
 */
export const COUNTING = { name: 'counting', indexes: [{ fields: ['last'] }] };

const KEYS = 11;

const keyOf = (position: number) => `k${position % KEYS}`;
const removes = (position: number) => position % 17 === 0;

function folded(doc: Doc | undefined, position: number): Doc | null {
  if (removes(position)) return null;
  return { id: keyOf(position), sum: Number(doc?.sum ?? 0) + position, last: position };
}

/** What a clean fold of the events 1 to `upTo` leaves. */
export function replayed(upTo: number): ReadonlyMap<string, Doc> {
  const documents = new Map<string, Doc>();
  for (let position = 1; position <= upTo; position++) {
    const after = folded(documents.get(keyOf(position)), position);
    if (after === null) documents.delete(keyOf(position));
    else documents.set(keyOf(position), after);
  }
  return documents;
}

export const COUNTING_KEYS = Array.from({ length: KEYS }, (_, index) => `k${index}`);

/**
 * Folds the next events after `from`, at most `many` of them and none after `upTo`, as the runner does: what is
 * at or past an event's position is left alone.
 * @returns the new checkpoint
 */
export async function foldSome(
  store: ReadModelStore,
  generation: Generation,
  from: Position,
  many: number,
  upTo: number,
): Promise<Position> {
  const first = Number(from) + 1;
  const last = Math.min(Number(from) + many, upTo);
  const positions = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const before = await store.load(generation, [...new Set(positions.map(keyOf))]);
  const documents = new Map(before);
  const writes = new Map<string, Write>();
  for (const at of positions) {
    const key = keyOf(at);
    const position = BigInt(at) as Position;
    const known = documents.get(key);
    if (known !== undefined && known.position >= position) continue;
    const doc = folded(known?.doc, at);
    writes.set(key, { key, doc, position });
    if (doc === null) documents.delete(key);
    else documents.set(key, { doc, position });
  }
  const checkpoint = BigInt(last) as Position;
  await store.commit([{ generation, writes: [...writes.values()], parked: [], checkpoint }]);
  return checkpoint;
}

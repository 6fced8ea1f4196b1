import { LRUCache } from 'lru-cache';
import { later, type Position } from '../events/envelope.js';
import type { Lease } from './leases.js';
import type { AnyProjection, Told } from './projection.js';
import type {
  Doc,
  Generation,
  Parked,
  ProjectionBatch,
  ReadModelStore,
  Shard,
  Write,
} from './readModels.js';
import { shardOf } from './shards.js';
import type { Projected } from './signals.js';

/** How many documents of one projection stay in memory between batches. */
const HOT_DOCUMENTS = 5_000;

/** An event on its way into the projections: its data in today's shape, or why that could not be. */
export type Incoming = Told | Poison;

export interface Poison {
  readonly poison: Parked;
  readonly type: string;
  readonly stream: string;
  readonly position: Position;
}

/** One generation being folded: what it needs to remember from batch to batch. */
export interface Fold {
  readonly projection: AnyProjection;
  readonly generation: Generation;
  /** How far it has come in the store. */
  checkpoint(): Position;
  /** Whether queries see it. */
  live(): boolean;
  /** Queries see it from now on. */
  activated(): void;
  /** Folds events in memory, on top of what waits to be written. */
  fold(incoming: readonly Incoming[], upTo: Position): Promise<void>;
  /** How much waits to be written. */
  waiting(): { readonly events: number; readonly documents: number };
  /** All that waits to be written. */
  batch(): ProjectionBatch;
  /** Takes over a batch, once the store has it; says what that changes for readers. */
  settle(batch: ProjectionBatch): Projected;
}

/** What a fold is folded by. */
export interface FoldGiven {
  readonly now: () => number;
  /** The keys that it folds. */
  readonly shard: Shard;
  /** What its batches are written under: that of the tenure that it was opened in, never a later one. */
  readonly lease?: Lease | undefined;
}

/** Opens a shard of a generation for folding, from where the store says that it is. */
export async function openFold(
  store: ReadModelStore,
  projection: AnyProjection,
  { now, shard, lease }: FoldGiven,
): Promise<Fold> {
  const { name, version, collection } = projection;
  const generation = await store.open(name, version, collection, shard);
  const types = new Set(projection.types);
  const hot = new LRUCache<string, Working>({ max: HOT_DOCUMENTS });
  /** Keys of documents, and names of streams where no key could be told; the two never look alike. */
  const held = new Set(await store.parkedKeys(generation));
  let { checkpoint, live } = generation;
  /** How far it has come in memory; and since the checkpoint, over how many events, and what they made. */
  let folded = checkpoint;
  let foldedEvents = 0;
  const changed = new Map<string, Changed>();
  const poison: Parked[] = [];

  /** The events by the documents that they change, in order. */
  function byKey(incoming: readonly Incoming[]): Map<string, Told[]> {
    const changes = new Map<string, Told[]>();
    const add = (key: string, event: Told) => {
      if (shardOf(key, shard.of) !== shard.index || (held.size > 0 && held.has(key))) return;
      const known = changes.get(key);
      if (known === undefined) changes.set(key, [event]);
      else known.push(event);
    };
    for (const one of incoming) {
      if (one.position <= folded || !types.has(one.type)) continue;
      foldedEvents += 1;
      // Where it can't be told which documents an event changes, the rest of its stream waits behind it.
      if (held.size > 0 && held.has(one.stream)) continue;
      if ('poison' in one) {
        held.add(one.stream);
        poison.push({ ...one.poison, projection: name });
        continue;
      }
      const keys = keysOf(one);
      if (typeof keys === 'string') add(keys, one);
      else for (const key of keys) add(key, one);
    }
    return changes;
  }

  function keysOf(event: Told): string | readonly string[] {
    try {
      return projection.keys(event);
    } catch (error) {
      held.add(event.stream);
      poison.push(park(name, event.stream, event, error, now()));
      return [];
    }
  }

  /** What becomes of one document; where an event can't be folded, what came before it counts. */
  function foldAll(known: Working, key: string, events: readonly Told[]): Working {
    const { position } = known;
    const fresh =
      position === undefined ? events : events.filter((event) => event.position > position);
    try {
      return after(known, fresh, projection.fold(known.doc, fresh, key));
    } catch {
      return foldOneByOne(known, key, fresh);
    }
  }

  function foldOneByOne(known: Working, key: string, events: readonly Told[]): Working {
    let working = known;
    for (const event of events) {
      try {
        working = after(working, [event], projection.fold(working.doc, [event], key));
      } catch (error) {
        // The same data folds the same way each time: trying again at once would change nothing.
        held.add(key);
        poison.push(park(name, key, event, error, now()));
        break;
      }
    }
    return working;
  }

  async function load(keys: Iterable<string>): Promise<Map<string, Working>> {
    const working = new Map<string, Working>();
    const missing: string[] = [];
    for (const key of keys) {
      const known = changed.get(key) ?? hot.get(key);
      if (known === undefined) missing.push(key);
      else working.set(key, known);
    }
    if (missing.length > 0) {
      const stored = await store.load(generation, missing);
      for (const key of missing) working.set(key, stored.get(key) ?? ABSENT);
    }
    return working;
  }

  return {
    projection,
    generation,
    checkpoint: () => checkpoint,
    live: () => live,
    activated() {
      live = true;
    },
    async fold(incoming, upTo) {
      const byDocument = byKey(incoming);
      const before = await load(byDocument.keys());
      for (const [key, events] of byDocument) {
        const known = before.get(key) ?? ABSENT;
        const { doc, position } = foldAll(known, key, events);
        if (position === undefined || position === known.position) continue;
        const earlier = changed.get(key);
        const stored = earlier === undefined ? known.doc : earlier.stored;
        changed.set(key, { doc, position, stored });
      }
      folded = later(upTo, folded);
    },
    waiting: () => ({ events: foldedEvents, documents: changed.size }),
    batch() {
      const writes: Write[] = [];
      for (const [key, { doc, position, stored }] of changed) {
        writes.push({ key, doc: doc ?? null, position, ...(stored && { before: stored }) });
      }
      return {
        generation,
        writes,
        parked: [...poison],
        checkpoint: folded,
        ...(lease && { lease }),
      };
    },
    settle(batch) {
      for (const [key, { doc, position }] of changed) hot.set(key, { doc, position });
      changed.clear();
      poison.length = 0;
      foldedEvents = 0;
      const from = checkpoint;
      checkpoint = batch.checkpoint;
      return { name, shard: generation.shard, from, tags: tagsOf(projection, batch.writes) };
    },
  };
}

interface Working {
  readonly doc?: Doc | undefined;
  readonly position?: Position;
}

const ABSENT: Working = {};

/** A document that waits to be written. */
interface Changed {
  readonly doc: Doc | undefined;
  readonly position: Position;
  /** What the store has in its place. */
  readonly stored: Doc | undefined;
}

/** More than that is as good as everything. */
const MOST_TAGS = 300;

function tagsOf(projection: AnyProjection, writes: readonly Write[]): Projected['tags'] {
  const tags = new Set<string>();
  for (const { key, doc, before } of writes) {
    if (doc !== null) for (const tag of projection.tags(key, doc)) tags.add(tag);
    if (before !== undefined) for (const tag of projection.tags(key, before)) tags.add(tag);
    if (tags.size > MOST_TAGS) return 'all';
  }
  return [...tags];
}

/** What is known of a document after events that made it `doc`. */
function after(before: Working, events: readonly Told[], doc: Doc | undefined): Working {
  const last = events.at(-1);
  return last === undefined || doc === before.doc ? before : { doc, position: last.position };
}

/** The record of an event that could not be folded into the document of `key`. */
export function park(
  projection: string,
  key: string,
  event: { readonly id: string; readonly type: string; readonly position: Position },
  error: unknown,
  parkedAt: number,
): Parked {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const { id: eventId, type: eventType, position } = event;
  return { projection, key, position, eventId, eventType, error: reason.slice(0, 1_000), parkedAt };
}

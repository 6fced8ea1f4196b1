import { LRUCache } from 'lru-cache';
import { later, type Position } from '../events/envelope.js';
import type { Recorded } from '../events/catalog.js';
import type { Lease } from './leases.js';
import type { AnyProjection } from './projection.js';
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
export type Incoming =
  | { readonly event: Recorded; readonly position: Position }
  | {
      readonly poison: Parked;
      readonly type: string;
      readonly stream: string;
      readonly position: Position;
    };

/** One generation being folded: what it needs to remember from batch to batch. */
export interface Fold {
  readonly projection: AnyProjection;
  readonly generation: Generation;
  /** How far it has come, in the store as in memory. */
  checkpoint(): Position;
  /** Whether queries see it. */
  live(): boolean;
  /** Queries see it from now on. */
  activated(): void;
  /** Folds a batch in memory; nothing is changed until `settle`. */
  fold(incoming: readonly Incoming[], upTo: Position): Promise<ProjectionBatch>;
  /** Takes over what was folded, once the store has it; says what that changes for readers. */
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

  /** The batch's events by the documents that they change, in order. */
  function byKey(incoming: readonly Incoming[]) {
    const changes = new Map<string, Recorded[]>();
    const poison: Parked[] = [];
    for (const one of incoming) {
      if (one.position <= checkpoint) continue;
      const { type, stream } = 'poison' in one ? one : one.event;
      // Where it can't be told which documents an event changes, the rest of its stream waits behind it.
      if (!types.has(type) || held.has(stream)) continue;
      if ('poison' in one) {
        held.add(stream);
        poison.push({ ...one.poison, projection: name });
        continue;
      }
      for (const key of keysOf(one.event, poison)) {
        if (shardOf(key, shard.of) !== shard.index) continue;
        const events = changes.get(key);
        if (events === undefined) changes.set(key, [one.event]);
        else events.push(one.event);
      }
    }
    return { changes, poison };
  }

  function keysOf(event: Recorded, poison: Parked[]): readonly string[] {
    try {
      return projection.keys(event);
    } catch (error) {
      held.add(event.stream);
      poison.push(park(name, event.stream, event, error, now()));
      return [];
    }
  }

  /** What becomes of one document; where an event can't be folded, what came before it counts. */
  function foldAll(known: Working, key: string, events: readonly Recorded[], poison: Parked[]) {
    const { position } = known;
    const fresh =
      position === undefined ? events : events.filter((event) => event.position > position);
    try {
      return after(known, fresh, projection.fold(known.doc, fresh, key));
    } catch {
      return foldOneByOne(known, key, fresh, poison);
    }
  }

  function foldOneByOne(
    known: Working,
    key: string,
    events: readonly Recorded[],
    poison: Parked[],
  ): Working {
    let folded = known;
    for (const event of events) {
      try {
        folded = after(folded, [event], projection.fold(folded.doc, [event], key));
      } catch (error) {
        // The same data folds the same way each time: trying again at once would change nothing.
        held.add(key);
        poison.push(park(name, key, event, error, now()));
        break;
      }
    }
    return folded;
  }

  async function load(keys: Iterable<string>): Promise<Map<string, Working>> {
    const working = new Map<string, Working>();
    const missing: string[] = [];
    for (const key of keys) {
      const known = hot.get(key);
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
      const { changes, poison } = byKey(incoming);
      for (const key of changes.keys()) if (held.has(key)) changes.delete(key);
      const before = await load(changes.keys());
      const writes: Write[] = [];
      for (const [key, events] of changes) {
        const known = before.get(key) ?? ABSENT;
        const { doc, position } = foldAll(known, key, events, poison);
        if (position === undefined || position === known.position) continue;
        writes.push({ key, doc: doc ?? null, position, ...(known.doc && { before: known.doc }) });
      }
      return {
        generation,
        writes,
        parked: poison,
        checkpoint: later(upTo, checkpoint),
        ...(lease && { lease }),
      };
    },
    settle(batch) {
      for (const { key, doc, position } of batch.writes) {
        hot.set(key, { doc: doc ?? undefined, position });
      }
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
function after(before: Working, events: readonly Recorded[], doc: Doc | undefined): Working {
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

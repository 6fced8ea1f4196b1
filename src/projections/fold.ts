import { later, type Position } from '../events/envelope.js';
import type { Lease } from './leases.js';
import type { AnyProjection, Told } from './projection.js';
import { recent } from './recent.js';
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

/** How many documents of one projection stay in memory between batches, at least. */
const HOT_DOCUMENTS = 2_500;
/** Of documents that take much memory fewer stay. */
const HOT_BYTES = 32 * 1_048_576;

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
  /**
   * Folds events in memory, on top of what waits to be written.
   * @param bytes about how much memory they and what they change take
   */
  fold(incoming: readonly Incoming[], upTo: Position, bytes: number): Promise<void>;
  /** How much waits to be written. */
  waiting(): { readonly events: number; readonly documents: number; readonly bytes: number };
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
  const hot = recent<Working>(hotDocuments(projection));
  /** Keys of documents, and names of streams where no key could be told; the two never look alike. */
  const held = new Set(await store.parkedKeys(generation));
  let { checkpoint, live } = generation;
  /** How far it has come in memory; and since the checkpoint, over how many events, and what they changed. */
  let folded = checkpoint;
  let foldedEvents = 0;
  let foldedBytes = 0;
  const changed = new Map<string, Working>();
  const poison: Parked[] = [];

  /** Hands each event to the documents that it changes, and answers these. */
  async function handOut(incoming: readonly Incoming[]): Promise<readonly Working[]> {
    const touched: Working[] = [];
    const missing = new Map<string, Working>();
    const hand = (key: string, event: Told) => {
      if (shardOf(key, shard.of) !== shard.index || (held.size > 0 && held.has(key))) return;
      // Nothing is let go of meanwhile: a document at hand twice would lose events.
      let working = hot.get(key) ?? changed.get(key) ?? missing.get(key);
      if (working === undefined) missing.set(key, (working = unknown(key)));
      if (working.events === undefined) {
        working.events = [event];
        touched.push(working);
      } else working.events.push(event);
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
      if (typeof keys === 'string') hand(keys, one);
      else for (const key of keys) hand(key, one);
    }
    if (missing.size > 0) await load(missing);
    return touched;
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

  async function load(missing: ReadonlyMap<string, Working>): Promise<void> {
    const found = await store.load(generation, [...missing.keys()]);
    for (const [key, working] of missing) {
      const { doc, position } = found.get(key) ?? {};
      working.doc = doc;
      working.stored = doc;
      working.position = position;
      hot.set(key, working);
    }
  }

  /** Folds into a document the events that it was handed; where one can't be folded, what came before it counts. */
  function foldInto(working: Working): void {
    const { key, events = [], doc, position } = working;
    working.events = undefined;
    const fresh = after(position, events);
    try {
      become(working, fresh, projection.fold(doc, fresh, key));
    } catch {
      foldOneByOne(working, fresh);
    }
  }

  function foldOneByOne(working: Working, events: readonly Told[]): void {
    const { key } = working;
    for (const event of events) {
      try {
        become(working, [event], projection.fold(working.doc, [event], key));
      } catch (error) {
        // The same data folds the same way each time: trying again at once would change nothing.
        held.add(key);
        poison.push(park(name, key, event, error, now()));
        break;
      }
    }
  }

  /** Events have made `doc` of a document. */
  function become(working: Working, events: readonly Told[], doc: Doc | undefined): void {
    const last = events.at(-1);
    if (last === undefined || doc === working.doc) return;
    working.doc = doc;
    working.position = last.position;
    if (working.isChanged) return;
    working.isChanged = true;
    changed.set(working.key, working);
  }

  return {
    projection,
    generation,
    checkpoint: () => checkpoint,
    live: () => live,
    activated() {
      live = true;
    },
    async fold(incoming, upTo, bytes) {
      foldedBytes += bytes;
      for (const working of await handOut(incoming)) foldInto(working);
      folded = later(upTo, folded);
    },
    waiting: () => ({ events: foldedEvents, documents: changed.size, bytes: foldedBytes }),
    batch() {
      const writes: Write[] = [];
      for (const { key, doc, position = folded, stored } of changed.values()) {
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
      for (const working of changed.values()) {
        working.stored = working.doc;
        working.isChanged = false;
        hot.set(working.key, working);
      }
      changed.clear();
      poison.length = 0;
      foldedEvents = 0;
      foldedBytes = 0;
      const from = checkpoint;
      checkpoint = batch.checkpoint;
      return { name, shard: generation.shard, from, tags: tagsOf(projection, batch.writes) };
    },
  };
}

/** A document at hand. There are thousands a second, so each is one object for as long as it stays at hand. */
interface Working {
  readonly key: string;
  doc: Doc | undefined;
  /** Of the last event folded into it; undefined when there was none. */
  position: Position | undefined;
  /** What the store has in its place. */
  stored: Doc | undefined;
  /** Whether it waits to be written. */
  isChanged: boolean;
  /** What is about to be folded into it. */
  events: Told[] | undefined;
}

function unknown(key: string): Working {
  return {
    key,
    doc: undefined,
    position: undefined,
    stored: undefined,
    isChanged: false,
    events: undefined,
  };
}

function hotDocuments({ largest, unchanging }: AnyProjection): number {
  if (unchanging === true) return 0;
  return largest === undefined ? HOT_DOCUMENTS : Math.ceil(HOT_BYTES / largest);
}

/** The events past a position, of events in order. */
function after(position: Position | undefined, events: readonly Told[]): readonly Told[] {
  const [first] = events;
  if (position === undefined || first === undefined || first.position > position) return events;
  return events.filter((event) => event.position > position);
}

/** More than that is as good as everything. */
const MOST_TAGS = 300;

function tagsOf(projection: AnyProjection, writes: readonly Write[]): Projected['tags'] {
  const tags = new Set<string>();
  let last: readonly string[] | undefined;
  const add = (these: readonly string[]) => {
    if (these === last) return;
    last = these;
    for (const tag of these) tags.add(tag);
  };
  for (const { key, doc, before } of writes) {
    if (doc !== null) add(projection.tags(key, doc));
    if (before !== undefined) add(projection.tags(key, before));
    if (tags.size > MOST_TAGS) return 'all';
  }
  return [...tags];
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

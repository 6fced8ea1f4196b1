import type { Position } from '../events/envelope.js';
import type { Lease, Leases } from './leases.js';

/** A document of a read model: plain JSON. */
export type Doc = Readonly<Record<string, unknown>>;

/**
 * An index: equality fields first, then the one sorted by. A field whose values are arrays (tags)
 * is indexed by element; it must stand alone in its index, be in no other, and hold an array in
 * every document that has it. Field names are letters, digits and underscores, at most 63.
 */
export interface Index {
  readonly fields: readonly string[];
}

/** What a projection wants kept. Only fields named in an index can be searched or sorted by. */
export interface Collection {
  readonly name: string;
  readonly indexes: readonly Index[];
}

/**
 * A condition on one field. It is met only by values of its own type: numbers compare by value,
 * text by code point (the order of its UTF-8 bytes, which every store has; not that of `<`). A
 * missing field meets nothing, and so does one that holds anything but text, a number or a boolean.
 * A lone surrogate in text or in a key counts as U+FFFD.
 */
export type Condition =
  | { readonly eq: string | number | boolean }
  /** At most 1,000 values. */
  | { readonly in: readonly (string | number)[] }
  | { readonly prefix: string }
  | {
      readonly gt?: string | number;
      readonly gte?: string | number;
      readonly lt?: string | number;
      readonly lte?: string | number;
    };

/**
 * Field name → condition; all must hold. On an array field a condition holds when one element meets
 * all of it.
 */
export type Where = Readonly<Record<string, Condition>>;

export interface Find {
  readonly where: Where;
  /**
   * Ascending, documents without the field come first, then numbers, text by code point, false and
   * true. Ties are broken by key in the same direction, so that every order is total. Without it:
   * by key. Not for a field that holds arrays.
   */
  readonly sort?: { readonly field: string; readonly direction: 'asc' | 'desc' };
  /** `nextCursor` of the page before, for the same `where` and `sort`; `limit` may differ. */
  readonly cursor?: string;
  /** Documents to pass over, for paging by number; not together with `cursor`. */
  readonly skip?: number;
  readonly limit: number;
}

export interface Page<D extends Doc = Doc> {
  readonly items: readonly D[];
  /** Opaque; null at the end. */
  readonly nextCursor: string | null;
}

/** A document with the position of the last event folded into it. */
export interface Stored<D extends Doc = Doc> {
  readonly doc: D;
  readonly position: Position;
}

/**
 * What queries see: always the live generation of a collection. One that no projection has opened
 * yet is empty. Documents of one answer are of one moment where the store can do that.
 * @throws StoreUnavailable
 */
export interface ReadModels {
  get<D extends Doc>(collection: string, key: string): Promise<D | undefined>;
  getMany<D extends Doc>(
    collection: string,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, D>>;
  /** @throws InvalidCursor for a cursor that it did not give out; a field that has no index is a programming error. */
  find<D extends Doc>(collection: string, find: Find): Promise<Page<D>>;
  count(collection: string, where: Where): Promise<number>;
  /** How far all shards of a projection's live generation have come, START if it never ran. */
  checkpoint(projection: string): Promise<Position>;
  /** How many events the live generation of a projection could not fold. */
  parkedCount(projection: string): Promise<number>;
  stop(): Promise<void>;
}

/** A share of a projection's keys, folded by itself with a checkpoint of its own. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  /** How many shards there are. */
  readonly of: number;
}

/** All keys. */
export const WHOLE: Shard = { index: 0, of: 1 };

/**
 * One fold of one projection: a collection of its own, which all of its shards share, how far this
 * shard of it has come, and whether queries see it.
 */
export interface Generation {
  readonly projection: string;
  /** The version of the projection's folds that fills it. */
  readonly version: number;
  /** 1, 2, 3 …: each a collection of its own. */
  readonly number: number;
  readonly shard: Shard;
  readonly live: boolean;
  /** The shard's own. */
  readonly checkpoint: Position;
}

export interface Write {
  readonly key: string;
  /** null removes the document. */
  readonly doc: Doc | null;
  /** The position of the last event folded into it. */
  readonly position: Position;
  /**
   * What the document was before, if it was known: an adapter may write less because of it. It must
   * be what `load` gave or what was last committed since the generation was opened.
   */
  readonly before?: Doc;
}

/**
 * An event that a projection could not fold. The later events of its key wait behind it: they are
 * not listed, since the log has them.
 */
export interface Parked {
  readonly projection: string;
  readonly key: string;
  readonly position: Position;
  readonly eventId: string;
  readonly eventType: string;
  /** Why it could not be folded. */
  readonly error: string;
  /** Milliseconds since the epoch. */
  readonly parkedAt: number;
}

/** What one batch does to one generation: written together with its checkpoint. */
export interface ProjectionBatch {
  readonly generation: Generation;
  readonly writes: readonly Write[];
  readonly parked: readonly Parked[];
  readonly checkpoint: Position;
  /** The lease that it was folded under: the batch is refused once the lease has passed on. */
  readonly lease?: Lease;
}

/**
 * What the runner sees, and nobody else: the side that writes.
 * @throws StoreUnavailable (a failed commit may be repeated unchanged), GenerationDropped, LeaseLost
 */
export interface ReadModelStore {
  readonly leases: Leases;
  /**
   * The generation that a projection's folds of `version` fill, made if there is none. A projection
   * that never ran gets a live one; one whose live generation has another version gets a new one
   * beside it, which `activate` puts in its place; one that was begun is gone on with. Indexes are
   * made here: an index over fields that another index named already is added to what there is, one
   * over other fields is a reason for a new generation as a new version is.
   *
   * A shard goes on from its own checkpoint. Opened in another number of shards than before, the
   * generation is shared out anew: each new shard goes on from the least checkpoint of the old
   * ones, and whoever still holds one of those is told GenerationDropped. All who fold a projection
   * at one time must agree on the number.
   * @param shard WHOLE unless given
   * @throws Error when another projection fills the collection: a programming error
   */
  open(
    projection: string,
    version: number,
    collection: Collection,
    shard?: Shard,
  ): Promise<Generation>;
  load(generation: Generation, keys: readonly string[]): Promise<ReadonlyMap<string, Stored>>;
  /**
   * Writes all batches with their checkpoints: in one transaction where the store has one. A document
   * at or past a write's position is left as it is. A removed document has no position left to
   * guard it, so a batch whose checkpoint lies before its shard's is left out: it was written
   * before. Where the lease of one batch has passed to another, nothing of any batch counts: without
   * transactions some documents may be written, but only as the new holder would write them.
   */
  commit(batches: readonly ProjectionBatch[]): Promise<void>;
  /**
   * The keys of a projection that have a parked event at or before its shard's checkpoint, whichever
   * shard parked it: a shard that is not there yet has what lies before it still to fold.
   */
  parkedKeys(generation: Generation): Promise<ReadonlySet<string>>;
  /** What the live generation has parked, in order of position, then key. An event is parked once a key. */
  parked(projection: string): Promise<readonly Parked[]>;
  /**
   * Says that this shard of a generation is ready to be seen. Once all of its shards are, it becomes
   * the one that queries see, in one write, and the projection's others are dropped.
   * @returns whether queries see it
   */
  activate(generation: Generation): Promise<boolean>;
  /**
   * Forgets every generation: what it was folded from is not the log that is there. Each projection
   * gets an empty live one in their place, under a new number, so that a writer that still holds an
   * old one is told GenerationDropped and never writes into the new.
   */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** A cursor that this store did not give out, or one for another question. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor';
}

/**
 * The generation was dropped, because another one was activated, or is no longer shared out in so
 * many shards: open the projection again.
 */
export class GenerationDropped extends Error {
  override readonly name = 'GenerationDropped';
}

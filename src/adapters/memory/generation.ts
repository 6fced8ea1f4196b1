import { toUSVString } from 'node:util';
import { START, type Position } from '../../events/envelope.js';
import { StoreUnavailable } from '../../events/eventStore.js';
import type {
  Doc,
  Generation,
  Parked,
  Shard,
  Stored,
  Write,
} from '../../projections/readModels.js';
import type { Definition } from '../documents/definition.js';

/** How far one shard has come. */
interface Progress {
  checkpoint: Position;
  /** Whether `activate` was called for it. */
  ready: boolean;
}

/** One generation as it lies in memory. */
export class MemoryGeneration {
  readonly documents = new Map<string, Stored>();
  readonly parked = new Map<string, Parked>();
  /** By the shard's index. */
  shards: readonly Progress[] = [];
  live: boolean;

  constructor(
    readonly projection: string,
    readonly version: number,
    readonly number: number,
    public definition: Definition,
    live: boolean,
  ) {
    this.live = live;
  }

  /** Goes on in so many shards, each from where the one that is furthest behind was. */
  share(of: number): void {
    if (this.shards.length === of) return;
    const checkpoint = this.checkpoint();
    this.shards = Array.from({ length: of }, () => ({ checkpoint, ready: false }));
  }

  /** Undefined when it is no longer shared out in so many. */
  progress({ index, of }: Shard): Progress | undefined {
    return this.shards.length === of ? this.shards[index] : undefined;
  }

  /** Where the shard is that is furthest behind. */
  checkpoint(): Position {
    const [first = START, ...rest] = this.shards.map(({ checkpoint }) => checkpoint);
    return rest.reduce((least, one) => (one < least ? one : least), first);
  }

  snapshot(shard: Shard): Generation {
    const { projection, version, number, live } = this;
    const checkpoint = this.progress(shard)?.checkpoint ?? START;
    return { projection, version, number, shard, live, checkpoint };
  }

  get(key: string): Stored | undefined {
    return this.documents.get(toUSVString(key));
  }

  write({ key: given, doc, position }: Write): void {
    const key = toUSVString(given);
    const stored = this.documents.get(key);
    if (stored !== undefined && stored.position >= position) return;
    if (doc === null) this.documents.delete(key);
    else this.documents.set(key, { doc: frozenCopy(doc), position });
  }

  park(event: Parked): void {
    const id = JSON.stringify([event.key, event.position.toString()]);
    if (!this.parked.has(id)) this.parked.set(id, { ...event, projection: this.projection });
  }
}

/** A copy through JSON, as a store on disk makes it, that nobody can change. */
function frozenCopy(doc: Doc): Doc {
  return JSON.parse(JSON.stringify(doc), (_key, value: unknown) => Object.freeze(value)) as Doc;
}

/** The values that there are, by key. */
export function present<V>(
  keys: readonly string[],
  get: (key: string) => V | undefined,
): ReadonlyMap<string, V> {
  const found = new Map<string, V>();
  for (const key of keys) {
    const value = get(key);
    if (value !== undefined) found.set(key, value);
  }
  return found;
}

/** A check that throws once its `stop` was called. */
export function stoppable(message: string): (() => void) & { stop: () => void } {
  let stopped = false;
  const check = () => {
    if (stopped) throw new StoreUnavailable('stopped', message);
  };
  return Object.assign(check, {
    stop: () => {
      stopped = true;
    },
  });
}

import { toUSVString } from 'node:util';
import { START, type Position } from '../../events/envelope.js';
import { StoreUnavailable } from '../../events/eventStore.js';
import type { Doc, Generation, Parked, Stored, Write } from '../../projections/readModels.js';
import type { Definition } from '../documents/definition.js';

/** One generation as it lies in memory. */
export class MemoryGeneration {
  readonly documents = new Map<string, Stored>();
  readonly parked = new Map<string, Parked>();
  live: boolean;
  checkpoint: Position = START;

  constructor(
    readonly projection: string,
    readonly version: number,
    readonly number: number,
    public definition: Definition,
    live: boolean,
  ) {
    this.live = live;
  }

  snapshot(): Generation {
    const { projection, version, number, live, checkpoint } = this;
    return { projection, version, number, live, checkpoint };
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

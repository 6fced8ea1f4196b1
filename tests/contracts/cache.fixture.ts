import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { START, type Position } from '../../src/events/envelope.js';
import { WHOLE, type Shard } from '../../src/projections/readModels.js';
import type { Projected, Signals } from '../../src/projections/signals.js';
import type { Cache, Cached, Question } from '../../src/queries/cache.js';
import { manualRuntime, type ManualRuntime } from '../support/manualRuntime.js';

export type Shown = Readonly<{ title: string; at: number }>;

/** A read model that a test writes by hand: things by name, each with the position that wrote it. */
export interface Things {
  /** The checkpoint; START before the first write. */
  readonly checkpoint: () => Position;
  /** Writes and tells nobody. */
  write(title: string): Projected;
  read(title: string): Shown;
  readonly position: () => Position;
}

export function things(shard: Shard = WHOLE): Things {
  const written = new Map<string, number>();
  let position = 0;
  return {
    checkpoint: () => BigInt(position) as Position,
    position: () => BigInt(position) as Position,
    write(title) {
      const from = BigInt(position) as Position;
      position += 1;
      written.set(title, position);
      return { name: 'things', shard, from, tags: [tagOf(title)] };
    },
    read: (title) => ({ title, at: written.get(title) ?? 0 }),
  };
}

export const tagOf = (title: string) => `things/${title}`;
export const TTL_MS = 60_000;

/** A cache over things, whose loads a test can hold back. */
export interface World {
  readonly things: Things;
  readonly signals: Signals;
  readonly runtime: ManualRuntime;
  readonly cache: Cache;
  /** How often the read model was asked. */
  readonly loads: () => number;
  /** Asks for a thing; `load` replaces how it is read. */
  ask(
    title: string,
    needs?: Position,
    load?: () => Promise<Shown | undefined>,
  ): Promise<Cached<Shown | undefined>>;
  /** Writes and signals it, and resolves when it was heard. */
  write(title: string): Promise<void>;
  /** Signals what was written. */
  tell(projected: Projected, position?: Position): Promise<void>;
}

/** What an adapter needs to make a cache. */
export interface CacheParts {
  readonly reads: { checkpoint(projection: string): Promise<Position> };
  readonly signals: Signals;
  readonly runtime: ManualRuntime;
}

export function world(
  make: (parts: CacheParts) => Cache,
  shared: Partial<Pick<World, 'things' | 'signals' | 'runtime'>> = {},
): World {
  const {
    things: own = things(),
    signals = createMemorySignals(),
    runtime = manualRuntime(),
  } = shared;
  let loads = 0;
  const cache = make({ reads: { checkpoint: async () => own.checkpoint() }, signals, runtime });

  const ask: World['ask'] = (title, needs = START, load = async () => own.read(title)) => {
    const question: Question<Shown> = {
      key: `thing:${title}`,
      reads: ['things'],
      ttlMs: TTL_MS,
      tags: () => ({ things: [tagOf(title)] }),
      load() {
        loads += 1;
        return load();
      },
    };
    return cache.answer(question, needs);
  };
  const tell: World['tell'] = (projected, position = own.position()) =>
    new Promise((resolve) => {
      // Heard last: who listened before has taken it in.
      const leave = signals.listen(() => {
        leave();
        resolve();
      });
      signals.publish({ kind: 'projected', projections: [projected], position });
    });
  return {
    things: own,
    signals,
    runtime,
    cache,
    loads: () => loads,
    ask,
    tell,
    write: (title) => tell(own.write(title)),
  };
}

/** A load that ends when the test says so, with what was there when it began or when it ended. */
export function held<Value>() {
  let give: (value: Value) => void = () => undefined;
  const value = new Promise<Value>((resolve) => {
    give = resolve;
  });
  return { load: () => value, give };
}

import { LeaseLost } from '../../projections/leases.js';
import {
  GenerationDropped,
  WHOLE,
  type Collection,
  type Generation,
  type ReadModelStore,
} from '../../projections/readModels.js';
import { definitionOf, sameFields, type Definition } from '../documents/definition.js';
import { compareText } from '../documents/values.js';
import { MemoryGeneration, present, stoppable } from './generation.js';
import type { MemoryLeases } from './leases.js';

/** The side of `generations` that writes. */
export function memoryReadModelStore(
  generations: MemoryGeneration[],
  leases: MemoryLeases,
): ReadModelStore {
  const check = stoppable('the read-model store is stopped');

  function known({ projection, number, shard }: Generation) {
    check();
    const found = generations.find((g) => g.projection === projection && g.number === number);
    const progress = found?.progress(shard);
    if (found !== undefined && progress !== undefined) return { found, progress };
    const which = `${projection} ${shard.index}/${shard.of}`;
    throw new GenerationDropped(`generation ${number} of ${which} was dropped`);
  }

  /** Makes an empty generation beside those that there are. */
  function begin(projection: string, version: number, definition: Definition): MemoryGeneration {
    const own = generations.filter((each) => each.projection === projection);
    const number = Math.max(0, ...own.map((each) => each.number)) + 1;
    const isLive = !own.some((each) => each.live);
    const made = new MemoryGeneration(projection, version, number, definition, isLive);
    generations.push(made);
    return made;
  }

  function open(projection: string, version: number, collection: Collection): MemoryGeneration {
    const definition = definitionOf(collection);
    const name = definition.name.toLowerCase();
    const owner = generations.find(
      (each) => each.definition.name.toLowerCase() === name && each.projection !== projection,
    );
    if (owner !== undefined)
      throw new Error(`${owner.projection} fills ${definition.name} already`);
    const fitting = generations.filter(
      (each) =>
        each.projection === projection &&
        each.version === version &&
        sameFields(each.definition, definition),
    );
    const begun = fitting.find((each) => each.live) ?? fitting.at(-1);
    if (begun === undefined) return begin(projection, version, definition);
    begun.definition = definition;
    return begun;
  }

  function activate(chosen: MemoryGeneration): void {
    const rest = generations.filter(
      (each) => each === chosen || each.projection !== chosen.projection,
    );
    generations.splice(0, Infinity, ...rest);
    chosen.live = true;
  }

  return {
    leases: {
      async acquire(name, holder, ttlMs) {
        check();
        return leases.acquire(name, holder, ttlMs);
      },
      async release(lease) {
        check();
        return leases.release(lease);
      },
      async held(prefix) {
        check();
        return leases.held(prefix);
      },
    },

    async open(projection, version, collection, shard = WHOLE) {
      check();
      const generation = open(projection, version, collection);
      generation.share(shard.of);
      return generation.snapshot(shard);
    },

    async load(generation, keys) {
      const { found } = known(generation);
      return present(keys, (key) => found.get(key));
    },

    async commit(batches) {
      check();
      const targets = batches.map((batch) => ({ ...batch, ...known(batch.generation) }));
      for (const { lease } of batches) {
        if (lease !== undefined && !leases.isCurrent(lease)) {
          throw new LeaseLost(`${lease.name} has passed to another`);
        }
      }
      for (const { found, progress, writes, parked, checkpoint } of targets) {
        if (checkpoint < progress.checkpoint) continue;
        for (const write of writes) found.write(write);
        for (const event of parked) found.park(event);
        progress.checkpoint = checkpoint;
      }
    },

    async parkedKeys(generation) {
      const { found, progress } = known(generation);
      return new Set(
        Array.from(found.parked.values())
          .filter(({ position }) => position <= progress.checkpoint)
          .map(({ key }) => key),
      );
    },

    async parked(projection) {
      check();
      const shown = generations.find((each) => each.live && each.projection === projection);
      return [...(shown?.parked.values() ?? [])].sort(
        (a, b) => Number(a.position - b.position) || compareText(a.key, b.key),
      );
    },

    async activate(generation) {
      const { found, progress } = known(generation);
      progress.ready = true;
      if (!found.live && found.shards.every(({ ready }) => ready)) activate(found);
      return found.live;
    },

    async reset() {
      check();
      for (const { projection, version, definition, shards } of generations.filter(
        ({ live }) => live,
      )) {
        const begun = begin(projection, version, definition);
        begun.share(shards.length);
        activate(begun);
      }
    },

    async stop() {
      check.stop();
    },
  };
}

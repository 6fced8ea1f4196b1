import {
  GenerationDropped,
  type Collection,
  type Generation,
  type ReadModelStore,
} from '../../projections/readModels.js';
import { definitionOf, sameFields, type Definition } from '../documents/definition.js';
import { compareText } from '../documents/values.js';
import { MemoryGeneration, present, stoppable } from './generation.js';

/** The side of `generations` that writes. */
export function memoryReadModelStore(generations: MemoryGeneration[]): ReadModelStore {
  const check = stoppable('the read-model store is stopped');

  function known({ projection, number }: Generation): MemoryGeneration {
    check();
    const found = generations.find((g) => g.projection === projection && g.number === number);
    if (found !== undefined) return found;
    throw new GenerationDropped(`generation ${number} of ${projection} was dropped`);
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
    async open(projection, version, collection) {
      check();
      return open(projection, version, collection).snapshot();
    },

    async load(generation, keys) {
      const stored = known(generation);
      return present(keys, (key) => stored.get(key));
    },

    async commit(batches) {
      check();
      const found = batches.map((batch) => ({ ...batch, generation: known(batch.generation) }));
      for (const { generation, writes, parked, checkpoint } of found) {
        if (checkpoint < generation.checkpoint) continue;
        for (const write of writes) generation.write(write);
        for (const event of parked) generation.park(event);
        generation.checkpoint = checkpoint;
      }
    },

    async parkedKeys(generation) {
      return new Set(Array.from(known(generation).parked.values(), ({ key }) => key));
    },

    async parked(projection) {
      check();
      const shown = generations.find((each) => each.live && each.projection === projection);
      return [...(shown?.parked.values() ?? [])].sort(
        (a, b) => Number(a.position - b.position) || compareText(a.key, b.key),
      );
    },

    async activate(generation) {
      activate(known(generation));
    },

    async reset() {
      check();
      for (const { projection, version, definition } of generations.filter(({ live }) => live)) {
        activate(begin(projection, version, definition));
      }
    },

    async stop() {
      check.stop();
    },
  };
}

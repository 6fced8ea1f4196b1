import type { Database } from 'better-sqlite3';
import type { Position } from '../../events/envelope.js';
import {
  GenerationDropped,
  type Collection,
  type Generation,
  type Shard,
} from '../../projections/readModels.js';
import { definitionOf, sameFields, type Definition } from '../documents/definition.js';
import {
  changeIndexes,
  createTables,
  documentTable,
  dropTables,
  indexesText,
  type GenerationRow,
} from './readModelSchema.js';
import type { Id, Shards } from './shards.js';

export interface Generations {
  /** @throws GenerationDropped */
  row(generation: Id): GenerationRow;
  /** As the port's `open`. */
  open(projection: string, version: number, collection: Collection, shard: Shard): Generation;
  /** As the port's `activate`. */
  activate(generation: Generation): boolean;
  /** As the port's `reset`. */
  reset(): void;
}

/** The bookkeeping of generations, and their tables with them. */
export function generations(db: Database, progress: Shards): Generations {
  const one = db
    .prepare<[string, number], GenerationRow>(
      'SELECT * FROM generations WHERE projection = ? AND number = ?',
    )
    .safeIntegers();
  const all = db
    .prepare<[string], GenerationRow>(
      'SELECT * FROM generations WHERE projection = ? ORDER BY live DESC, number DESC',
    )
    .safeIntegers();
  const shown = db
    .prepare<[], GenerationRow>('SELECT * FROM generations WHERE live = 1')
    .safeIntegers();
  const owners = db
    .prepare<[string, string], string>(
      'SELECT projection FROM generations WHERE collection = ? COLLATE NOCASE AND projection <> ?',
    )
    .pluck();
  const insert = db.prepare<[string, number, number, string, string, number]>(
    'INSERT INTO generations VALUES (?, ?, ?, ?, ?, ?)',
  );
  const reindex = db.prepare<[string, string, bigint]>(
    'UPDATE generations SET indexes = ? WHERE projection = ? AND number = ?',
  );
  const forget = db.prepare<[string, number]>(
    'DELETE FROM generations WHERE projection = ? AND number <> ?',
  );
  const forgetParked = db.prepare<[string, number]>(
    'DELETE FROM parked WHERE projection = ? AND number <> ?',
  );
  const enliven = db.prepare<[string, number]>(
    'UPDATE generations SET live = 1 WHERE projection = ? AND number = ?',
  );

  function row({ projection, number }: Id): GenerationRow {
    const found = one.get(projection, number);
    if (found === undefined) {
      throw new GenerationDropped(`generation ${number} of ${projection} was dropped`);
    }
    return found;
  }

  /** Makes an empty generation beside those that there are. */
  function begin(projection: string, version: number, definition: Definition, of: number) {
    const known = all.all(projection);
    const number = Math.max(0, ...known.map((each) => Number(each.number))) + 1;
    const live = known.some((each) => each.live === 1n) ? 0 : 1;
    insert.run(projection, number, version, definition.name, indexesText(definition), live);
    const made = row({ projection, number });
    progress.begin(idOf(made), of);
    createTables(db, documentTable(made));
    return made;
  }

  function openRow(projection: string, version: number, definition: Definition, of: number) {
    const owner = owners.get(definition.name, projection);
    if (owner !== undefined) throw new Error(`${owner} fills ${definition.name} already`);
    // The live one comes first, then the newest of those beside it.
    const made = all
      .all(projection)
      .find(
        (each) =>
          each.version === BigInt(version) &&
          sameFields(documentTable(each).definition, definition),
      );
    if (made === undefined) return begin(projection, version, definition, of);
    progress.share(idOf(made), of);
    const indexes = indexesText(definition);
    if (indexes === made.indexes) return made;
    reindex.run(indexes, projection, made.number);
    const changed = { ...made, indexes };
    changeIndexes(db, documentTable(made), documentTable(changed));
    return changed;
  }

  const open = db.transaction(
    (projection: string, version: number, definition: Definition, shard: Shard): Generation => {
      const opened = openRow(projection, version, definition, shard.of);
      const id = { ...idOf(opened), shard };
      const checkpoint = progress.row(id).checkpoint as Position;
      return { ...id, version, live: opened.live === 1n, checkpoint };
    },
  );

  /** Puts it in the place of the projection's others, which are dropped. */
  function enthrone({ projection, number }: Id): void {
    for (const other of all.all(projection)) {
      if (other.number !== BigInt(number)) dropTables(db, documentTable(other));
    }
    forget.run(projection, number);
    forgetParked.run(projection, number);
    progress.forgetOthers({ projection, number });
    enliven.run(projection, number);
  }

  const activate = db.transaction((generation: Generation) => {
    const isReady = progress.ready(generation);
    if (row(generation).live === 1n) return true;
    if (isReady) enthrone(generation);
    return isReady;
  });

  const reset = db.transaction(() => {
    for (const live of shown.all()) {
      const { definition } = documentTable(live);
      const of = progress.count(idOf(live));
      enthrone(idOf(begin(live.projection, Number(live.version), definition, of)));
    }
  });

  return {
    row,
    open: (projection, version, collection, shard) =>
      open.immediate(projection, version, definitionOf(collection), shard),
    activate: (generation) => activate.immediate(generation),
    reset: () => {
      reset.immediate();
    },
  };
}

function idOf({ projection, number }: GenerationRow): Id {
  return { projection, number: Number(number) };
}

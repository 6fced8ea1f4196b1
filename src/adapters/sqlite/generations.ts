import type { Database } from 'better-sqlite3';
import { START, type Position } from '../../events/envelope.js';
import {
  GenerationDropped,
  type Collection,
  type Generation,
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

type Id = Pick<Generation, 'projection' | 'number'>;

export interface Generations {
  /** @throws GenerationDropped */
  row(generation: Id): GenerationRow;
  /** As the port's `open`. */
  open(projection: string, version: number, collection: Collection): GenerationRow;
  /** Sets the checkpoint and counts one commit. */
  move(generation: Id, checkpoint: Position): void;
  /** As the port's `activate`. */
  activate(generation: Id): void;
  /** As the port's `reset`. */
  reset(): void;
}

export function toGeneration(row: GenerationRow): Generation {
  return {
    projection: row.projection,
    version: Number(row.version),
    number: Number(row.number),
    live: row.live === 1n,
    checkpoint: row.checkpoint as Position,
  };
}

/** The bookkeeping of generations, and their tables with them. */
export function generations(db: Database): Generations {
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
  const insert = db.prepare<[string, number, number, string, string, number, bigint]>(
    'INSERT INTO generations VALUES (?, ?, ?, ?, ?, ?, ?, 0)',
  );
  const reindex = db.prepare<[string, string, bigint]>(
    'UPDATE generations SET indexes = ? WHERE projection = ? AND number = ?',
  );
  const advance = db.prepare<[bigint, string, number]>(
    `UPDATE generations SET checkpoint = ?, commits = commits + 1
     WHERE projection = ? AND number = ?`,
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
  function begin(projection: string, version: number, definition: Definition): GenerationRow {
    const known = all.all(projection);
    const number = Math.max(0, ...known.map((each) => Number(each.number))) + 1;
    const live = known.some((each) => each.live === 1n) ? 0 : 1;
    const indexes = indexesText(definition);
    insert.run(projection, number, version, definition.name, indexes, live, START);
    const made = row({ projection, number });
    createTables(db, documentTable(made));
    return made;
  }

  const open = db.transaction(
    (projection: string, version: number, definition: Definition): GenerationRow => {
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
      if (made === undefined) return begin(projection, version, definition);
      const indexes = indexesText(definition);
      if (indexes === made.indexes) return made;
      reindex.run(indexes, projection, made.number);
      const changed = { ...made, indexes };
      changeIndexes(db, documentTable(made), documentTable(changed));
      return changed;
    },
  );

  const activate = db.transaction((generation: Id) => {
    const { projection, number } = generation;
    row(generation);
    for (const other of all.all(projection)) {
      if (other.number !== BigInt(number)) dropTables(db, documentTable(other));
    }
    forget.run(projection, number);
    forgetParked.run(projection, number);
    enliven.run(projection, number);
  });

  const reset = db.transaction(() => {
    for (const live of shown.all()) {
      const { definition } = documentTable(live);
      activate(toGeneration(begin(live.projection, Number(live.version), definition)));
    }
  });

  return {
    row,
    open: (projection, version, collection) =>
      open.immediate(projection, version, definitionOf(collection)),
    move: ({ projection, number }, checkpoint) => advance.run(checkpoint, projection, number),
    activate: (generation) => {
      activate.immediate(generation);
    },
    reset: () => {
      reset.immediate();
    },
  };
}

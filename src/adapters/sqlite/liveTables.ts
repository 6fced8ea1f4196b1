import type { Database } from 'better-sqlite3';
import { documentTable, type DocumentTable } from './readModelSchema.js';

export interface LiveTable extends DocumentTable {
  readonly document: (key: string) => string | undefined;
}

interface LiveRow {
  readonly collection: string;
  readonly number: bigint;
  readonly indexes: string;
}

/**
 * Looks up the table that queries of a collection read; undefined when there is none. Asked for
 * every question, since any other connection may put another table in its place, and inside the
 * question's read transaction, in which no table goes away.
 */
export function liveTables(db: Database): (collection: string) => LiveTable | undefined {
  const lookUp = db
    .prepare<[string], LiveRow>(
      'SELECT collection, number, indexes FROM generations WHERE collection = ? AND live = 1',
    )
    .safeIntegers();
  const known = new Map<string, { row: LiveRow; table: LiveTable }>();

  return (collection) => {
    const row = lookUp.get(collection);
    if (row === undefined) return undefined;
    const last = known.get(collection);
    if (last?.row.number === row.number && last.row.indexes === row.indexes) return last.table;
    const made = documentTable(row);
    const document = db
      .prepare<[string], string>(`SELECT doc FROM ${made.name} WHERE key = ?`)
      .pluck();
    const table = { ...made, document: (key: string) => document.get(key) };
    known.set(collection, { row, table });
    return table;
  };
}

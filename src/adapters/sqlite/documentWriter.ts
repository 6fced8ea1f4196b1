import type { Database, Statement } from 'better-sqlite3';
import type { Doc, Write } from '../../projections/readModels.js';
import { elementsOf, indexedAlike, scalarOf } from '../documents/values.js';
import { columnOf, toColumn, type Column, type DocumentTable } from './readModelSchema.js';

type Parameter = Column | bigint;

export interface DocumentWriter {
  /**
   * Takes over one document unless the stored one is at or past its position.
   * @param trusted whether `write.before` is what is stored: then columns that it shares with the
   *   new document are not written, and SQLite leaves their indexes alone
   */
  write(write: Write, trusted: boolean): void;
}

/** The statements that write to one table, each prepared when it is first needed. */
export function documentWriter(db: Database, table: DocumentTable): DocumentWriter {
  const { fields } = table.definition;
  const lists = [...table.definition.lists];
  const elements = lists.map((field) => elementWriter(db, table.elements(field)));
  const insert = db.prepare<Parameter[]>(insertSql(table));
  const stored = db
    .prepare<[string], string>(`SELECT doc FROM ${table.name} WHERE key = ?`)
    .pluck();
  const remove = db.prepare<Parameter[]>(
    `DELETE FROM ${table.name} WHERE key = ? AND position < ?`,
  );
  /** By the set of changed fields, the n-th as the n-th bit. */
  const updates = new Map<number, Statement<Parameter[]>>();

  function update(changed: number): Statement<Parameter[]> {
    let statement = updates.get(changed);
    if (statement === undefined) {
      const columns = fields.filter((_, i) => (changed & (1 << i)) !== 0).map(columnOf);
      const set = ['position', 'doc', ...columns].map((column) => `${column} = ?`).join(', ');
      statement = db.prepare(`UPDATE ${table.name} SET ${set} WHERE key = ? AND position < ?`);
      updates.set(changed, statement);
    }
    return statement;
  }

  function replaceElements(key: string, doc: Doc | null, before: Doc | undefined): void {
    lists.forEach((field, i) => {
      if (before === undefined || !indexedAlike(before[field], doc?.[field])) {
        elements[i]?.replace(key, doc?.[field]);
      }
    });
  }

  /** Whether there is such a document, before the write's position. */
  function updated({ key, position }: Write, doc: Doc, before: Doc): boolean {
    const parameters: Parameter[] = [position, JSON.stringify(doc)];
    let changed = 0;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] ?? '';
      if (indexedAlike(before[field], doc[field])) continue;
      changed |= 1 << i;
      parameters.push(toColumn(scalarOf(doc[field])));
    }
    parameters.push(key, position);
    if (update(changed).run(...parameters).changes === 0) return false;
    if (changed !== 0) replaceElements(key, doc, before);
    return true;
  }

  /** Whether there was no such document. */
  function inserted({ key, position }: Write, doc: Doc): boolean {
    const columns = fields.map((field) => toColumn(scalarOf(doc[field])));
    if (insert.run(key, position, ...columns, JSON.stringify(doc)).changes === 0) return false;
    lists.forEach((field, i) => elements[i]?.add(key, doc[field]));
    return true;
  }

  return {
    write(write, trusted) {
      const { key, doc, position } = write;
      const before = trusted ? write.before : undefined;
      if (doc === null) {
        if (remove.run(key, position).changes > 0) replaceElements(key, null, before);
        return;
      }
      if (before !== undefined && updated(write, doc, before)) return;
      if (inserted(write, doc)) return;
      // To read what is there costs less than to write to every index.
      const text = stored.get(key);
      if (text !== undefined) updated(write, doc, JSON.parse(text) as Doc);
    },
  };
}

function insertSql({ name, definition }: DocumentTable): string {
  const columns = ['key', 'position', ...definition.fields.map(columnOf), 'doc'];
  const values = columns.map(() => '?').join(', ');
  return `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${values})
    ON CONFLICT (key) DO NOTHING`;
}

/** Writes the elements of one field. */
function elementWriter(db: Database, name: string) {
  const clear = db.prepare<[string]>(`DELETE FROM ${name} WHERE key = ?`);
  const insert = db.prepare<[string, Column]>(`INSERT INTO ${name} (key, value) VALUES (?, ?)`);
  /** For a document that had none. */
  function add(key: string, field: unknown): void {
    for (const value of elementsOf(field) ?? []) insert.run(key, toColumn(value));
  }
  /** Puts them in place of those that it had. */
  function replace(key: string, field: unknown): void {
    clear.run(key);
    add(key, field);
  }
  return { add, replace };
}

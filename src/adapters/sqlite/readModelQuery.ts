import type { Place } from '../../projections/cursor.js';
import type { Find } from '../../projections/readModels.js';
import type { Test } from '../documents/question.js';
import { columnOf, toColumn, type DocumentTable } from './readModelSchema.js';
import { allOf, NOTHING, rowsSql, startSql, type Sql } from './rowsSql.js';
import type { Conditions, Start } from './searchStart.js';

/** More values than this in a condition on the fields before the sorted one are sorted after all. */
const MAX_ARMS = 50;
/** Each arm repeats the other conditions, and SQLite takes 32,766 parameters. */
const MAX_REPEATED_VALUES = 10_000;

/**
 * The keys of a page, each with the value sorted by, and no documents: that often takes an index
 * alone. One row more than the limit tells whether there is another page.
 */
export function keysSql(
  table: DocumentTable,
  find: Pick<Find, 'where' | 'sort' | 'skip' | 'limit'>,
  conditions: Conditions,
  start: Start | undefined,
  after: Place | undefined,
): Sql {
  const descending = find.sort?.direction === 'desc';
  const value = find.sort === undefined ? undefined : columnOf(find.sort.field);
  const columns = `stored.key AS key, ${value === undefined ? 'NULL' : `stored.${value}`} AS value`;
  const arms = armsOf(table, find, conditions, start).flatMap((onColumns) =>
    following(value, descending, after).map((place) => {
      const { text, parameters } = rowsSql(table, { ...conditions, onColumns }, start, place);
      return { text: `SELECT ${columns} ${text}`, parameters };
    }),
  );
  const direction = descending ? 'DESC' : 'ASC';
  const order = value === undefined ? `1 ${direction}` : `2 ${direction}, 1 ${direction}`;
  // SQLite merges the arms as they are read, each in order, and reads no further than the limit.
  return {
    text: `${arms.map(({ text }) => text).join(' UNION ALL ')} ORDER BY ${order} LIMIT ? OFFSET ?`,
    parameters: [...arms.flatMap((arm) => arm.parameters), find.limit + 1, find.skip ?? 0],
  };
}

export function countSql(
  table: DocumentTable,
  conditions: Conditions,
  start: Start | undefined,
): Sql {
  const { text, parameters } = rowsSql(table, conditions, start, NOTHING);
  return { text: `SELECT count(*) ${text}`, parameters };
}

/** How much a search would begin with, counted no further than `most`. */
export function startCountSql(table: DocumentTable, start: Start, most: number): Sql {
  const { from, terms } = startSql(table, start);
  return {
    text: `SELECT count(*) FROM (SELECT 1 FROM ${from} WHERE ${allOf(terms)} LIMIT ?)`,
    parameters: [...terms.flatMap(({ parameters }) => parameters), most],
  };
}

/**
 * The conditions of each arm: one arm a value where a condition names several and an index holds
 * them before the sorted field, since such an index is in order only within one value.
 */
function armsOf(
  { definition }: DocumentTable,
  find: Pick<Find, 'sort'>,
  { onColumns, onElements }: Conditions,
  start: Start | undefined,
): readonly (readonly Test[])[] {
  const { sort } = find;
  if (sort === undefined || start !== undefined) return [onColumns];
  const several = onColumns.find(
    (test) =>
      test.kind === 'anyOf' &&
      test.values.length > 1 &&
      test.values.length <= MAX_ARMS &&
      definition.indexes.some(
        (fields) =>
          fields.includes(test.field) && fields.indexOf(test.field) < fields.indexOf(sort.field),
      ),
  );
  if (several?.kind !== 'anyOf') return [onColumns];
  const { field, values } = several;
  const others = onColumns.filter((test) => test !== several);
  const repeated = [...others, ...onElements].reduce((sum, test) => sum + size(test), 0);
  if (repeated * values.length > MAX_REPEATED_VALUES) return [onColumns];
  return values.map((value) => [{ field, kind: 'anyOf', values: [value] }, ...others]);
}

function size(test: Test): number {
  return test.kind === 'anyOf' ? test.values.length : test.bounds.length;
}

/**
 * What comes after a place, in pieces that are each one range of an index: the documents that miss
 * the field come first in ascending order, and no comparison with NULL holds.
 */
function following(
  value: string | undefined,
  descending: boolean,
  after: Place | undefined,
): readonly Sql[] {
  if (after === undefined) return [NOTHING];
  const than = descending ? '<' : '>';
  if (value === undefined) return [{ text: `stored.key ${than} ?`, parameters: [after.key] }];
  const column = `stored.${value}`;
  if (after.value === null) {
    const rest = { text: `${column} IS NULL AND stored.key ${than} ?`, parameters: [after.key] };
    // Written as a range, because SQLite seeks no index by IS NOT NULL; every value is at least this.
    const valued = { text: `${column} >= -9e999`, parameters: [] };
    return descending ? [rest] : [rest, valued];
  }
  const further = {
    text: `(${column}, stored.key) ${than} (?, ?)`,
    parameters: [toColumn(after.value), after.key],
  };
  return descending ? [further, { text: `${column} IS NULL`, parameters: [] }] : [further];
}

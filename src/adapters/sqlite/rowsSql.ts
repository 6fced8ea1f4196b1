import type { Test } from '../documents/question.js';
import {
  columnOf,
  indexName,
  toColumn,
  type Column,
  type DocumentTable,
} from './readModelSchema.js';
import type { Conditions, Start } from './searchStart.js';

export interface Sql {
  readonly text: string;
  readonly parameters: readonly Column[];
}

/** A condition that always holds. */
export const NOTHING: Sql = { text: '1', parameters: [] };

export function allOf(terms: readonly Sql[]): string {
  return terms.map(({ text }) => text).join(' AND ');
}

/** What a search begins with. */
export function startSql(
  table: DocumentTable,
  start: Start,
): { from: string; terms: readonly Sql[] } {
  if (start.kind === 'elements') {
    const { test } = start;
    return { from: table.elements(test.field), terms: [predicate(test, 'value')] };
  }
  const index = indexName(table, start.fields);
  return {
    from: `${table.name} AS stored INDEXED BY ${index}`,
    terms: start.tests.map((test) => predicate(test, `stored.${columnOf(test.field)}`)),
  };
}

/** FROM and WHERE of the documents that meet all conditions. */
export function rowsSql(
  table: DocumentTable,
  { onColumns, onElements }: Conditions,
  start: Start | undefined,
  place: Sql,
): Sql {
  const begun = start && startSql(table, start);
  const first = start?.kind === 'elements' ? start.test : undefined;
  const terms = [
    ...onColumns.map((test) => predicate(test, `stored.${columnOf(test.field)}`)),
    ...onElements.filter((test) => test !== first).map((test) => anElement(table, test)),
    place,
  ];
  const parameters = terms.flatMap((term) => term.parameters);
  if (begun === undefined || first === undefined) {
    const from = begun?.from ?? `${table.name} AS stored`;
    return { text: `FROM ${from} WHERE ${allOf(terms)}`, parameters };
  }
  // CROSS JOIN keeps SQLite from changing the order: https://sqlite.org/optoverview.html#crossjoin
  const few = `(SELECT DISTINCT key FROM ${begun.from} WHERE ${allOf(begun.terms)}) AS few`;
  return {
    text: `FROM ${few} CROSS JOIN ${table.name} AS stored
      WHERE stored.key = few.key AND ${allOf(terms)}`,
    parameters: [...begun.terms.flatMap((term) => term.parameters), ...parameters],
  };
}

function anElement(table: DocumentTable, test: Test): Sql {
  const { text, parameters } = predicate(test, 'element.value');
  const elements = `${table.elements(test.field)} AS element`;
  return {
    text: `EXISTS (SELECT 1 FROM ${elements} WHERE element.key = stored.key AND ${text})`,
    parameters,
  };
}

function predicate(test: Test, column: string): Sql {
  if (test.kind === 'anyOf') {
    const parameters = test.values.map(toColumn);
    const one = parameters.length === 1;
    return {
      text: one ? `${column} = ?` : `${column} IN (${parameters.map(() => '?').join(', ')})`,
      parameters,
    };
  }
  const bounds = test.bounds.map(({ operator }) => `${column} ${operator} ?`);
  const open = (sign: string) => !test.bounds.some(({ operator }) => operator.startsWith(sign));
  // Any text is more than any number and less than any blob (https://sqlite.org/datatype3.html#sort_order).
  if (open('>')) bounds.push(test.type === 'string' ? `${column} >= ''` : `${column} >= -9e999`);
  if (open('<')) bounds.push(test.type === 'string' ? `${column} < x''` : `${column} <= 9e999`);
  return { text: bounds.join(' AND '), parameters: test.bounds.map(({ value }) => value) };
}

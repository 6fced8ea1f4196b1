import type { Database, Statement } from 'better-sqlite3';
import { decodeCursor, encodeCursor } from '../../projections/cursor.js';
import type { Find, Where } from '../../projections/readModels.js';
import { checkFind, testsOf, type Test } from '../documents/question.js';
import { liveTables, type LiveTable } from './liveTables.js';
import { countSql, keysSql, startCountSql } from './readModelQuery.js';
import { fromColumn, type Column } from './readModelSchema.js';
import type { Sql } from './rowsSql.js';
import { RARE, startsOf, type Conditions, type Start } from './searchStart.js';

/** A page as JSON text, as it lies in the file: whoever wants the documents parses them. */
export interface TextPage {
  /** A JSON array of documents. */
  readonly items: string;
  readonly nextCursor: string | null;
}

export interface Questions {
  /** @throws InvalidCursor; Error for a wrong question */
  find(collection: string, find: Find): TextPage;
  count(collection: string, where: Where): number;
}

/** Statements kept prepared, each for one form of question. */
const MAX_STATEMENTS = 200;

const EMPTY: TextPage = { items: '[]', nextCursor: null };

/**
 * Answers that may look at many documents, in the calling thread: so not on the event loop.
 * @param rare below how many documents a search begins with them
 */
export function questions(db: Database, rare = RARE): Questions {
  const live = liveTables(db);
  const statements = new Map<string, Statement<Column[]>>();

  function prepared(sql: string): Statement<Column[]> {
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      statement = db.prepare<Column[]>(sql);
      statements.set(sql, statement);
    }
    return statement;
  }

  function number({ text, parameters }: Sql): number {
    const row = prepared(text)
      .pluck()
      .get(...parameters);
    return typeof row === 'number' ? row : 0;
  }

  function conditionsOf(table: LiveTable, where: Where): Conditions {
    const tests = testsOf(table.definition, where);
    const onElements = tests.filter((test) => holdsLists(table, test));
    const onColumns = tests.filter((test) => !onElements.includes(test));
    return { onColumns, onElements };
  }

  function startOf(
    table: LiveTable,
    conditions: Conditions,
    sort: Find['sort'],
  ): Start | undefined {
    const isRare = (start: Start) => number(startCountSql(table, start, rare)) < rare;
    return startsOf(table.definition, conditions, sort).find(isRare);
  }

  /** A field that may hold lists does so if any document's has elements. */
  function holdsLists(table: LiveTable, { field }: Test): boolean {
    if (!table.definition.lists.has(field)) return false;
    const any = `SELECT EXISTS (SELECT 1 FROM ${table.elements(field)})`;
    return number({ text: any, parameters: [] }) === 1;
  }

  // One read transaction a question: nothing changes between its statements.
  const find = db.transaction((collection: string, asked: Find): TextPage => {
    const table = live(collection);
    if (table === undefined) return EMPTY;
    checkFind(table.definition, asked);
    const after = decodeCursor(collection, asked);
    const conditions = conditionsOf(table, asked.where);
    const start = startOf(table, conditions, asked.sort);
    const sql = keysSql(table, asked, conditions, start, after);
    const rows = prepared(sql.text).all(...sql.parameters) as KeyRow[];
    const page = rows.slice(0, asked.limit);
    const last = rows.length > asked.limit ? page.at(-1) : undefined;
    const items = page.map(({ key }) => table.document(key)).join(',');
    return {
      items: `[${items}]`,
      nextCursor:
        last === undefined
          ? null
          : encodeCursor(collection, asked, { value: fromColumn(last.value), key: last.key }),
    };
  });

  const count = db.transaction((collection: string, where: Where): number => {
    const table = live(collection);
    if (table === undefined) return 0;
    const conditions = conditionsOf(table, where);
    return number(countSql(table, conditions, startOf(table, conditions, undefined)));
  });

  return {
    find: (collection, asked) => find(collection, asked),
    count: (collection, where) => count(collection, where),
  };
}

interface KeyRow {
  readonly key: string;
  readonly value: Column;
}

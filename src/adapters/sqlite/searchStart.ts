import type { Find } from '../../projections/readModels.js';
import type { Definition } from '../documents/definition.js';
import type { Test } from '../documents/question.js';

/** The conditions of a question, told apart by where their values are kept. */
export interface Conditions {
  readonly onColumns: readonly Test[];
  readonly onElements: readonly Test[];
}

/**
 * Where a search may begin instead of reading documents in order: with the documents that meet one
 * condition on elements, or those that an index holds under the values of `tests`.
 */
export type Start =
  | { readonly kind: 'elements'; readonly test: Test }
  | { readonly kind: 'index'; readonly fields: readonly string[]; readonly tests: readonly Test[] };

/**
 * A search that begins so has to sort what it finds, so it is worth it where that is little: fewer
 * documents than this. SQLite itself can't know, since it has no statistics of data that changes
 * all the time, and one plan for a form of question is wrong for half of its values.
 */
export const RARE = 1_000;

/** The starts to consider: those that know more than the index which gives the order. */
export function startsOf(
  definition: Definition,
  { onColumns, onElements }: Conditions,
  sort: Find['sort'],
): readonly Start[] {
  const bound = new Map(
    onColumns.filter(({ kind }) => kind === 'anyOf').map((test) => [test.field, test]),
  );
  const indexes = definition.indexes.map((fields) => ({ fields, known: leading(fields, bound) }));
  const ordered = indexes
    .filter(({ fields, known }) => sort !== undefined && fields[known.length] === sort.field)
    .flatMap(({ known }) => known);
  const telling = indexes.filter(({ known }) => known.some((test) => !ordered.includes(test)));
  // Indexes that begin alike find alike: one of them is enough.
  const distinct = new Map(telling.map((index) => [index.known.map(nameOf).join(), index]));
  return [
    ...onElements.map((test) => ({ kind: 'elements' as const, test })),
    ...Array.from(distinct.values(), ({ fields, known }) => ({
      kind: 'index' as const,
      fields,
      tests: known,
    })),
  ];
}

function leading(fields: readonly string[], bound: ReadonlyMap<string, Test>): readonly Test[] {
  const tests = fields.map((field) => bound.get(field));
  const end = tests.indexOf(undefined);
  return tests.slice(0, end < 0 ? undefined : end).filter((test) => test !== undefined);
}

function nameOf({ field }: Test): string {
  return field;
}

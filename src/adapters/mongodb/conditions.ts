import { toUSVString } from 'node:util';
import type { Filter } from 'mongodb';
import type { Place } from '../../projections/cursor.js';
import type { Find } from '../../projections/readModels.js';
import type { Operator, Test } from '../documents/question.js';
import type { StoredDocument } from './documents.js';
import type { GenerationEntry } from './entries.js';

type Query = Readonly<Record<string, unknown>>;

/** No query looks at what was removed. */
const LIVE: Query = { live: true };

const OPERATORS: Readonly<Record<Operator, string>> = {
  '>': '$gt',
  '>=': '$gte',
  '<': '$lt',
  '<=': '$lte',
};

/** The documents that meet all tests, and come after a place in the order of `sort`. */
export function filterOf(
  lists: GenerationEntry['lists'],
  tests: readonly Test[],
  sort?: Find['sort'],
  after?: Place,
): Filter<StoredDocument> {
  const terms = [LIVE, ...tests.map((test) => termOf(lists, test))];
  if (after !== undefined) terms.push(following(sort, after));
  // Every name is one of ours or of the definition, whatever a caller asks for.
  return together(terms);
}

/**
 * One query that holds where all terms do: as flat as can be, which the simplest planner of indexes
 * understands, and with `$and` where two terms name the same.
 */
function together(terms: readonly Query[]): Query {
  const flat: Record<string, unknown> = {};
  const others: Query[] = [];
  for (const term of terms) {
    if (Object.keys(term).some((name) => name in flat || name === '$and')) others.push(term);
    else Object.assign(flat, term);
  }
  return others.length === 0 ? flat : { ...flat, $and: others };
}

/** The order of a page. Ties are broken by key, in the same direction. */
export function orderOf(sort: Find['sort']): Record<string, 1 | -1> {
  const direction = sort?.direction === 'desc' ? -1 : 1;
  return sort === undefined ? { _id: 1 } : { [`by.${sort.field}`]: direction, _id: direction };
}

/** MongoDB compares within one type too, and finds a list by any of its elements. */
function termOf(lists: GenerationEntry['lists'], test: Test): Query {
  const field = `by.${test.field}`;
  if (test.kind === 'anyOf') {
    const [value] = test.values;
    return { [field]: test.values.length === 1 ? { $eq: value } : { $in: test.values } };
  }
  const range = Object.fromEntries(
    test.bounds.map(({ operator, value }) => [OPERATORS[operator], value]),
  );
  // Else two bounds would be met by two elements. A value that stands alone is no element.
  const term = { [field]: lists.includes(test.field) ? { $elemMatch: range } : range };
  // To MongoDB the two are one. SecantusDB 0.7, on which tests run, loses the last value of `$lte` in
  // a range of an index, and uses none under `$and`.
  return '$lte' in range ? { $and: [term] } : term;
}

/** The ranges of values that are of a later type than numbers, and than text. */
const NUMBERS: Query = { $gte: -Infinity };
const TEXTS: Query = { $gte: '' };
const BOOLEANS: Query = { $in: [false, true] };

/**
 * What comes after a place, in pieces that are each one range of an index: a comparison holds among
 * values of one type only, so the types that follow are named one by one. The server merges the
 * pieces in the order that the index gives each of them.
 */
function following(sort: Find['sort'], after: Place): Query {
  const down = sort?.direction === 'desc';
  const than = down ? '$lt' : '$gt';
  const further = { _id: { [than]: toUSVString(after.key) } };
  if (sort === undefined) return further;
  const field = `by.${sort.field}`;
  const value = typeof after.value === 'string' ? toUSVString(after.value) : after.value;
  const same = { [field]: { $eq: value }, ...further };
  if (value === null) return down ? same : { $or: [same, { [field]: { $ne: null } }] };
  const pieces = [{ [than]: value }, ...typesAfter(value, down)];
  return { $or: [same, ...pieces.map((piece) => ({ [field]: piece }))] };
}

function typesAfter(value: string | number | boolean, down: boolean): readonly Query[] {
  const missing = { $eq: null };
  if (typeof value === 'number') return down ? [missing] : [TEXTS, BOOLEANS];
  if (typeof value === 'string') return down ? [NUMBERS, missing] : [BOOLEANS];
  return down ? [TEXTS, NUMBERS, missing] : [];
}

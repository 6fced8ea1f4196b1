import { toUSVString } from 'node:util';
import type { Condition, Find, Where } from '../../projections/readModels.js';
import type { Definition } from './definition.js';
import { afterPrefix, scalarOf, type Value } from './values.js';

/** The most values of an `in`. */
const MAX_VALUES = 1_000;

export type Operator = '>' | '>=' | '<' | '<=';

export interface Bound {
  readonly operator: Operator;
  readonly value: string | number;
}

/** A condition in one of two forms: one of some values, or within bounds among values of one type. */
export type Test =
  | { readonly field: string; readonly kind: 'anyOf'; readonly values: readonly Value[] }
  | {
      readonly field: string;
      readonly kind: 'within';
      readonly type: 'string' | 'number';
      readonly bounds: readonly Bound[];
    };

/** @throws Error for a field that no index names, and for a condition that says nothing. */
export function testsOf(definition: Definition, where: Where): readonly Test[] {
  return Object.entries(where).map(([field, condition]) => {
    requireIndexed(definition, field);
    return testOf(field, condition);
  });
}

/** @throws Error where the question is wrong whatever is stored: a programming error. */
export function checkFind(definition: Definition, find: Find): void {
  if (find.sort !== undefined) requireIndexed(definition, find.sort.field);
  if (!Number.isSafeInteger(find.limit) || find.limit < 1) {
    throw new Error(`a limit of ${find.limit}`);
  }
  const skip = find.skip ?? 0;
  if (!Number.isSafeInteger(skip) || skip < 0) throw new Error(`a skip of ${skip}`);
  if (find.skip !== undefined && find.cursor !== undefined) {
    throw new Error('skip and cursor exclude each other');
  }
}

function requireIndexed(definition: Definition, field: string): void {
  if (!definition.fields.includes(field)) {
    throw new Error(`no index of ${definition.name} names "${field}"`);
  }
}

function testOf(field: string, condition: Condition): Test {
  if ('eq' in condition) return anyOf(field, [condition.eq]);
  if ('in' in condition) return anyOf(field, condition.in);
  if ('prefix' in condition) return startingWith(field, condition.prefix);
  const bounds = (
    [
      ['>', condition.gt],
      ['>=', condition.gte],
      ['<', condition.lt],
      ['<=', condition.lte],
    ] as const
  ).flatMap(([operator, value]) => (value === undefined ? [] : [{ operator, value }]));
  return within(field, bounds);
}

function anyOf(field: string, values: readonly Value[]): Test {
  if (values.length > MAX_VALUES) throw new Error(`${values.length} values for "${field}"`);
  const known = values.map(scalarOf).filter((value) => value !== null);
  return { field, kind: 'anyOf', values: [...new Set(known)] };
}

function startingWith(field: string, prefix: string): Test {
  const end = afterPrefix(prefix);
  return within(field, [
    { operator: '>=', value: prefix },
    ...(end === undefined ? [] : [{ operator: '<' as const, value: end }]),
  ]);
}

function within(field: string, bounds: readonly Bound[]): Test {
  const [first] = bounds;
  if (first === undefined) throw new Error(`a condition on "${field}" that says nothing`);
  const type = typeof first.value === 'string' ? 'string' : 'number';
  // No value is of two types, and nothing compares to NaN.
  const met = bounds.every(({ value }) => typeof value === type && !Number.isNaN(value));
  if (!met) return { field, kind: 'anyOf', values: [] };
  return { field, kind: 'within', type, bounds: bounds.map(wellFormed) };
}

function wellFormed({ operator, value }: Bound): Bound {
  return { operator, value: typeof value === 'string' ? toUSVString(value) : value };
}

import type { Doc } from '../../projections/readModels.js';
import type { Definition } from '../documents/definition.js';
import type { Bound, Test } from '../documents/question.js';
import { compareValues, elementsOf, scalarOf, type Value } from '../documents/values.js';

/** Whether a document meets all conditions. */
export function matches(definition: Definition, tests: readonly Test[], doc: Doc): boolean {
  return tests.every((test) => {
    const field = doc[test.field];
    const elements = definition.lists.has(test.field) ? elementsOf(field) : undefined;
    return (elements ?? [scalarOf(field)]).some((value) => meets(test, value));
  });
}

function meets(test: Test, value: Value): boolean {
  if (test.kind === 'anyOf') return value !== null && test.values.includes(value);
  return typeof value === test.type && test.bounds.every((bound) => isWithin(value, bound));
}

function isWithin(value: Value, bound: Bound): boolean {
  const order = compareValues(value, bound.value);
  switch (bound.operator) {
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
  }
}

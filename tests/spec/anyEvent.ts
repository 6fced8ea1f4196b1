import fc from 'fast-check';
import type { TSchema } from 'typebox';
import { Check } from 'typebox/value';
import type { DomainEvent } from '../../src/events/catalog.js';
import type { EventDefinition } from '../../src/events/definition.js';
import { id } from './things.js';

/** Few ids, so that events of one sequence speak of the same things. */
const ids = fc.constantFrom(id(1), id(2), id(3));

/** Names that something may trip over, beside ordinary ones. */
const names = fc.constantFrom(
  'a',
  'b',
  'constructor',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '0',
);

/** The parts of JSON Schema that event schemas are written in. */
interface Written {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly TSchema[];
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, TSchema>>;
  readonly items?: TSchema;
  readonly uniqueItems?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** Whatever a schema of the catalogue allows. */
export function anyOf(schema: TSchema): fc.Arbitrary<unknown> {
  const written = schema as Written;
  if (written.enum !== undefined) return fc.constantFrom(...written.enum);
  if (written.anyOf !== undefined) return fc.oneof(...written.anyOf.map(anyOf));
  switch (written.type) {
    case 'object':
      return anyObject(written);
    case 'array':
      return (written.uniqueItems === true ? fc.uniqueArray : fc.array)(
        anyOf(written.items ?? {}),
        { maxLength: 4 },
      );
    case 'string':
      return anyString(written).filter((text) => Check(schema, text));
    case 'integer':
      return fc.integer({
        min: written.minimum ?? -1_000,
        max: Math.min(written.maximum ?? 1_000, Number.MAX_SAFE_INTEGER),
      });
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

function anyObject({ properties, required, patternProperties }: Written): fc.Arbitrary<unknown> {
  const [values] = Object.values(patternProperties ?? {});
  if (values !== undefined) return fc.dictionary(names, anyOf(values), { maxKeys: 4 });
  return fc.record(
    Object.fromEntries(
      Object.entries(properties ?? {}).map(([name, schema]) => [name, anyOf(schema)]),
    ),
    { requiredKeys: [...(required ?? [])] },
  );
}

function anyString({ pattern, maxLength = 20, minLength = 0 }: Written): fc.Arbitrary<string> {
  if (pattern?.includes('-[0-9a-f]{12}') === true) return ids;
  if (pattern?.startsWith('^[A-Za-z0-9]') === true) return names;
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 20) });
}

/** Any event of these types, as a decider could have made it. */
export function anyEventOf(definitions: readonly EventDefinition[]): fc.Arbitrary<DomainEvent> {
  return fc
    .oneof(
      ...definitions.map(({ type, schema }) =>
        fc.record({ type: fc.constant(type), data: anyOf(schema) }),
      ),
    )
    .map((event) => event as DomainEvent);
}

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { TSchema } from 'typebox';
import { Problem, type FieldError } from './problem.js';

/** Checks a value; a problem of code VALIDATION_FAILED says what is wrong with it. */
export type Check = (value: unknown) => FieldError[] | undefined;

const OPTIONS = {
  strict: true,
  // To compile the schema of schemas takes a fifth of the start; tests/api/routeSchemas.test.ts holds ours against it.
  validateSchema: false,
  meta: false,
  allErrors: false,
  useDefaults: true,
  allowUnionTypes: true,
} as const;

/** For bodies: what is a string stays one. */
const exact = withKeywords(new Ajv(OPTIONS));
/** For parameters, which all arrive as strings. */
const coercing = withKeywords(new Ajv({ ...OPTIONS, coerceTypes: true }));

/** Compiles a schema for bodies. */
export function checkBody(schema: TSchema): Check {
  return asCheck(exact, schema, (error) => error.instancePath);
}

/** Compiles a schema for query or path parameters; numbers and booleans are read from their texts. */
export function checkParameters(schema: TSchema): Check {
  return asCheck(coercing, schema, (error) => error.instancePath.slice(1));
}

/** @throws Problem VALIDATION_FAILED */
export function ensure(check: Check, value: unknown): void {
  const errors = check(value);
  if (errors !== undefined) throw new Problem('VALIDATION_FAILED', { errors });
}

function asCheck(ajv: Ajv, schema: TSchema, at: (error: ErrorObject) => string): Check {
  let validate: ValidateFunction | undefined;
  return (value) => {
    // At its first use: to compile every schema would take a quarter of the start.
    validate ??= ajv.compile(schema);
    if (validate(value)) return undefined;
    return (validate.errors ?? []).map((error) => ({ at: at(error), message: explain(error) }));
  };
}

function explain({ keyword, params, message = 'is wrong' }: ErrorObject): string {
  if (keyword === 'additionalProperties') {
    return `must not have the property ${JSON.stringify(params.additionalProperty)}`;
  }
  if (keyword === 'enum') return `must be one of ${String(params.allowedValues)}`;
  return message;
}

/** Bounds on objects whose content is the user's own: each is read back whole with what it belongs to. */
function withKeywords(ajv: Ajv): Ajv {
  addFormats.default(ajv, ['date-time', 'email']);
  ajv.addKeyword({
    keyword: 'x-maxDepth',
    type: 'object',
    schemaType: 'number',
    validate: (limit: number, value: object) => depthWithin(value, limit),
    error: { message: 'is nested too deeply' },
  });
  ajv.addKeyword({
    keyword: 'x-maxBytes',
    type: 'object',
    schemaType: 'number',
    validate: (limit: number, value: object) => Buffer.byteLength(JSON.stringify(value)) <= limit,
    error: { message: 'is too large' },
  });
  // In memory an empty object takes twenty times what it takes as text.
  ajv.addKeyword({
    keyword: 'x-maxValues',
    type: 'object',
    schemaType: 'number',
    validate: (limit: number, value: object) => valuesLeft(value, limit) >= 0,
    error: { message: 'holds too many values' },
  });
  return ajv;
}

function depthWithin(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (limit === 0) return false;
  return Object.values(value).every((inner) => depthWithin(inner, limit - 1));
}

/** How many more values than those within `value`, however deep, `limit` leaves; negative once they are too many. */
function valuesLeft(value: unknown, limit: number): number {
  if (typeof value !== 'object' || value === null) return limit;
  let left = limit;
  for (const inner of Object.values(value)) {
    left = valuesLeft(inner, left - 1);
    if (left < 0) break;
  }
  return left;
}

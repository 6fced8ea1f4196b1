import { Type, type TSchema } from 'typebox';
import type { Access, Route } from './route.js';
import { Problem } from './schemas.js';

/** The OpenAPI 3.1 description of the routes; its schemas are those that requests are checked by. */
export function openapi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Fleetbook',
      version,
      description: 'Smart-device management: every read is a projection of an event log.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths,
    components: {
      schemas: { Problem },
      responses: {
        Problem: {
          description: 'What went wrong (RFC 9457); `code` is stable.',
          content: {
            'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
          },
        },
      },
      securitySchemes: {
        user: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Access token.' },
        device: { type: 'http', scheme: 'bearer', description: 'Device token.' },
      },
    },
  };
}

function operation(route: Route): object {
  const command = route.method !== 'get';
  return {
    operationId: `${route.method}${route.path.replaceAll(/[^a-zA-Z0-9]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: route.summary,
    tags: [route.tag],
    security: security(route.access),
    parameters: [
      ...parameters(route.params, 'path'),
      ...parameters(route.query, 'query'),
      ...(command
        ? [header('Idempotency-Key', 'Repeat the command safely under the same key.')]
        : []),
      ...(route.conditional === true
        ? [header('If-Match', 'Only if the thing is still at this ETag.')]
        : []),
      ...(route.reads === undefined
        ? []
        : [header('X-Consistent-With', 'Wait until the answer shows this X-Position.')]),
    ],
    ...(route.body && { requestBody: requestBody(route.body, route.bodyKind) }),
    responses: { ...answers(route), default: { $ref: '#/components/responses/Problem' } },
  };
}

function security(access: Access): object[] {
  switch (access) {
    case 'anyone':
      return [];
    case 'device:report':
    case 'line:report':
      return [{ user: [] }, { device: [] }];
    default:
      return [{ user: [] }];
  }
}

function parameters(schema: TSchema | undefined, where: 'path' | 'query'): object[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schema as ObjectSchema;
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: required.includes(name),
    schema: property,
  }));
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

function header(name: string, description: string): object {
  return { name, in: 'header', required: false, description, schema: { type: 'string' } };
}

function requestBody(schema: TSchema, kind: Route['bodyKind']): object {
  if (kind !== 'lines') {
    return { required: true, content: { 'application/json': { schema } } };
  }
  return {
    required: true,
    content: {
      'application/json': { schema: { type: 'array', items: schema } },
      'application/x-ndjson': { schema: { type: 'string', description: 'One of them a line.' } },
    },
  };
}

function answers(route: Route): Record<string, object> {
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, schema]) => [
      status,
      schema === null
        ? { description: 'Done.' }
        : { description: 'The answer.', content: { [mediaType(schema)]: { schema } } },
    ]),
  );
}

/** Text is answered as it is, everything else as JSON. */
function mediaType(schema: TSchema): string {
  return Type.IsString(schema) ? 'text/plain' : 'application/json';
}

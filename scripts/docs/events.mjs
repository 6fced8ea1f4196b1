import {
  deviceStream,
  emailStream,
  organizationStream,
  sessionStream,
  telemetryStream,
  userStream,
} from '../../dist/events/streams.js';
import * as values from '../../dist/events/values.js';
import { code, page, table } from './markdown.mjs';

const streams = {
  user: userStream('{userId}'),
  email: emailStream('{keyed hash of the address}'),
  organization: organizationStream('{organizationId}'),
  session: sessionStream('{sessionId}'),
  device: deviceStream('{deviceId}'),
  telemetry: telemetryStream('{deviceId}', 0).replace(/\d{8}$/, '{yyyymmdd}'),
};

/** What a shared value is, in words; its bounds follow from its schema. */
const WORDS = {
  Id: 'A lower-case UUID.',
  Millis: 'A time, in milliseconds since 1970-01-01T00:00:00Z.',
  Name: 'The name of a metric, a log event or a device type.',
  DeviceStatus: 'What a device is put to.',
  Connection: 'Whether a device is heard of.',
  LogLevel: 'How bad it is.',
  UserRole: 'What a user is to the installation.',
  MemberRole: 'What a user is to an organization.',
  Tags: 'What a device is found by.',
  Free: 'Whatever a user wants kept.',
  Metrics: 'Numbers by name.',
  HeartbeatInterval: 'Seconds between heartbeats.',
};

const shared = new Map(
  Object.entries(values)
    .filter(([, value]) => typeof value === 'object' && !Array.isArray(value))
    .map(([name, schema]) => [JSON.stringify(schema), name]),
);

export function eventsPage({ families, projections }) {
  return page(
    'Events',
    `What happened, as the log keeps it. An event also carries its id, its stream and revision in it, its position in the
log, the time at which it was decided, and who caused it by which command and request
(\`src/events/envelope.ts\`). Data of an older version is brought to the present one when it is read; the log is never
rewritten.`,
    ...Object.entries(families).map(([family, definitions]) =>
      familyPart(family, definitions, projections),
    ),
    valuesPart(),
  );
}

function familyPart(family, definitions, projections) {
  const stream = streams[family];
  if (stream === undefined)
    throw new Error(`scripts/docs/events.mjs: which streams has ${family}?`);
  return [
    `## ${family[0].toUpperCase()}${family.slice(1)}`,
    `In the streams ${code(stream)}.`,
    ...definitions.map((definition) => eventPart(definition, projections)),
  ].join('\n\n');
}

function eventPart({ type, version, description, schema }, projections) {
  const readers = projections.filter(({ types }) => types.includes(type)).map(({ name }) => name);
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties).map(([name, field]) => [
    code(name),
    typeOf(field),
    required.has(name) ? '' : 'optional',
  ]);
  return [
    `### ${type}`,
    `Version ${version}. ${description} ${readers.length === 0 ? 'No projection folds it.' : `Folded by ${readers.join(', ')}.`}`,
    table(['field', 'type', ''], rows),
  ].join('\n\n');
}

function valuesPart() {
  const rows = [...shared].map(([schema, name]) => {
    if (WORDS[name] === undefined) throw new Error(`scripts/docs/events.mjs: what is a ${name}?`);
    return [code(name), WORDS[name], written(JSON.parse(schema))];
  });
  return `## Values\n\n${table(['type', 'what it is', 'as'], rows)}`;
}

function typeOf(schema) {
  const name = shared.get(JSON.stringify(schema));
  return name === undefined ? written(schema) : `[${code(name)}](#values)`;
}

/** A schema in a few words. */
function written(schema) {
  if (schema.enum !== undefined)
    return schema.enum.map((value) => code(JSON.stringify(value))).join(' or ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer':
    case 'number':
      return `${schema.type}${range(schema)}`;
    case 'array':
      return `list of up to ${schema.maxItems}, each ${typeOf(schema.items)}`;
    case 'object':
      return record(schema);
    case 'boolean':
    case 'null':
      return schema.type;
    default:
      return 'anything';
  }
}

function text({ minLength = 0, maxLength, pattern }) {
  const length =
    maxLength === undefined ? 'text' : `text of ${minLength} to ${maxLength} characters`;
  if (pattern === undefined) return length;
  // Line: the pattern says less than the words.
  if (pattern.startsWith('^[^\\u0000')) return `${length} on one line`;
  return maxLength === undefined ? code(pattern) : `${length}, ${code(pattern)}`;
}

function record({ patternProperties = {}, maxProperties }) {
  const [value] = Object.values(patternProperties);
  const bound = maxProperties === undefined ? '' : ` of up to ${maxProperties}`;
  return `object${bound}, each ${value === undefined ? 'anything' : typeOf(value)}`;
}

function range({ minimum, maximum }) {
  if (minimum === undefined) return '';
  return maximum === undefined ? ` from ${minimum}` : ` from ${minimum} to ${maximum}`;
}

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import type { Family } from '../../src/commands/decider.js';
import { device } from '../../src/commands/device/state.js';
import { organization } from '../../src/commands/organization/state.js';
import { session } from '../../src/commands/session/state.js';
import { email } from '../../src/commands/user/email.js';
import { user } from '../../src/commands/user/state.js';
import { catalog, families, makeCatalog, UnknownEvent } from '../../src/events/catalog.js';
import { defineEvent, type EventDefinition } from '../../src/events/definition.js';
import type { Position, RecordedEvent } from '../../src/events/envelope.js';
import { anyEventOf } from './anyEvent.js';

const definitions: readonly EventDefinition[] = Object.values(families).flat();

/** What a release has once written, in `<type>.v<version>.json`: never edited, only added to. */
const GOLDEN = 'tests/golden';

const recorded = (type: string, version: number | undefined, data: unknown): RecordedEvent => ({
  id: '00000000-0000-5000-8000-000000000000',
  stream: 'thing-1',
  revision: 0,
  position: 8n as Position,
  type,
  time: 0,
  data,
  metadata: {
    actor: { kind: 'anonymous' },
    commandId: 'command',
    ...(version !== undefined && { version }),
  },
});

describe('the catalogue', () => {
  const versions = definitions.flatMap(({ type, version }) =>
    Array.from({ length: version }, (_, index) => [type, index + 1] as const),
  );

  it.each(versions)('still reads a golden %s of version %i', (type, version) => {
    const text = readFileSync(`${GOLDEN}/${type}.v${version}.json`, 'utf8');
    const { data } = catalog.upcast(recorded(type, version, JSON.parse(text)));
    const schema = catalog.definition(type)?.schema ?? {};
    expect(Check(schema, data)).toBe(true);
  });

  it('has no golden file of something that it does not know', () => {
    expect(readdirSync(GOLDEN).sort()).toEqual(
      versions.map(([type, version]) => `${type}.v${version}.json`).sort(),
    );
  });

  it('names each type once, in the past tense, and says what it means', () => {
    expect(new Set(definitions.map(({ type }) => type)).size).toBe(definitions.length);
    for (const { type, description } of definitions) {
      expect(type).toMatch(/^[A-Z][A-Za-z]+ed$/);
      expect(description).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('lets no secret into an event: only digests have a place there', () => {
    const fields = definitions.flatMap(({ schema }) =>
      Object.keys('properties' in schema ? (schema.properties as object) : {}),
    );
    const secretive = fields.filter((name) => /password|token|secret/i.test(name));
    expect(new Set(secretive)).toEqual(new Set(['passwordHash', 'tokenHash', 'tokenId']));
  });
});

describe('an event that was changed twice', () => {
  /** Version 1 knew a temperature in Fahrenheit, version 2 in Celsius, version 3 says where it was taken. */
  const measured = defineEvent(
    'TemperatureMeasured',
    'A temperature was measured.',
    Type.Object({ celsius: Type.Number(), place: Type.String() }),
    [
      ({ fahrenheit, ...rest }) => ({ ...rest, celsius: ((Number(fahrenheit) - 32) * 5) / 9 }),
      (data) => ({ ...data, place: 'unknown' }),
    ],
  );
  const small = makeCatalog([measured]);

  it('has the version that its upcasters lead to', () => {
    expect(measured.version).toBe(3);
  });

  it('is brought from any version to the present one', () => {
    const today = { celsius: 100, place: 'unknown' };
    const written = (version: number | undefined, data: object) =>
      small.upcast(recorded('TemperatureMeasured', version, data)).data;
    expect(written(undefined, { fahrenheit: 212 })).toEqual(today);
    expect(written(1, { fahrenheit: 212 })).toEqual(today);
    expect(written(2, { celsius: 100 })).toEqual(today);
    expect(written(3, { celsius: 100, place: 'kettle' })).toEqual({
      celsius: 100,
      place: 'kettle',
    });
  });

  it('stays in the log as it was', () => {
    const old = recorded('TemperatureMeasured', 1, Object.freeze({ fahrenheit: 212 }));
    const { data, ...envelope } = small.upcast(old);
    expect(data).not.toBe(old.data);
    expect({ ...envelope, data: old.data }).toEqual(old);
  });

  it('is unknown in a version that only a newer release writes', () => {
    expect(() => small.upcast(recorded('TemperatureMeasured', 4, {}))).toThrow(UnknownEvent);
  });

  it('is unknown under a name that nobody has defined', () => {
    expect(() => small.upcast(recorded('HumidityMeasured', 1, {}))).toThrow(UnknownEvent);
    expect(() => small.upcast(recorded('toString', 1, {}))).toThrow(UnknownEvent);
    expect(small.definition('HumidityMeasured')).toBeUndefined();
  });
});

describe('every fold of a stream', () => {
  const folds: readonly (readonly [string, Family<unknown>])[] = [
    ['user', user],
    ['email', email],
    ['organization', organization],
    ['session', session],
    ['device', device],
  ];

  it.each(folds)('of the family %s takes any events in any order', (name, family) => {
    const own = families[name as keyof typeof families];
    const events = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: anyEventOf(own) },
        { weight: 1, arbitrary: anyEventOf(definitions) },
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(events, (past) => {
        let state = family.initial;
        past.forEach((event, time) => {
          const before = structuredClone(state);
          const after = family.evolve(state, event, time);
          expect(state).toEqual(before);
          expect(after).toHaveProperty('kind');
          state = after;
        });
      }),
    );
  });
});

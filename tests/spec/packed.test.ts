import fc from 'fast-check';
import type { Outcome } from '../../src/adapters/sqlite/logWriter.js';
import {
  appendPack,
  packOutcomes,
  unpackAppends,
  unpackOutcomes,
} from '../../src/adapters/sqlite/packed.js';
import type { EventText } from '../../src/adapters/json/eventText.js';

const event: fc.Arbitrary<EventText> = fc.tuple(
  fc.uuid(),
  fc.constantFrom('A', 'B'),
  fc.nat(),
  fc.constantFrom('{}', '{"a":1}'),
  fc.constantFrom('{"commandId":"1"}', '{"commandId":"2"}'),
);
const append = fc.record({
  stream: fc.string({ minLength: 1 }),
  expected: fc.oneof(fc.nat(), fc.constantFrom('none' as const, 'any' as const)),
  events: fc.array(event, { minLength: 1, maxLength: 5 }),
});
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.tuple(fc.constant('appended' as const), fc.nat(), fc.integer({ min: 1 })),
  fc.tuple(fc.constant('wrong' as const), fc.integer({ min: -1 })),
);

describe('between the log and its writer thread', () => {
  it('appends arrive as they were given, in one message or in several', () => {
    const messages = fc.array(fc.array(append, { maxLength: 10 }), { maxLength: 4 });
    fc.assert(
      fc.property(messages, (given) => {
        const pack = appendPack();
        for (const appends of given) {
          for (const one of appends) pack.add(one);
          expect(pack.events()).toBe(appends.flatMap(({ events }) => events).length);
          // As it is after the way to another thread.
          const message = structuredClone(pack.take());
          expect(pack.events()).toBe(0);
          expect(unpackAppends(message)).toEqual(
            appends.map(({ stream, expected, events }) => [stream, expected, events]),
          );
        }
      }),
    );
  });

  it('so do their outcomes', () => {
    fc.assert(
      fc.property(fc.array(outcome), (given) => {
        expect(unpackOutcomes(structuredClone(packOutcomes(given)))).toEqual(given);
      }),
    );
  });
});

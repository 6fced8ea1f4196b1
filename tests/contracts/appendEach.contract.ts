import type { NewEvent } from '../../src/events/envelope.js';
import { AppendRejected, WrongRevision, type EventStore } from '../../src/events/eventStore.js';
import { anEvent, collect, idsOf, someEvents } from '../support/logEvents.js';
import { withLog, type Setup } from './eventStore.fixture.js';

/** What every adapter of the EventStore port keeps of many appends by one call. */
export function appendEachContract(name: string, setup: Setup): void {
  describe(`many appends by one call, on ${name}`, () => {
    let store: EventStore;
    let own: string;
    let stream: string;
    withLog(setup, (opened) => {
      ({ store, own, stream } = opened);
    });

    const standing = async (of = stream) => idsOf(await collect(store.read(of)));

    it('gives each append an outcome of its own, in their order', async () => {
      const known = await store.append(stream, [anEvent()], 'none');
      const [first, second] = [someEvents(2), someEvents(1)];
      const outcomes = await store.appendEach([
        { stream: `${own}b`, events: first, expected: 'none' },
        { stream, events: [anEvent()], expected: 'none' },
        { stream: `${own}c`, events: [anEvent({ id: 'no UUID' })], expected: 'any' },
        { stream, events: second, expected: known.revision },
        { stream: `${own}b`, events: [], expected: 'any' },
      ]);
      const [b] = await collect(store.read(`${own}b`, { direction: 'backwards' }));
      const [a] = await collect(store.read(stream, { direction: 'backwards' }));
      expect(outcomes).toHaveLength(5);
      expect(outcomes[0]).toEqual({ revision: 1, position: b?.position });
      expect(outcomes[1]).toBeInstanceOf(WrongRevision);
      expect(outcomes[1]).toMatchObject({ stream, expected: 'none' });
      expect(outcomes[2]).toBeInstanceOf(AppendRejected);
      expect(outcomes[3]).toEqual({ revision: 1, position: a?.position });
      expect(outcomes[4]).toBeInstanceOf(AppendRejected);
      expect(await standing(`${own}b`)).toEqual(idsOf(first));
      expect(await standing(`${own}c`)).toEqual([]);
    });

    it('answers nothing to nothing', async () => {
      expect(await store.appendEach([])).toEqual([]);
    });

    it('appends to one stream in the order given, beside other calls', async () => {
      const calls = Array.from({ length: 5 }, () => someEvents(300));
      const each = (events: readonly NewEvent[]) =>
        store.appendEach(
          events.map((event) => ({ stream, events: [event], expected: 'any' as const })),
        );
      const outcomes = await Promise.all(calls.map(each));
      const ids = await standing();
      expect(ids).toHaveLength(1_500);
      outcomes.forEach((ofCall, nth) => {
        const revisions = ofCall.map((one) => (one instanceof Error ? NaN : one.revision));
        expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
        expect(revisions.map((revision) => ids[revision])).toEqual(idsOf(calls[nth] ?? []));
      });
    });

    it('recognises what is repeated, in the same call too', async () => {
      const append = { stream, events: someEvents(2), expected: 'any' as const };
      const [first, again] = await store.appendEach([append, append]);
      expect(again).toEqual(first);
      expect(await store.appendEach([append])).toEqual([first]);
      expect(await standing()).toEqual(idsOf(append.events));
    });

    it('says of each append of a call what became of it', async () => {
      const events = someEvents(50);
      const each = () =>
        store.appendEach(events.map((event) => ({ stream, events: [event], expected: 'any' })));
      const before = each();
      await store.stop();
      expect(await before).toEqual(
        events.map(() => ({ revision: anyNumber, position: anyBigInt })),
      );
      for (const outcome of await each()) expect(outcome).toMatchObject({ reason: 'stopped' });
    });
  });
}

const anyNumber = expect.any(Number) as number;
const anyBigInt = expect.any(BigInt) as bigint;

import { START, type NewEvent, type RecordedEvent } from '../../src/events/envelope.js';
import {
  AppendRejected,
  MAX_APPEND_EVENTS,
  REPEAT_WINDOW,
  StoreUnavailable,
  WrongRevision,
  type EventStore,
  type Expected,
} from '../../src/events/eventStore.js';
import { appendEachContract } from './appendEach.contract.js';
import { withLog, type LogUnderTest, type Setup } from './eventStore.fixture.js';
import { anEvent, collect, eventsOf, follow, idsOf, someEvents } from '../support/logEvents.js';

/** What every adapter of the EventStore port keeps. */
export function eventStoreContract(name: string, setup: Setup): void {
  appendEachContract(name, setup);
  describe(`the event store on ${name}`, () => {
    let log: LogUnderTest;
    let store: EventStore;
    let own: string;
    let stream: string;
    withLog(setup, (opened) => {
      ({ log, store, own, stream } = opened);
    });

    const refused = async (
      append: Promise<unknown>,
      expected: Expected,
      actual: number | undefined,
    ) => {
      const error = await append.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(WrongRevision);
      expect(error).toMatchObject({ stream, expected });
      expect([undefined, actual]).toContain((error as WrongRevision).actual);
    };
    const standing = async (of = stream) => idsOf(await collect(store.read(of)));

    describe('appending', () => {
      it('numbers events from 0 and answers with the last of the append', async () => {
        const first = await store.append(stream, someEvents(3), 'none');
        const second = await store.append(stream, [anEvent()], 2);
        const events = await collect(store.read(stream));
        expect(events.map(({ revision }) => revision)).toEqual([0, 1, 2, 3]);
        expect(first).toEqual({ revision: 2, position: events[2]?.position });
        expect(second).toEqual({ revision: 3, position: events[3]?.position });
      });

      it('gives back what was written', async () => {
        const written = anEvent({
          type: 'Überraschung "Ω" 🙂',
          time: 1_234_567_890_123,
          data: {
            text: 'line\nnext\u2028 \u0000 🙂 é "quoted" \\ \ud800',
            number: -0.1,
            large: 9_007_199_254_740_991,
            nothing: null,
            list: [1, [2, { deep: true }]],
            constructor: {},
          },
          metadata: {
            actor: { kind: 'user', id: 'ü' },
            commandId: 'c',
            commandHash: 'h',
            requestId: 'r',
            version: 3,
          },
        });
        const { position } = await store.append(stream, [written], 'any');
        expect(await collect(store.read(stream))).toEqual([
          { ...written, stream, revision: 0, position },
        ]);
      });

      it('expects what it is told to expect', async () => {
        await refused(store.append(stream, [anEvent()], 0), 0, undefined);
        await store.append(stream, someEvents(2), 'none');
        await refused(store.append(stream, [anEvent()], 'none'), 'none', 1);
        await refused(store.append(stream, [anEvent()], 0), 0, 1);
        await refused(store.append(stream, [anEvent()], 2), 2, 1);
        await refused(store.append(stream, someEvents(5), 0), 0, 1);
        expect(await standing()).toHaveLength(2);
        await store.append(stream, [anEvent()], 1);
        await store.append(stream, [anEvent()], 'any');
        expect(await standing()).toHaveLength(4);
      });

      it('does not make a stream for a refused append', async () => {
        await refused(store.append(stream, [anEvent()], 7), 7, undefined);
        await expect(store.append(stream, [anEvent()], 'none')).resolves.toMatchObject({
          revision: 0,
        });
      });

      it('takes a whole append of the most events, and none of one too many', async () => {
        const most = someEvents(MAX_APPEND_EVENTS, { data: {} });
        await expect(store.append(stream, [...most, anEvent()], 'none')).rejects.toThrow(
          AppendRejected,
        );
        expect(await standing()).toEqual([]);
        await expect(store.append(stream, most, 'none')).resolves.toMatchObject({
          revision: MAX_APPEND_EVENTS - 1,
        });
        expect(await standing()).toEqual(idsOf(most));
      });

      it.each<[string, () => readonly NewEvent[]]>([
        ['nothing', () => []],
        ['more than a mebibyte', () => [anEvent({ data: { text: 'x'.repeat(1_048_576) } })]],
        ['a mebibyte of wide text', () => [anEvent({ data: { text: 'é'.repeat(524_288) } })]],
        ['an id that is no UUID', () => [anEvent(), anEvent({ id: 'first' })]],
        ['an event without a type', () => [anEvent({ type: '' })]],
        ['half a millisecond', () => [anEvent({ time: 0.5 })]],
        ['what JSON can not hold', () => [anEvent({ data: { big: 1n } })]],
      ])('rejects %s, and writes none of it', async (_, events) => {
        await expect(store.append(stream, events(), 'any')).rejects.toThrow(AppendRejected);
        expect(await standing()).toEqual([]);
      });

      it('rejects a stream without a name, and a revision that can not be one', async () => {
        await expect(store.append('', [anEvent()], 'any')).rejects.toThrow(AppendRejected);
        await expect(store.append('lone \ud800', [anEvent()], 'any')).rejects.toThrow(
          AppendRejected,
        );
        for (const revision of [-1, -2, 0.5, Number.NaN, Infinity]) {
          await expect(store.append(stream, [anEvent()], revision)).rejects.toThrow(AppendRejected);
        }
        expect(await standing()).toEqual([]);
      });

      it('keeps streams with odd names apart', async () => {
        const names = [
          "'",
          '"; DROP TABLE events; --',
          '%',
          '_',
          '*',
          'A',
          'a',
          'ä',
          'a\u0308',
          ' a',
          'a ',
          '-',
          '--',
          'a-b-c',
          '🙂',
          '../..',
          'line\nnext',
          'x'.repeat(500),
        ].map((name) => `${own}odd-${name}`);
        const written = new Map(names.map((odd) => [odd, anEvent()]));
        await Promise.all([...written].map(([odd, event]) => store.append(odd, [event], 'none')));
        for (const [odd, event] of written) {
          const events = await collect(store.read(odd));
          expect(events.map(({ id, stream: of }) => [id, of])).toEqual([[event.id, odd]]);
        }
      });
    });

    describe('an append repeated unchanged', () => {
      it.each([1, 3])('is answered as the first time: %d events', async (count) => {
        const events = someEvents(count);
        const first = await store.append(stream, events, 'none');
        expect(await store.append(stream, events, 'none')).toEqual(first);
        const next = someEvents(count);
        const second = await store.append(stream, next, count - 1);
        expect(await store.append(stream, next, count - 1)).toEqual(second);
        expect(await store.append(stream, events, 'none')).toEqual(first);
        expect(await standing()).toEqual(idsOf([...events, ...next]));
      });

      it('is recognised however much came after it, when it names its revision', async () => {
        const events = someEvents(2);
        const first = await store.append(stream, events, 'none');
        await store.append(stream, someEvents(3 * REPEAT_WINDOW), 1);
        expect(await store.append(stream, events, 'none')).toEqual(first);
      });

      it('is recognised with `any` among the last events of the stream', async () => {
        const events = someEvents(3);
        const first = await store.append(stream, events, 'any');
        expect(await store.append(stream, events, 'any')).toEqual(first);
        for (const later of someEvents(REPEAT_WINDOW - 1))
          await store.append(stream, [later], 'any');
        expect(await store.append(stream, events, 'any')).toEqual(first);
        expect(await standing()).toHaveLength(3 + REPEAT_WINDOW - 1);
      });

      it('is recognised when both are under way at once', async () => {
        const [explicit, any] = [someEvents(2), someEvents(2)];
        const other = `${own}b`;
        const answers = await Promise.all([
          store.append(stream, explicit, 'none'),
          store.append(other, any, 'any'),
          store.append(stream, explicit, 'none'),
          store.append(other, any, 'any'),
        ]);
        expect(answers[2]).toEqual(answers[0]);
        expect(answers[3]).toEqual(answers[1]);
        expect(await standing()).toEqual(idsOf(explicit));
        expect(await standing(other)).toEqual(idsOf(any));
      });

      it('is recognised after the log was closed and opened', async () => {
        const [first, second] = [someEvents(2), someEvents(2)];
        await store.append(stream, first, 'none');
        const answer = await store.append(stream, second, 1);
        await store.stop();
        store = await log.open();
        expect(await store.append(stream, second, 1)).toEqual(answer);
        expect(await store.append(stream, [anEvent()], 3)).toMatchObject({ revision: 4 });
      });

      it('is recognised by its first events alone', async () => {
        const events = someEvents(3);
        await store.append(stream, events, 'none');
        await expect(store.append(stream, events.slice(0, 2), 'none')).resolves.toMatchObject({
          revision: 1,
        });
      });

      it('is another append with an event more, or in another order', async () => {
        const events = someEvents(2);
        await store.append(stream, events, 'none');
        await refused(store.append(stream, [...events, anEvent()], 'none'), 'none', 1);
        await refused(store.append(stream, events.toReversed(), 'none'), 'none', 1);
        await refused(store.append(stream, events.slice(1), 'none'), 'none', 1);
        expect(await standing()).toEqual(idsOf(events));
      });

      it('is another append on another stream', async () => {
        const events = someEvents(2);
        await store.append(stream, events, 'any');
        await store.append(`${own}b`, events, 'any');
        expect(await standing(`${own}b`)).toEqual(idsOf(events));
      });
    });

    describe('many writers of one stream', () => {
      const WRITERS = 100;

      it('lose no event with `any`', async () => {
        const events = someEvents(WRITERS);
        const answers = await Promise.all(
          events.map((event) => store.append(stream, [event], 'any')),
        );
        const revisions = answers.map(({ revision }) => revision).sort((a, b) => a - b);
        expect(revisions).toEqual(events.map((_, index) => index));
        expect((await standing()).sort()).toEqual(idsOf(events).sort());
      });

      it('get one winner each round with expected revisions', async () => {
        const events = someEvents(WRITERS);
        await Promise.all(
          events.map(async (event) => {
            for (let expected: Expected = 'none'; ;) {
              try {
                await store.append(stream, [event], expected);
                return;
              } catch (error) {
                if (!(error instanceof WrongRevision)) throw error;
                const [last] = await collect(
                  store.read(stream, { direction: 'backwards', limit: 1 }),
                );
                expected = last?.revision ?? 'none';
              }
            }
          }),
        );
        expect((await standing()).sort()).toEqual(idsOf(events).sort());
      });
    });

    describe('reading a stream', () => {
      const ids = (ofEvents: AsyncIterable<RecordedEvent>) => collect(ofEvents).then(idsOf);

      it('finds nothing where nothing is', async () => {
        expect(await collect(store.read(stream))).toEqual([]);
        expect(await collect(store.read(stream, { direction: 'backwards' }))).toEqual([]);
      });

      it('goes both ways, from a revision on, up to a limit', async () => {
        const written = idsOf(someEvents(5).map((event) => event));
        await store.append(
          stream,
          written.map((id) => anEvent({ id })),
          'none',
        );
        const backwards = written.toReversed();
        expect(await ids(store.read(stream, { from: 3 }))).toEqual(written.slice(3));
        expect(await ids(store.read(stream, { from: 5 }))).toEqual([]);
        expect(await ids(store.read(stream, { from: 1, limit: 2 }))).toEqual(written.slice(1, 3));
        expect(await ids(store.read(stream, { limit: 9 }))).toEqual(written);
        expect(await ids(store.read(stream, { direction: 'backwards' }))).toEqual(backwards);
        expect(await ids(store.read(stream, { direction: 'backwards', from: 2 }))).toEqual(
          backwards.slice(2),
        );
        expect(await ids(store.read(stream, { direction: 'backwards', limit: 1 }))).toEqual(
          backwards.slice(0, 1),
        );
        expect(await ids(store.read(stream, { direction: 'backwards', from: 0 }))).toEqual(
          backwards.slice(4),
        );
      });

      it('reads large events whole, however few fit into a page', async () => {
        const written = someEvents(90, { data: { text: 'x'.repeat(50_000) } });
        for (let from = 0; from < written.length; from += 15) {
          await store.append(stream, written.slice(from, from + 15), 'any');
        }
        expect(await standing()).toEqual(idsOf(written));
        const backwards = idsOf(written).toReversed();
        expect(await ids(store.read(stream, { direction: 'backwards' }))).toEqual(backwards);
        const some = await ids(store.read(stream, { from: 3, limit: 60 }));
        expect(some).toEqual(idsOf(written).slice(3, 63));
        const log = { streams: [own] };
        expect(await ids(store.readAll({ ...log, direction: 'backwards' }))).toEqual(backwards);
        const batches = await follow(store, { ...log, from: START }, (_, { caughtUp }) => caughtUp);
        expect(idsOf(batches.flatMap(({ events }) => events))).toEqual(idsOf(written));
      });

      it('reads long streams whole, and stops when the reader does', async () => {
        const written = someEvents(2_500);
        await store.append(stream, written, 'none');
        expect(await standing()).toEqual(idsOf(written));
        expect(await ids(store.read(stream, { direction: 'backwards' }))).toEqual(
          idsOf(written).toReversed(),
        );
        for await (const event of store.read(stream)) if (event.revision === 3) break;
      });
    });

    describe('reading the log', () => {
      /** Appends in turn to two streams, with two types; the events in the order of the log. */
      async function filled(count: number): Promise<RecordedEvent[]> {
        for (let n = 0; n < count; n++) {
          const event = anEvent({ type: n % 3 === 0 ? 'Third' : 'Other' });
          await store.append(`${own}${n % 2 === 0 ? 'even' : 'odd'}`, [event], 'any');
        }
        return collect(store.readAll({ streams: [own] }));
      }

      it('goes through all streams in the order in which they were written', async () => {
        const events = await filled(20);
        expect(events).toHaveLength(20);
        expect(events.map(({ time }) => time)).toEqual(
          events.map(({ time }) => time).sort((a, b) => a - b),
        );
        expect(events.every(({ position }, n) => position > (events[n - 1]?.position ?? 0n))).toBe(
          true,
        );
        const head = await store.head();
        expect(head >= (events.at(-1)?.position ?? 0n)).toBe(true);
      });

      it('goes both ways from a position that is not itself read', async () => {
        const events = await filled(9);
        const middle = events[4];
        if (middle === undefined) throw new Error('nothing was read');
        const all = (options: object) =>
          collect(store.readAll({ streams: [own], from: middle.position, ...options }));
        expect(await all({})).toEqual(events.slice(5));
        expect(await all({ limit: 2 })).toEqual(events.slice(5, 7));
        expect(await all({ direction: 'backwards' })).toEqual(events.slice(0, 4).toReversed());
        expect(await all({ direction: 'backwards', limit: 1 })).toEqual(events.slice(3, 4));
      });

      it('reads what passes the filter', async () => {
        const events = await filled(12);
        const all = (options: object) => collect(store.readAll(options));
        const third = events.filter(({ type }) => type === 'Third');
        const even = events.filter((event) => event.stream === `${own}even`);
        expect(await all({ streams: [own], types: ['Third'] })).toEqual(third);
        expect(await all({ streams: [own], types: ['Third', 'Other'] })).toEqual(events);
        expect(await all({ streams: [own], types: ['third', 'Thir', '%'] })).toEqual([]);
        expect(await all({ streams: [`${own}ev`] })).toEqual(even);
        expect(await all({ streams: [`${own}ev`, `${own}odd`] })).toEqual(events);
        expect(await all({ streams: [`${own}even`], types: ['Third'], limit: 1 })).toEqual(
          third.filter(({ stream: of }) => of === `${own}even`).slice(0, 1),
        );
        expect(await all({ streams: [`${own}e%`, `x${own}even`] })).toEqual([]);
        expect(await all({ streams: [own], direction: 'backwards', types: ['Third'] })).toEqual(
          third.toReversed(),
        );
      });
    });

    describe('a subscription', () => {
      it('catches up and says so, then goes on live', async () => {
        const start = await store.head();
        const events = someEvents(10);
        await store.append(stream, events.slice(0, 6), 'none');
        let live = false;
        const batches = await follow(
          store,
          { from: start, streams: [own], batchSize: 4 },
          async (seen, { caughtUp }) => {
            if (caughtUp && !live) {
              live = true;
              expect(idsOf(seen)).toEqual(idsOf(events.slice(0, 6)));
              await store.append(stream, events.slice(6), 5);
            }
            return seen.length === 10;
          },
        );
        expect(idsOf(eventsOf(batches))).toEqual(idsOf(events));
        expect(batches.every((batch) => batch.events.length <= 4)).toBe(true);
        const last = eventsOf(batches).at(-1);
        expect((batches.at(-1)?.position ?? 0n) >= (last?.position ?? 1n)).toBe(true);
      });

      it('says at once that there is nothing yet', async () => {
        const from = await store.head();
        const [batch] = await follow(store, { from, streams: [own] }, () => true);
        expect(batch).toMatchObject({ events: [], caughtUp: true });
        expect((batch?.position ?? -1n) >= from).toBe(true);
      });

      it('goes live in a storm of appends without gap or repeat', async () => {
        const start = await store.head();
        const WRITERS = 8;
        const EACH = 60;
        const storm = Promise.all(
          Array.from({ length: WRITERS }, async (_, writer) => {
            for (let n = 0; n < EACH; n++) {
              await store.append(`${own}${writer}`, someEvents(1 + (n % 3)), 'any');
            }
          }),
        );
        const total = WRITERS * EACH * 2;
        const [seen, again] = await Promise.all(
          [7, 1_000].map(async (batchSize) =>
            eventsOf(
              await follow(
                store,
                { from: start, streams: [own], batchSize },
                (events) => events.length >= total,
              ),
            ),
          ),
        );
        await storm;
        expect(seen).toEqual(await collect(store.readAll({ from: start, streams: [own] })));
        expect(again).toEqual(seen);
      });

      it('begins after the position that was processed last', async () => {
        await store.append(stream, someEvents(5), 'none');
        const events = await collect(store.read(stream));
        for (const [index, event] of events.slice(0, 4).entries()) {
          const left = events.slice(index + 1);
          const batches = await follow(
            store,
            { from: event.position, streams: [own] },
            (seen) => seen.length >= left.length,
          );
          expect(eventsOf(batches)).toEqual(left);
        }
      });

      it('begins with what is new when it is told so', async () => {
        await store.append(stream, someEvents(3), 'none');
        const fresh = anEvent();
        const batches = await follow(
          store,
          { from: 'now', streams: [own] },
          async (seen, { caughtUp }) => {
            if (caughtUp && seen.length === 0) await store.append(stream, [fresh], 2);
            return seen.length > 0;
          },
        );
        expect(idsOf(eventsOf(batches))).toEqual([fresh.id]);
      });

      it('passes on what the filter lets through, and moves past the rest', async () => {
        const from = await store.head();
        await store.append(stream, [anEvent({ type: 'Wanted' })], 'none');
        const { position } = await store.append(stream, someEvents(50), 0);
        const batches = await follow(
          store,
          { from, streams: [own], types: ['Wanted'] },
          (_, batch) => batch.caughtUp && batch.position >= position,
        );
        expect(eventsOf(batches).map(({ type }) => type)).toEqual(['Wanted']);
      });

      it('moves past what the filter holds back while live', async () => {
        let last = await store.head();
        let appends = 0;
        const batches = await follow(
          store,
          { from: last, streams: [`${own}none`] },
          async (_, batch) => {
            if (appends === 3) return batch.position >= last;
            if (batch.position >= last) {
              ({ position: last } = await store.append(stream, someEvents(2), 'any'));
              appends += 1;
            }
            return false;
          },
        );
        expect(eventsOf(batches)).toEqual([]);
        const positions = batches.map(({ position }) => position);
        expect(positions).toEqual(positions.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
      });

      it('waits for a slow consumer and gives it everything', async () => {
        const from = await store.head();
        const total = 300;
        await store.append(stream, someEvents(total / 2), 'none');
        let late = false;
        const batches = await follow(
          store,
          { from, streams: [own], batchSize: 10 },
          async (seen) => {
            // Much is written between two batches.
            if (!late) {
              for (const event of someEvents(total / 2)) await store.append(stream, [event], 'any');
            }
            late = true;
            return seen.length === total;
          },
        );
        expect(eventsOf(batches).map(({ revision }) => revision)).toEqual(
          Array.from({ length: total }, (_, index) => index),
        );
      });

      it('ends without an error when it is aborted: waiting, reading, or before', async () => {
        const from = await store.head();
        await store.append(stream, someEvents(5), 'none');

        const waiting = new AbortController();
        for await (const { caughtUp } of store.subscribe({ from: 'now', signal: waiting.signal })) {
          if (caughtUp) setImmediate(() => waiting.abort());
        }

        const reading = new AbortController();
        const read: RecordedEvent[] = [];
        const options = { from, streams: [own], batchSize: 1, signal: reading.signal };
        for await (const { events } of store.subscribe(options)) {
          read.push(...events);
          if (read.length > 0) reading.abort();
        }
        expect(read).toHaveLength(1);

        const before = AbortSignal.abort();
        expect(await collect(store.subscribe({ from, signal: before }))).toEqual([]);
      });
    });

    describe('stopping', () => {
      const reasonOf = async (call: Promise<unknown>) => {
        const error: unknown = await call.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        return error instanceof StoreUnavailable ? error.reason : error;
      };

      it('finishes the appends that were accepted', async () => {
        const events = someEvents(50);
        const appends = events.map((event) => store.append(stream, [event], 'any'));
        await store.stop();
        await expect(Promise.all(appends)).resolves.toHaveLength(50);
        store = await log.open();
        expect((await standing()).sort()).toEqual(idsOf(events).sort());
      });

      it('refuses whatever comes later', async () => {
        await store.append(stream, [anEvent()], 'none');
        await store.stop();
        await store.stop();
        const { signal } = new AbortController();
        for (const call of [
          () => store.append(stream, [anEvent()], 'any'),
          () => collect(store.read(stream)),
          () => collect(store.readAll()),
          () => collect(store.subscribe({ from: 'now', signal })),
          () => store.head(),
        ]) {
          expect(await reasonOf(call())).toBe('stopped');
        }
      });

      it('tells a subscription, so that nobody takes it for the end', async () => {
        const from = await store.head();
        const followed = follow(store, { from }, () => {
          setImmediate(() => void store.stop());
          return false;
        });
        expect(await reasonOf(followed)).toBe('stopped');
      });
    });
  });
}

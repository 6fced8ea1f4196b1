import type { DomainEvent } from '../../src/events/catalog.js';
import type { NewEvent, Position } from '../../src/events/envelope.js';
import { REPEAT_WINDOW, StoreUnavailable, type EventStore } from '../../src/events/eventStore.js';
import type { ReadModelStore } from '../../src/projections/readModels.js';
import { projections } from '../../src/projections/registry.js';
import { usageDays } from '../../src/projections/usage.js';
import { id, logged, PUMP } from '../spec/things.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';
import { eventId, newEvent, streamOf } from './documents.js';
import {
  allOf,
  caughtUp,
  backends,
  run,
  runThrough,
  tally,
  until,
  type Stores,
} from './running.js';

const VALVE = id(21);

describe.each(backends)('the projections in %s', (_name, open) => {
  let stores: Stores;
  let told: number;

  beforeEach(async () => {
    stores = await open();
    told = 0;
  });
  afterEach(() => stores.stop());

  function tell(event: DomainEvent, given: Partial<NewEvent> = {}) {
    told += 1;
    return stores.log.append(streamOf(event), [newEvent(event, told, given)], 'any');
  }

  /** Log lines of a device, by their event names. */
  async function say(deviceId: string, ...names: readonly string[]) {
    for (const event of names) await tell(logged(told, { deviceId, event }));
  }

  const tallied = (deviceId = PUMP) => stores.reads.get('tally', deviceId);

  describe('fold', () => {
    it('what the log holds, and then what comes', async () => {
      await say(PUMP, 'a', 'b');
      const running = run(stores, [tally()]);
      await caughtUp(stores, [tally()]);
      expect(await tallied()).toEqual({ deviceId: PUMP, count: 2, events: ['a', 'b'] });
      await say(PUMP, 'c');
      await say(VALVE, 'd');
      await caughtUp(stores, [tally()]);
      await running.stop();
      expect(await tallied()).toMatchObject({ count: 3, events: ['a', 'b', 'c'] });
      expect(await tallied(VALVE)).toMatchObject({ count: 1 });
    });

    it('more documents than are kept at hand, each from all of its events', async () => {
      // As a fleet reports: each device in turn, over and over.
      const fleet = Array.from({ length: 6_000 }, (_, nth) => id(1_000 + nth));
      for (const event of ['a', 'b', 'c']) {
        for (let from = 0; from < fleet.length; from += 500) {
          const lines = fleet.slice(from, from + 500).map((deviceId) => {
            told += 1;
            return newEvent(logged(told, { deviceId, event }), told);
          });
          await stores.log.append('telemetry-fleet', lines, 'any');
        }
      }
      await runThrough(stores, [tally()]);
      expect(await stores.reads.count('tally', { count: { eq: 3 } })).toBe(fleet.length);
    });

    it('each document of a batch once, and write all of it with all checkpoints at once', async () => {
      for (let index = 0; index < 100; index += 1) await say(index % 2 === 0 ? PUMP : VALVE, 'a');
      const commits: { readonly writes: number; readonly checkpoint: Position }[][] = [];
      const store = stores.store();
      await runThrough(stores, [tally(), ...projections], {
        store: {
          ...store,
          commit(batches) {
            commits.push(
              batches.map(({ writes, checkpoint }) => ({ writes: writes.length, checkpoint })),
            );
            return store.commit(batches);
          },
        },
      });
      const [first] = commits.filter((batches) => batches.some(({ writes }) => writes > 0));
      expect(first).toHaveLength(1 + projections.length);
      expect(first?.[0]).toEqual({ writes: 2, checkpoint: await stores.log.head() });
      expect(new Set(first?.map(({ checkpoint }) => checkpoint)).size).toBe(1);
    });

    it('on from where they were', async () => {
      await say(PUMP, 'a');
      await runThrough(stores, [tally()]);
      await say(PUMP, 'b');
      await runThrough(stores, [tally()]);
      expect(await tallied()).toMatchObject({ count: 2, events: ['a', 'b'] });
    });

    it('past what they do not fold', async () => {
      await tell({ type: 'UserEnabled', data: { userId: id(1) } });
      await runThrough(stores, [tally()]);
      expect(await stores.reads.checkpoint('tally')).toBe(await stores.log.head());
    });

    it('a document that was removed anew', async () => {
      await say(PUMP, 'a', 'gone');
      await runThrough(stores, [tally()]);
      expect(await tallied()).toBeUndefined();
      await say(PUMP, 'b');
      await runThrough(stores, [tally()]);
      expect(await tallied()).toMatchObject({ count: 1, events: ['b'] });
    });
  });

  describe('that find themselves ahead of the log, because an older one was restored', () => {
    /** As `say`, to the log of the day before, which then takes the place of the one that there is. */
    async function restore(...names: readonly string[]) {
      const [now, before] = [stores, await open()];
      stores = {
        ...now,
        log: before.log,
        async stop() {
          await now.stop();
          await before.stop();
        },
      };
      await say(PUMP, ...names);
    }

    async function begunAgain() {
      const head = await stores.log.head();
      await until(async () => (await stores.reads.checkpoint('tally')) === head);
    }

    it('begin again, and show what the log holds and what comes', async () => {
      await say(PUMP, 'a', 'b', 'c', 'd', 'poison');
      await say(VALVE, 'e');
      await runThrough(stores, [tally(), ...projections]);
      await restore('a', 'b');
      const running = run(stores, [tally(), ...projections]);
      await begunAgain();
      expect(await tallied()).toMatchObject({ events: ['a', 'b'] });
      expect(await tallied(VALVE)).toBeUndefined();
      expect(await stores.reads.parkedCount('tally')).toBe(0);
      await say(VALVE, 'f');
      await caughtUp(stores, [tally(), ...projections]);
      await running.stop();
      expect(await tallied(VALVE)).toMatchObject({ events: ['f'] });
      expect([running.resets(), running.faults]).toEqual([1, []]);
    });

    it('come out right in a new version, which begins again anyway', async () => {
      await say(PUMP, 'a', 'b', 'c');
      await runThrough(stores, [tally()]);
      await restore('a');
      const running = run(stores, [tally(2, 10)]);
      await until(() => running.activated.length > 0);
      await running.stop();
      expect(await tallied()).toMatchObject({ count: 10, events: ['a'] });
    });

    it('begin again when two of them find it out at once', async () => {
      await say(PUMP, 'a', 'b', 'c');
      await runThrough(stores, [tally()]);
      await restore('a', 'b');
      const both = [run(stores, [tally()]), run(stores, [tally()])];
      await begunAgain();
      await say(PUMP, 'f');
      await caughtUp(stores, [tally()]);
      await Promise.all(both.map((one) => one.stop()));
      expect(await tallied()).toMatchObject({ events: ['a', 'b', 'f'] });
    });

    it('leave all as it is when they are just where the log ends', async () => {
      await say(PUMP, 'a');
      await runThrough(stores, [tally()]);
      const { resets } = await runThrough(stores, [tally()]);
      expect(resets()).toBe(0);
    });
  });

  describe('that are run by two at once', () => {
    it('come to what one comes to', async () => {
      const [one, other] = [run(stores, [tally()]), run(stores, [tally()])];
      await say(PUMP, 'a', 'b', 'gone', 'c');
      await say(VALVE, 'd', 'e', 'f', 'gone');
      await say(PUMP, 'g');
      await caughtUp(stores, [tally()]);
      await Promise.all([one.stop(), other.stop()]);
      expect(await allOf(stores.reads, 'tally')).toEqual([
        { deviceId: PUMP, count: 2, events: ['c', 'g'] },
      ]);
      expect([...one.faults, ...other.faults]).toEqual([]);
    });
  });

  describe('meet an event that stands twice in the log, and', () => {
    /** What a store can't recognise as a repeat any more. */
    async function sayTwice(between: () => Promise<unknown>) {
      const once = { id: eventId(0xfff) };
      await tell(logged(0, { event: 'once' }), once);
      await say(PUMP, ...Array.from({ length: REPEAT_WINDOW }, () => 'other'));
      await between();
      await tell(logged(0, { event: 'once' }), once);
      expect(await stores.log.head()).toBeGreaterThan(0n);
    }

    it('count it once', async () => {
      await sayTwice(() => Promise.resolve());
      await runThrough(stores, [tally()]);
      expect(await tallied()).toMatchObject({ count: 1 + REPEAT_WINDOW });
    });

    it('count it once when they were started anew in between', async () => {
      await sayTwice(() => runThrough(stores, [tally()]));
      await runThrough(stores, [tally()]);
      expect(await tallied()).toMatchObject({ count: 1 + REPEAT_WINDOW });
    });

    it('count it once when they came upon it live', async () => {
      const running = run(stores, [tally()]);
      await sayTwice(() => caughtUp(stores, [tally()]));
      await caughtUp(stores, [tally()]);
      await running.stop();
      expect(await tallied()).toMatchObject({ count: 1 + REPEAT_WINDOW });
    });
  });

  describe('that can’t use a store', () => {
    const away = new StoreUnavailable('unreachable', 'away');

    /** A store whose calls fail, before or after they have done their work, as long as `fails` says so. */
    function failing(fails: (call: number) => 'before' | 'after' | undefined): ReadModelStore {
      const store = stores.store();
      let calls = 0;
      return {
        ...store,
        async commit(batches) {
          const how = fails((calls += 1));
          if (how === 'before') throw away;
          await store.commit(batches);
          if (how === 'after') throw away;
        },
      };
    }

    it.each(['before', 'after'] as const)(
      'come to the same when they are killed %s a batch was written',
      async (when) => {
        await say(PUMP, 'a', 'b');
        const store = failing((call) => (call % 2 === 1 && call < 8 ? when : undefined));
        const running = run(stores, [tally()], { store });
        await caughtUp(stores, [tally()]);
        await say(PUMP, 'c');
        await say(VALVE, 'd');
        await caughtUp(stores, [tally()]);
        await running.stop();
        expect(running.faults).toContain(away);
        expect(await allOf(stores.reads, 'tally')).toEqual([
          { deviceId: PUMP, count: 3, events: ['a', 'b', 'c'] },
          { deviceId: VALVE, count: 1, events: ['d'] },
        ]);
      },
    );

    it('wait for it, longer each time up to five seconds, and then go on', async () => {
      await say(PUMP, 'a');
      const running = await runThrough(stores, [tally()], {
        store: failing((call) => (call <= 8 ? 'before' : undefined)),
      });
      expect(running.faults).toEqual(Array.from({ length: 8 }, () => away));
      expect(running.runtime.slept.slice(0, 8)).toEqual([
        100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000,
      ]);
      expect(await tallied()).toMatchObject({ count: 1 });
    });

    it('begin with short waits again once something was written', async () => {
      await say(PUMP, 'a');
      const running = run(stores, [tally()], {
        store: failing((call) => ([1, 2, 4].includes(call) ? 'before' : undefined)),
      });
      await caughtUp(stores, [tally()]);
      await say(PUMP, 'b');
      await caughtUp(stores, [tally()]);
      await running.stop();
      expect(running.runtime.slept.filter((ms) => ms >= 100)).toEqual([100, 200, 100]);
    });

    it('wait for the log in the same way', async () => {
      await say(PUMP, 'a');
      let tries = 0;
      const log: EventStore = {
        ...stores.log,
        subscribe(options) {
          if ((tries += 1) <= 3) throw away;
          return stores.log.subscribe(options);
        },
      };
      const running = await runThrough(stores, [tally()], { log });
      expect(running.faults).toEqual([away, away, away]);
      expect(await tallied()).toMatchObject({ count: 1 });
    });
  });

  describe('that are told to stop', () => {
    it('stop at once when there is nothing to do', async () => {
      const running = run(stores, [tally(), ...projections]);
      await caughtUp(stores, projections);
      await running.stop();
      await say(PUMP, 'a');
      expect(await stores.reads.checkpoint('tally')).toBeLessThan(await stores.log.head());
    });

    it('stop while they wait for a store', async () => {
      const running = run(stores, [tally()], {
        store: { ...stores.store(), open: () => Promise.reject(new Error('away')) },
        runtime: { ...hurriedRuntime(), sleep: untilAborted },
      });
      await until(() => running.faults.length > 0);
      await running.stop();
      expect(running.faults).toHaveLength(1);
    });

    it('stop while they catch up, and leave to the next what they have not written', async () => {
      for (let index = 0; index < 50; index += 1) await say(PUMP, 'a');
      const store = stores.store();
      let pages = 0;
      let commits = 0;
      const running = run(stores, [tally()], {
        log: {
          ...stores.log,
          async *subscribe(options) {
            for await (const page of stores.log.subscribe({ ...options, batchSize: 1 })) {
              pages += 1;
              if (pages === 3) void running.stop();
              yield page;
            }
          },
        },
        store: {
          ...store,
          async commit(batches) {
            commits += 1;
            await store.commit(batches);
          },
        },
      });
      await until(() => pages === 3);
      await running.stop();
      expect(pages).toBe(3);
      expect(commits).toBe(0);
      await runThrough(stores, [tally()]);
      expect(await tallied()).toMatchObject({ count: 50 });
    });
  });

  describe('that are far behind', () => {
    const APPENDS = 12;
    const EVENTS = 4_000;

    beforeEach(async () => {
      for (let append = 0; append < APPENDS; append += 1) {
        const events = Array.from({ length: EVENTS }, () => {
          told += 1;
          return newEvent(logged(0, { deviceId: PUMP }), told);
        });
        await stores.log.append(streamOf(logged(0, { deviceId: PUMP })), events, 'any');
      }
    });

    it('write a document seldom, but not only at the end', async () => {
      const checkpoints: Position[] = [];
      const store = stores.store();
      await runThrough(stores, [usageDays], {
        store: {
          ...store,
          async commit(batches) {
            await store.commit(batches);
            checkpoints.push(...batches.map(({ checkpoint }) => checkpoint));
          },
        },
      });
      const head = await stores.log.head();
      expect(checkpoints.length).toBeGreaterThan(1);
      expect(checkpoints.length).toBeLessThan(10);
      expect(checkpoints[0]).toBeLessThan(head);
      expect(checkpoints.at(-1)).toBe(head);
      const [day] = await allOf(stores.reads, usageDays.collection.name);
      expect(day).toMatchObject({ total: APPENDS * EVENTS });
    });
  });
});

/** A wait that nothing ends but being told to stop. */
function untilAborted(_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

import { usageHours } from '../../src/projections/usage.js';
import { id, logged, PUMP } from '../spec/things.js';
import { newEvent, streamOf } from './documents.js';
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
import type { ReadModelStore } from '../../src/projections/readModels.js';

const VALVE = id(21);

describe.each(backends)('a projection in %s', (_name, open) => {
  let stores: Stores;
  let told: number;

  beforeEach(async () => {
    stores = await open();
    told = 0;
  });
  afterEach(() => stores.stop());

  async function say(deviceId: string, ...names: readonly string[]) {
    for (const event of names) {
      told += 1;
      const line = logged(told, { deviceId, event });
      await stores.log.append(streamOf(line), [newEvent(line, told)], 'any');
    }
  }

  /** A store that writes nothing to a projection's second generation until it is let. */
  function holding(): { readonly store: ReadModelStore; readonly letGo: () => void } {
    const store = stores.store();
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    return {
      letGo: () => letGo(),
      store: {
        ...store,
        async commit(batches) {
          if (batches.some(({ generation }) => generation.number === 2)) await gate;
          return store.commit(batches);
        },
      },
    };
  }

  const small = (log = stores.log) => ({
    ...log,
    subscribe: (options: Parameters<typeof log.subscribe>[0]) =>
      log.subscribe({ ...options, batchSize: 3 }),
  });

  it('of another version is built beside the old one, which answers until it has caught up', async () => {
    await say(PUMP, 'a', 'b', 'c', 'd');
    await runThrough(stores, [tally(), usageHours]);
    const { store, letGo } = holding();
    const running = run(stores, [tally(2, 10), usageHours], { store });
    await say(PUMP, 'e');
    await caughtUp(stores, [usageHours]);
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ count: 4 });
    expect(running.activated).toEqual([]);

    letGo();
    await caughtUp(stores, [tally()]);
    await until(() => running.activated.length > 0);
    expect(running.activated).toEqual(['tally 2']);
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ count: 50 });
    await say(VALVE, 'f');
    await caughtUp(stores, [tally()]);
    expect(await stores.reads.get('tally', VALVE)).toMatchObject({ count: 10 });
    await running.stop();
    expect(running.faults).toEqual([]);
  });

  it('of another version goes live when there is no other beside it', async () => {
    await say(PUMP, 'a', 'b');
    await runThrough(stores, [tally()]);
    const running = run(stores, [tally(2, 10)]);
    await until(() => running.activated.length > 0);
    await say(PUMP, 'c');
    await caughtUp(stores, [tally()]);
    await running.stop();
    expect(running.activated).toEqual(['tally 2']);
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ count: 30 });
  });

  it('of another version goes live when it was interrupted just before', async () => {
    await say(PUMP, 'a', 'b');
    await runThrough(stores, [tally(), usageHours]);
    const store = stores.store();
    const interrupted = run(stores, [tally(2, 10), usageHours], {
      store: { ...store, activate: () => Promise.reject(new Error('killed')) },
    });
    await until(() => interrupted.faults.length > 0);
    await interrupted.stop();
    const running = run(stores, [tally(2, 10), usageHours]);
    await until(() => running.activated.length > 0);
    await running.stop();
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ count: 20 });
  });

  it('of another version is gone on with when it was interrupted', async () => {
    await say(PUMP, 'a', 'b', 'c', 'd', 'e', 'f', 'g');
    await runThrough(stores, [tally(), usageHours]);
    const store = stores.store();
    let written = 0;
    const interrupted = run(stores, [tally(2, 10), usageHours], {
      log: small(),
      store: {
        ...store,
        async commit(batches) {
          await store.commit(batches);
          if (!batches.some(({ generation }) => generation.number === 2)) return;
          written += 1;
          void interrupted.stop();
        },
      },
    });
    await until(() => written > 0);
    await interrupted.stop();
    expect(written).toBe(1);
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ count: 7 });

    const running = run(stores, [tally(2, 10), usageHours]);
    await until(() => running.activated.length > 0);
    await running.stop();
    expect(running.activated).toEqual(['tally 2']);
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ count: 70 });
  });

  it('whose rebuild is given up goes on with what it had', async () => {
    await say(PUMP, 'a', 'b');
    await runThrough(stores, [tally(), usageHours]);
    const { store, letGo } = holding();
    const abandoned = run(stores, [tally(2, 10), usageHours], { store });
    await caughtUp(stores, [usageHours]);
    const stopped = abandoned.stop();
    letGo();
    await stopped;
    await say(PUMP, 'c');
    await runThrough(stores, [tally(), usageHours]);
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ count: 3 });
  });

  it('that is new joins the others while the log grows', async () => {
    await say(PUMP, ...Array.from({ length: 20 }, (_, index) => `old ${index}`));
    await runThrough(stores, [usageHours]);
    const running = run(stores, [usageHours, tally()], { log: small() });
    for (let index = 0; index < 40; index += 1) await say(index % 2 ? PUMP : VALVE, `new ${index}`);
    await caughtUp(stores, [usageHours, tally()]);
    await say(PUMP, 'last');
    await caughtUp(stores, [usageHours, tally()]);
    await running.stop();
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ count: 41 });
    expect(await stores.reads.get('tally', VALVE)).toMatchObject({ count: 20 });
    expect(running.faults).toEqual([]);
  });

  it('that is new does not hold up the others', async () => {
    await say(PUMP, 'a');
    await runThrough(stores, [usageHours]);
    const store = stores.store();
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const running = run(stores, [usageHours, tally()], {
      store: {
        ...store,
        async commit(batches) {
          if (batches.some(({ generation }) => generation.projection === 'tally')) await gate;
          return store.commit(batches);
        },
      },
    });
    await say(PUMP, 'b');
    await caughtUp(stores, [usageHours]);
    expect(await allOf(stores.reads, 'tally')).toEqual([]);
    letGo();
    await caughtUp(stores, [tally()]);
    await running.stop();
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ count: 2 });
  });
});

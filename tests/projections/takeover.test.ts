import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { BEAT_MS } from '../../src/projections/beat.js';
import { LeaseLost } from '../../src/projections/leases.js';
import type { ProjectionBatch } from '../../src/projections/readModels.js';
import type { Signal } from '../../src/projections/signals.js';
import { usageHours } from '../../src/projections/usage.js';
import { id, logged } from '../spec/things.js';
import { newEvent, streamOf } from './documents.js';
import { drivenClock, type DrivenClock } from './drivenClock.js';
import { startProcess, type Process } from './processes.js';
import { allOf, backends, tally, until, type Stores } from './running.js';

/** What the issue promises: the work of a killed process is another's within so many milliseconds. */
const TAKEN_OVER_MS = 10_000;
/** For what takes as long as it takes. */
const LONG_MS = 600_000;

describe.each(backends)('several processes that fold, in %s,', (_name, open) => {
  const DEVICES = Array.from({ length: 8 }, (_, index) => id(100 + index));
  const PROJECTIONS = [tally(), usageHours];
  let stores: Stores;
  let clock: DrivenClock;
  let told: number;
  let started: Process[];

  beforeEach(async () => {
    clock = drivenClock();
    stores = await open(() => clock.now());
    told = 0;
    started = [];
  });
  afterEach(async () => {
    await Promise.all(started.map((one) => one.kill()));
    await stores.stop();
  });

  function start(given: Parameters<typeof startProcess>[3] = {}, projections = PROJECTIONS) {
    const one = startProcess(stores, projections, clock, { shards: 2, ...given });
    started.push(one);
    return one;
  }

  async function say(...names: readonly string[]) {
    for (const event of names) {
      for (const deviceId of DEVICES) {
        told += 1;
        const line = logged(told, { deviceId, event });
        await stores.log.append(streamOf(line), [newEvent(line, told)], 'any');
      }
    }
  }

  async function areThere(): Promise<boolean> {
    const head = await stores.log.head();
    const reached = await Promise.all(PROJECTIONS.map(({ name }) => stores.reads.checkpoint(name)));
    return reached.every((position) => position >= head);
  }

  /** Resolves when all is folded. @returns how much time passed until all was in hands again */
  async function caughtUp(): Promise<number> {
    const owned = () =>
      new Set(started.filter((one) => one.isAwake()).flatMap((one) => one.owns())).size;
    const took = await clock.passUntil(() => owned() === 4, TAKEN_OVER_MS);
    await until(areThere);
    return took;
  }

  async function expectTallied(...names: readonly string[]) {
    expect(await allOf(stores.reads, 'tally')).toEqual(
      DEVICES.map((deviceId) => ({ deviceId, count: names.length, events: names })),
    );
  }

  const everything = () =>
    Promise.all(PROJECTIONS.map(({ collection }) => allOf(stores.reads, collection.name)));

  /** Two that have shared the work out. */
  async function two(given: readonly Parameters<typeof startProcess>[3][] = []) {
    const pair = [start(given[0]), start(given[1])] as const;
    await clock.passUntil(() => pair.every((one) => one.owns().length === 2), TAKEN_OVER_MS);
    return pair;
  }

  it('share the work out, each a fair part, and come to what one comes to', async () => {
    await say('a');
    const [one, other] = await two();
    expect([...one.owns(), ...other.owns()].sort()).toEqual([
      'fold:tally 0/2',
      'fold:tally 1/2',
      'fold:usage-hours 0/2',
      'fold:usage-hours 1/2',
    ]);
    await say('b', 'c');
    await caughtUp();
    await expectTallied('a', 'b', 'c');
    // More processes than that is fair for stand by.
    const third = start();
    await clock.pass(TAKEN_OVER_MS);
    expect(third.owns()).toEqual([]);
    await other.stop();
    await say('d');
    await caughtUp();
    expect(third.owns()).toHaveLength(2);
    await expectTallied('a', 'b', 'c', 'd');
    expect(started.flatMap(({ running }) => running.faults)).toEqual([]);
  });

  it('wait, with another number of shards, for the end of those before them', async () => {
    await say('a');
    const [one, other] = await two();
    const young = start({ shards: 3 });
    await clock.pass(TAKEN_OVER_MS);
    expect([one.owns().length, other.owns().length, young.owns()]).toEqual([2, 2, []]);
    await say('b');
    await caughtUp();
    await Promise.all([one.stop(), other.kill()]);
    await clock.passUntil(() => young.owns().length === 6, TAKEN_OVER_MS);
    await say('c');
    await until(areThere);
    await expectTallied('a', 'b', 'c');
    expect(young.running.stoodBy).toHaveLength(1);
    expect(started.flatMap(({ running }) => running.faults)).toEqual([]);
  });

  it('take over what a killed one did', async () => {
    const [one, other] = await two();
    await say('a');
    await caughtUp();
    await one.kill();
    await say('b');
    expect(await caughtUp()).toBeLessThan(7_000);
    expect(other.owns()).toHaveLength(4);
    await expectTallied('a', 'b');
  });

  it('take over at the next beat what one puts down that is told to stop', async () => {
    const [one] = await two();
    await one.stop();
    await say('a');
    expect(await caughtUp()).toBeLessThanOrEqual(1_700);
    await expectTallied('a');
  });

  it('leave one that is left alone nothing to wait for', async () => {
    const one = start();
    await say('a');
    await until(areThere);
    await one.kill();
    start();
    await say('b');
    await caughtUp();
    await expectTallied('a', 'b');
  });

  it('refuse what a zombie writes, and nothing of it is there', async () => {
    let held: { readonly batches: readonly ProjectionBatch[]; letGo(): void } | undefined;
    const refusals: unknown[] = [];
    const store = stores.store();
    const zombie = start({
      store: {
        ...store,
        async commit(batches) {
          const isFolded = batches.some(({ writes }) => writes.length > 0);
          if (isFolded && held === undefined) {
            await new Promise<void>((resolve) => {
              held = { batches, letGo: resolve };
            });
          }
          await store.commit(batches).catch((error: unknown) => {
            refusals.push(error);
            throw error;
          });
        },
      },
    });
    await clock.passUntil(() => zombie.owns().length === 4, TAKEN_OVER_MS);
    await say('a');
    await until(() => held !== undefined);
    // It stands still with a batch in its hands, and does not renew.
    zombie.pause();
    const heir = start();
    await caughtUp();
    expect(heir.owns()).toHaveLength(4);
    await say('b');
    await caughtUp();
    const before = await everything();
    const checkpoint = await stores.reads.checkpoint('tally');

    held?.letGo();
    await until(() => refusals.length > 0);
    expect(refusals[0]).toBeInstanceOf(LeaseLost);
    expect(await everything()).toEqual(before);
    expect(await stores.reads.checkpoint('tally')).toBe(checkpoint);

    // Awake again, it is a process like any other.
    zombie.resume();
    await clock.passUntil(
      () => zombie.owns().length === 2 && heir.owns().length === 2,
      TAKEN_OVER_MS,
    );
    await say('c');
    await caughtUp();
    await expectTallied('a', 'b', 'c');
    expect(zombie.running.faults).toEqual([]);
  });

  it('read the log only where there is something to fold', async () => {
    const single = { shards: 1 };
    const one = start(single, [tally()]);
    await clock.passUntil(() => one.owns().length === 1, TAKEN_OVER_MS);
    let readings = 0;
    const log = {
      ...stores.log,
      subscribe(options: Parameters<typeof stores.log.subscribe>[0]) {
        readings += 1;
        return stores.log.subscribe(options);
      },
    };
    const standby = start({ ...single, log }, [tally()]);
    await say('a');
    await clock.pass(20_000);
    expect([standby.owns().length, readings]).toEqual([0, 0]);
    await one.stop();
    await clock.passUntil(() => readings > 0, TAKEN_OVER_MS);
    await until(async () => (await stores.reads.checkpoint('tally')) > 0n);
    await expectTallied('a');
  });

  it('begin again, all of them, when one finds the read models ahead of the log', async () => {
    const earlier = await open(() => clock.now());
    await say('a', 'b', 'c');
    const [one, other] = await two();
    await caughtUp();
    await one.kill();
    await other.kill();
    const old = stores;
    stores = {
      ...old,
      log: earlier.log,
      stop: () => Promise.all([old.stop(), earlier.stop()]).then(),
    };
    told = 0;
    await say('a');
    const [third, fourth] = [start(), start()];
    await clock.passUntil(() => third.running.resets() > 0, LONG_MS);
    const isBegunAgain = async () =>
      (await stores.reads.checkpoint('tally')) === (await stores.log.head());
    await clock.passUntil(isBegunAgain, LONG_MS);
    await say('b');
    await caughtUp();
    await expectTallied('a', 'b');
    // Two that find it out at the same moment both begin again: never one of them twice.
    for (const one of [third, fourth]) expect(one.running.resets()).toBeLessThanOrEqual(1);
  });

  it('find out at a beat that another began again, although nothing comes to be folded', async () => {
    const [one, other] = await two();
    await say('a', 'b');
    await caughtUp();
    await stores.store().reset();
    await clock.passUntil(areThere, LONG_MS);
    await expectTallied('a', 'b');
    expect([one, other].map(({ running }) => running.resets())).toEqual([0, 0]);
  });

  it('show a new version when the last of them is there, and all of them know', async () => {
    await say('a');
    const [one, other] = await two();
    await caughtUp();
    await one.stop();
    await other.stop();

    const signals = createMemorySignals();
    const heard: Signal[] = [];
    signals.listen((signal) => heard.push(signal));
    const next = [tally(2, 10), usageHours];
    const newer = [start({ signals }, next), start({ signals }, next)];
    await clock.passUntil(async () => {
      const doc = await stores.reads.get('tally', DEVICES[0] ?? '');
      return doc?.count === 10;
    }, LONG_MS);
    // Whoever keeps answers learns that all of them are others now.
    const moved = () =>
      heard.flatMap((signal) => (signal.kind === 'projected' ? signal.projections : []));
    await until(() => moved().some(({ name, tags }) => name === 'tally' && tags === 'all'));
    await clock.passUntil(() => newer.every((each) => each.owns().length === 2), TAKEN_OVER_MS);
    await clock.pass(BEAT_MS + 100);
    heard.length = 0;
    await say('b');
    const tellingShards = () =>
      new Set(
        moved()
          .filter(({ name }) => name === 'tally')
          .map(({ shard }) => shard.index),
      );
    await until(() => tellingShards().size === 2);
    await caughtUp();
    expect(newer.flatMap(({ running }) => running.faults)).toEqual([]);
  });

  it('leave to others what fails in one of them again and again', async () => {
    const store = stores.store();
    const sick = start({
      store: { ...store, commit: () => Promise.reject(new Error('this one can’t')) },
    });
    sick.disregard();
    await until(() => sick.owns().length > 0);
    await say('a');
    start();
    // Whenever it has failed, the other has a beat to take what it let go of.
    await clock.passUntil(areThere, LONG_MS);
    await expectTallied('a');
  });
});

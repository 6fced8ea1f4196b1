import { createHash } from 'node:crypto';
import { shardOf } from '../../src/projections/shards.js';
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

describe('the shard of a key', () => {
  it('is the same for ever', () => {
    const keys = ['', 'a', 'b', '0190a0b0-0000-7000-8000-000000000001', 'ä😀', 'x/2026-03-15'];
    expect(keys.map((key) => shardOf(key, 1_000))).toEqual([923, 715, 274, 664, 291, 517]);
    expect(keys.map((key) => shardOf(key, 3))).toEqual([2, 0, 0, 2, 0, 2]);
  });

  it('is the first when there is one', () => {
    expect([shardOf('', 1), shardOf(PUMP, 1)]).toEqual([0, 0]);
  });

  it('is one for keys that a store takes for one', () => {
    expect(shardOf('a\ud800', 97)).toBe(shardOf('a\ufffd', 97));
  });

  const COUNT = 5_000;
  it.each([
    ['of digests', (index: number) => createHash('sha256').update(`${index}`).digest('hex')],
    ['of ids in order', (index: number) => id(index)],
    ['of hours', (index: number) => `${PUMP}/${new Date(index * 3_600_000).toISOString()}`],
    ['of letters and a number', (index: number) => `k${index}`],
  ])('is each for as many, %s', (_, key) => {
    for (const shards of [2, 3, 4, 7, 16]) {
      const counts = new Array<number>(shards).fill(0);
      for (let index = 0; index < COUNT; index += 1) {
        const shard = shardOf(key(index), shards);
        counts[shard] = (counts[shard] ?? NaN) + 1;
      }
      // Five standard deviations of a fair draw.
      const fair = COUNT / shards;
      const spread = 5 * Math.sqrt(fair * (1 - 1 / shards));
      for (const count of counts) expect(Math.abs(count - fair)).toBeLessThan(spread);
    }
  });
});

describe.each(backends)('a projection in several shards, in %s,', (_name, open) => {
  const DEVICES = Array.from({ length: 12 }, (_, index) => id(100 + index));
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

  async function sayToAll(...names: readonly string[]) {
    for (const device of DEVICES) await say(device, ...names);
  }

  const events = async () =>
    Object.fromEntries(
      (await allOf(stores.reads, 'tally')).map((doc) => [String(doc.deviceId), doc.events]),
    );
  const each = (...names: readonly string[]) =>
    Object.fromEntries(DEVICES.map((device) => [device, names]));

  it('comes to what it comes to in one', async () => {
    await sayToAll('a', 'b');
    const running = run(stores, [tally()], { shards: 4 });
    await caughtUp(stores, [tally()]);
    await sayToAll('c');
    await caughtUp(stores, [tally()]);
    await running.stop();
    expect(await events()).toEqual(each('a', 'b', 'c'));
    expect(running.faults).toEqual([]);
    expect(running.owned).toEqual([
      ['fold:tally 0/4', 'fold:tally 1/4', 'fold:tally 2/4', 'fold:tally 3/4'],
    ]);
  });

  it('folds in each of them its own keys alone', async () => {
    await sayToAll('a');
    const store = stores.store();
    const astray: string[] = [];
    await runThrough(stores, [tally()], {
      shards: 3,
      store: {
        ...store,
        async commit(batches) {
          for (const { generation, writes } of batches) {
            const { index, of } = generation.shard;
            astray.push(
              ...writes.map(({ key }) => key).filter((key) => shardOf(key, of) !== index),
            );
          }
          await store.commit(batches);
        },
      },
    });
    expect(await events()).toEqual(each('a'));
    expect(astray).toEqual([]);
  });

  it('goes on in more of them, in fewer and in one', async () => {
    const told: string[] = [];
    for (const [index, shards] of [1, 3, 2, 5, 1].entries()) {
      told.push(`line ${index}`);
      await sayToAll(`line ${index}`);
      await say(PUMP, 'a', 'gone');
      const { faults } = await runThrough(stores, [tally()], { shards });
      expect(faults).toEqual([]);
      expect(await events()).toEqual(each(...told));
    }
  });

  it('goes on however often their number has changed', async () => {
    await sayToAll('a');
    const store = stores.store();
    for (let change = 0; change < 50; change += 1) {
      for (const shards of [3, 1]) {
        const shard = { index: 0, of: shards };
        await store.open('tally', 1, tally().collection, shard);
      }
    }
    const { faults } = await runThrough(stores, [tally()], { shards: 1 });
    expect([faults, await events()]).toEqual([[], each('a')]);
  });

  it('goes on when some were ahead of the others', async () => {
    await sayToAll('a');
    const store = stores.store();
    let commits = 0;
    const running = run(stores, [tally()], {
      shards: 3,
      store: {
        ...store,
        async commit(batches) {
          commits += 1;
          await store.commit(commits > 1 ? batches.slice(1) : batches);
        },
      },
    });
    await until(() => commits > 0);
    await sayToAll('b', 'gone', 'c');
    await until(() => commits > 1);
    await running.stop();
    await runThrough(stores, [tally()], { shards: 2 });
    expect(await events()).toEqual(each('c'));
  });

  it('parks a poison event once, and one of nobody knows whose', async () => {
    const [device = '', other = ''] = DEVICES;
    await say(device, 'a', 'poison', 'b');
    await say(other, 'a', 'lost', 'b');
    await runThrough(stores, [tally()], { shards: 4 });
    await runThrough(stores, [tally()], { shards: 3 });
    const parked = await stores.store().parked('tally');
    expect(parked.map(({ key }) => key)).toEqual([device, `telemetry-${other}`]);
    expect(await events()).toEqual({ [device]: ['a'], [other]: ['a'] });
  });

  it('is seen in a new version when all of them have caught up', async () => {
    await sayToAll('a', 'b');
    await runThrough(stores, [tally()], { shards: 2 });
    const store = stores.store();
    const ready: boolean[] = [];
    const running = run(stores, [tally(2, 10)], {
      shards: 3,
      store: {
        ...store,
        async activate(generation) {
          ready.push(await store.activate(generation));
          return ready.at(-1) === true;
        },
      },
    });
    await until(() => running.activated.length > 0);
    await sayToAll('c');
    await caughtUp(stores, [tally()]);
    await running.stop();
    expect(ready).toEqual([false, false, true]);
    expect(running.activated).toEqual(['tally 2']);
    expect(await stores.reads.get('tally', DEVICES[0] ?? '')).toMatchObject({ count: 30 });
  });
});

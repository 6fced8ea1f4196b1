import { LeaseLost, type Lease, type Leases } from '../../src/projections/leases.js';
import type { Generation, ReadModels, ReadModelStore } from '../../src/projections/readModels.js';
import { eventually } from '../support/eventually.js';
import {
  DEVICES,
  at,
  withReadModels,
  type ReadModelsUnderTest,
  type Setup,
} from './readModels.fixture.js';

/** Long enough for a test, in milliseconds. */
const LONG = 60_000;
/** Soon run out. The store's clock decides, so a test asks until it is. */
const SHORT = 40;

/** What leases promise, and what is written under them: of every store of read models. */
export function leasesContract(name: string, setup: Setup): void {
  describe(`leases of the read models, ${name}`, () => {
    let under: ReadModelsUnderTest;
    let store: ReadModelStore;
    let reads: ReadModels;
    let leases: Leases;
    let devices: Generation;
    withReadModels(setup, (opened) => {
      ({ under, store, reads, devices } = opened);
      ({ leases } = store);
    });

    /** Takes a lease that nobody holds. */
    async function take(lease: string, holder: string, ttlMs = LONG, from = leases) {
      return eventually(() => from.acquire(lease, holder, ttlMs));
    }

    describe('a lease', () => {
      it('is held by one at a time', async () => {
        const lease = await take('x', 'a');
        expect(lease).toMatchObject({ name: 'x', holder: 'a' });
        expect(await leases.acquire('x', 'b', LONG)).toBeUndefined();
        expect(await under.store().leases.acquire('x', 'b', LONG)).toBeUndefined();
      });

      it('is renewed by its holder under the same token', async () => {
        const lease = await take('x', 'a');
        expect(await leases.acquire('x', 'a', LONG)).toEqual(lease);
        expect(await leases.acquire('x', 'b', LONG)).toBeUndefined();
      });

      it('that is renewed holds from then on', async () => {
        await take('x', 'a', SHORT);
        await leases.acquire('x', 'a', LONG);
        await take('y', 'a', SHORT);
        await take('y', 'b');
        expect(await leases.acquire('x', 'b', LONG)).toBeUndefined();
      });

      it('runs out, and passes to another under a greater token', async () => {
        const first = await take('x', 'a', SHORT);
        const second = await take('x', 'b', SHORT);
        expect(second.token).toBeGreaterThan(first.token);
        const third = await take('x', 'a');
        expect(third.token).toBeGreaterThan(second.token);
      });

      it('that ran out and that nobody took is renewed as if it had not', async () => {
        const lease = await take('x', 'a', SHORT);
        await eventually(async () => (await leases.held('x')).length === 0 || undefined);
        expect(await leases.acquire('x', 'a', LONG)).toEqual(lease);
      });

      it('is free as soon as it is given up, and its token is not used again', async () => {
        const first = await take('x', 'a');
        await leases.release(first);
        const second = await leases.acquire('x', 'b', LONG);
        expect(second?.token).toBeGreaterThan(first.token);
      });

      it('may be given up twice, and by one that has lost it: then nothing changes', async () => {
        const first = await take('x', 'a');
        await leases.release(first);
        await leases.release(first);
        await take('x', 'b');
        await leases.release(first);
        expect(await leases.acquire('x', 'c', LONG)).toBeUndefined();
        await leases.release({ name: 'never held', holder: 'a', token: 1 });
        expect(await leases.held('never')).toEqual([]);
      });

      it('has nothing to do with those of other names', async () => {
        const x = await take('x', 'a');
        const y = await take('y', 'b');
        await leases.release(x);
        expect(await leases.held('')).toEqual([y]);
      });

      it('goes to one of many who ask at once', async () => {
        const askers = Array.from({ length: 8 }, (_, index) => ({
          from: under.store().leases,
          holder: `holder ${index}`,
        }));
        const got = await Promise.all(
          askers.map(({ from, holder }) => from.acquire('x', holder, LONG)),
        );
        const taken = got.filter((lease) => lease !== undefined);
        expect(taken).toHaveLength(1);
        expect(await leases.held('x')).toEqual(taken);
      });

      it.each(['a/b 0/2', '%', "'; --", '$ne', 'ä😀', 'a.b', '__proto__'])(
        'may have the name %j, and so may its holder',
        async (text) => {
          const lease = await take(text, text);
          expect(lease).toMatchObject({ name: text, holder: text });
          expect(await leases.held(text)).toEqual([lease]);
          await leases.release(lease);
          expect(await leases.held('')).toEqual([]);
        },
      );
    });

    it('are listed by the beginning of their names, in order, while they are held', async () => {
      for (const [lease, holder] of [
        ['fold:b', 'two'],
        ['fold:a', 'one'],
        ['fold%', 'three'],
        ['FOLD:c', 'four'],
        ['other', 'five'],
      ] as const) {
        await take(lease, holder);
      }
      const names = async (prefix: string) => (await leases.held(prefix)).map((one) => one.name);
      expect(await names('fold:')).toEqual(['fold:a', 'fold:b']);
      expect(await names('fold%')).toEqual(['fold%']);
      expect(await names('nothing')).toEqual([]);
      expect(await under.store().leases.held('fold:')).toEqual(await leases.held('fold:'));
      await leases.release(await take('fold:a', 'one'));
      expect(await names('fold:')).toEqual(['fold:b']);
      await take('short', 'six', SHORT);
      await eventually(async () => (await names('short')).length === 0 || undefined);
    });

    describe('a commit under a lease', () => {
      const write = (position: number, text: string) => ({
        writes: [{ key: 'd', doc: { id: 'd', text }, position: at(position) }],
        parked: [],
        checkpoint: at(position),
      });

      async function commit(lease: Lease | undefined, position: number, text: string, on = store) {
        const batch = { generation: devices, ...write(position, text) };
        await on.commit([lease === undefined ? batch : { ...batch, lease }]);
      }

      /** The lease passes from `a` to `b`. */
      async function passed() {
        const old = await take('fold', 'a', SHORT);
        const other = under.store();
        const current = await take('fold', 'b', LONG, other.leases);
        await other.open('devices', 1, DEVICES);
        return { old, current, other };
      }

      it('is written while it is held', async () => {
        const lease = await take('fold', 'a');
        await commit(lease, 1, 'one');
        await leases.acquire('fold', 'a', LONG);
        await commit(lease, 2, 'two');
        expect(await reads.get('devices', 'd')).toEqual({ id: 'd', text: 'two' });
        expect(await reads.checkpoint('devices')).toBe(2n);
      });

      it('is written when it has run out and nobody took it', async () => {
        const lease = await take('fold', 'a', SHORT);
        await eventually(async () => (await leases.held('fold')).length === 0 || undefined);
        await commit(lease, 1, 'one');
        expect(await reads.checkpoint('devices')).toBe(1n);
      });

      it('is refused once it has passed on, before the new holder has written', async () => {
        const { old, current, other } = await passed();
        await expect(commit(old, 5, 'zombie')).rejects.toThrow(LeaseLost);
        expect(await reads.checkpoint('devices')).toBe(0n);
        await commit(current, 5, 'zombie', other);
        expect(await reads.checkpoint('devices')).toBe(5n);
      });

      it.each([
        ['behind it', 3],
        ['at its checkpoint', 5],
        ['past it', 9],
      ])('is refused once the new holder has written, %s', async (_, position) => {
        const { old, current, other } = await passed();
        await commit(current, 5, 'new', other);
        await expect(commit(old, position, 'zombie')).rejects.toThrow(LeaseLost);
        expect(await reads.checkpoint('devices')).toBe(5n);
        if (position <= 5)
          expect(await reads.get('devices', 'd')).toEqual({ id: 'd', text: 'new' });
      });

      it('is refused although the new holder has given it up', async () => {
        const { old, current } = await passed();
        await leases.release(current);
        await expect(commit(old, 5, 'zombie')).rejects.toThrow(LeaseLost);
        expect(await reads.checkpoint('devices')).toBe(0n);
      });

      it('is refused under the token that its holder had before it lost and won it again', async () => {
        const { old, current } = await passed();
        await leases.release(current);
        const again = await take('fold', 'a');
        await expect(commit(old, 5, 'zombie')).rejects.toThrow(LeaseLost);
        await commit(again, 5, 'mine again');
        expect(await reads.get('devices', 'd')).toEqual({ id: 'd', text: 'mine again' });
      });

      it('counts in nothing when one of its batches is refused', async () => {
        const users = await store.open('users', 1, { name: 'users', indexes: [] });
        const { old } = await passed();
        const held = await take('other', 'a');
        const parked = [
          {
            projection: 'users',
            key: 'u',
            position: at(4),
            eventId: 'e',
            eventType: 'T',
            error: 'x',
            parkedAt: 1,
          },
        ];
        const good = { generation: users, ...write(4, 'good'), lease: held };
        const bad = { generation: devices, ...write(4, 'bad'), lease: old };
        for (const batches of [
          [good, bad],
          [bad, good],
        ]) {
          await expect(store.commit(batches)).rejects.toThrow(LeaseLost);
          expect(await reads.checkpoint('users')).toBe(0n);
          expect(await reads.checkpoint('devices')).toBe(0n);
        }
        await store.commit([{ ...good, parked }]);
        expect(await reads.checkpoint('users')).toBe(4n);
      });
    });
  });
}

import { memoryReadModels } from '../../src/adapters/memory/readModels.js';
import { StoreUnavailable } from '../../src/events/eventStore.js';
import { BEAT_MS, LEASE_MS } from '../../src/projections/beat.js';
import type { Lease, Leases } from '../../src/projections/leases.js';
import { shares, sharesOf } from '../../src/projections/shares.js';
import { whileLeased } from '../../src/projections/whileLeased.js';
import { drivenClock, type DrivenClock } from './drivenClock.js';
import { tally } from './running.js';

let clock: DrivenClock;
let leases: Leases;

beforeEach(() => {
  clock = drivenClock();
  ({ leases } = memoryReadModels(() => clock.now()).store);
});

describe('the shares of a process', () => {
  const sharing = (holder: string, of = 6) => shares(leases, holder, sharesOf([tally()], of));
  const names = async (one: ReturnType<typeof sharing>) =>
    (await one.beat()).held.map(({ lease }) => lease.name.at(-3));

  it('are all when it is alone, at once', async () => {
    expect(await names(sharing('a'))).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  it('are fewer when another comes: what is too much is to be given up first', async () => {
    const [one, other] = [sharing('a', 5), sharing('b', 5)];
    await one.beat();
    expect((await other.beat()).held).toEqual([]);
    const { held, surplus } = await one.beat();
    expect([held.length, surplus.length]).toEqual([3, 2]);
    expect((await other.beat()).held).toEqual([]);
    for (const tenure of surplus) await one.giveUp(tenure);
    expect(await names(other)).toEqual(['3', '4']);
    expect(await names(one)).toEqual(['0', '1', '2']);
  });

  it('stay as they are while all renew them', async () => {
    const all = [sharing('a'), sharing('b'), sharing('c')];
    for (let beat = 0; beat < 4; beat += 1) {
      for (const one of all)
        for (const tenure of (await one.beat()).surplus) await one.giveUp(tenure);
      await clock.pass(BEAT_MS);
    }
    const before = await Promise.all(all.map(names));
    expect(before.map(({ length }) => length)).toEqual([2, 2, 2]);
    for (let beat = 0; beat < 10; beat += 1) {
      await clock.pass(BEAT_MS);
      expect(await Promise.all(all.map(names))).toEqual(before);
    }
  });

  it('are another’s once they are no longer renewed', async () => {
    await sharing('a').beat();
    const other = sharing('b');
    await other.beat();
    await clock.pass(LEASE_MS);
    expect(await names(other)).toHaveLength(6);
  });

  it('are another tenure when they were another’s in between', async () => {
    const one = sharing('a', 1);
    const [before] = (await one.beat()).held;
    expect((await one.beat()).held[0]).toBe(before);
    await clock.pass(LEASE_MS);
    const other = sharing('b', 1);
    await other.beat();
    await other.leave();
    const [after] = (await one.beat()).held;
    expect(after).not.toBe(before);
    expect(after?.lease.token).toBeGreaterThan(before?.lease.token ?? NaN);
  });

  it('are none while another holds such of another number, and all when that has left', async () => {
    const [old, young] = [sharing('b', 1), sharing('a', 3)];
    await old.beat();
    const { held, others } = await young.beat();
    expect([held, others.map(({ name }) => name)]).toEqual([[], ['fold:tally 0/1']]);
    // It takes no part, so the other's is no smaller.
    expect(await names(old)).toEqual(['0']);
    await old.leave();
    expect(await names(young)).toEqual(['0', '1', '2']);
    expect(await names(old)).toEqual([]);
  });

  it('are put down by one of two who took such of different numbers at once', async () => {
    const { held: whatIsHeld } = leases;
    let atOnce = true;
    leases = { ...leases, held: async (prefix) => (atOnce ? [] : whatIsHeld(prefix)) };
    const [one, other] = [sharing('a', 1), sharing('b', 3)];
    await Promise.all([one.beat(), other.beat()]);
    atOnce = false;
    const { held, surplus } = await other.beat();
    expect([held.length, surplus.length]).toEqual([0, 3]);
    for (const tenure of surplus) await other.giveUp(tenure);
    expect(await names(one)).toEqual(['0']);
    expect(await names(other)).toEqual([]);
  });

  it('are free at once when it leaves, and it counts no more', async () => {
    const one = sharing('a');
    await one.beat();
    await one.leave();
    expect(await leases.held('')).toEqual([]);
    expect(await names(sharing('b'))).toHaveLength(6);
  });
});

describe('work that one process does at a time', () => {
  let stopping: AbortController;
  /** Who works, in the order in which they began. */
  let working: string[];
  let ended: string[];

  beforeEach(() => {
    stopping = new AbortController();
    [working, ended] = [[], []];
  });
  afterEach(() => {
    stopping.abort();
  });

  function contend(holder: string, from = leases, signal = stopping.signal) {
    return whileLeased(
      { leases: from, runtime: clock.runtime(), name: 'retention', holder },
      signal,
      async (_lease, until) => {
        working.push(holder);
        await aborted(until);
        ended.push(holder);
      },
    );
  }

  it('is one’s as long as it renews', async () => {
    void contend('a');
    void contend('b');
    await clock.pass(60_000);
    expect([working, ended]).toEqual([['a'], []]);
  });

  it('passes on when the one is told to stop', async () => {
    const first = new AbortController();
    const one = contend('a', leases, first.signal);
    void contend('b');
    await clock.pass(1_000);
    first.abort();
    await one;
    await clock.pass(BEAT_MS + 100);
    expect([working, ended]).toEqual([['a', 'b'], ['a']]);
  });

  it.each([
    ['refuses to answer', () => Promise.reject(new StoreUnavailable('unreachable', 'away'))],
    ['never answers', () => new Promise<undefined>(() => {})],
  ])('ends before another begins when the store %s', async (_, away) => {
    let isAway = false;
    const cut: Leases = {
      ...leases,
      acquire: (...given) => (isAway ? away() : leases.acquire(...given)),
    };
    void contend('a', cut);
    void contend('b');
    await clock.pass(10_000);
    isAway = true;
    await clock.passUntil(() => ended.length > 0, LEASE_MS);
    expect(working).toEqual(['a']);
    await clock.passUntil(() => working.length > 1, 10_000);
    expect(working).toEqual(['a', 'b']);
  });

  it('waits for a store that is away at first', async () => {
    let isAway = true;
    const acquire: Leases['acquire'] = (...given) =>
      isAway
        ? Promise.reject(new StoreUnavailable('unreachable', 'away'))
        : leases.acquire(...given);
    void contend('a', { ...leases, acquire });
    await clock.pass(20_000);
    expect(working).toEqual([]);
    isAway = false;
    await clock.pass(BEAT_MS + 100);
    expect(working).toEqual(['a']);
  });

  it('is over when it is done, and its lease is free', async () => {
    const given: Lease[] = [];
    await whileLeased(
      { leases, runtime: clock.runtime(), name: 'once', holder: 'a' },
      stopping.signal,
      async (lease) => {
        given.push(lease);
        expect(await leases.held('once')).toEqual([lease]);
      },
    );
    expect(given).toHaveLength(1);
    expect(await leases.held('once')).toEqual([]);
  });

  it('passes on what it throws, and its lease is free', async () => {
    const failed = whileLeased(
      { leases, runtime: clock.runtime(), name: 'once', holder: 'a' },
      stopping.signal,
      () => Promise.reject(new RangeError('no')),
    );
    await expect(failed).rejects.toThrow(RangeError);
    expect(await leases.held('once')).toEqual([]);
  });
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

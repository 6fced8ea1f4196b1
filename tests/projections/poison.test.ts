import type { NewEvent } from '../../src/events/envelope.js';
import type { AnyProjection } from '../../src/projections/projection.js';
import { id, logged, PUMP } from '../spec/things.js';
import { newEvent, streamOf } from './documents.js';
import { allOf, backends, runThrough, tally, type Stores } from './running.js';

const VALVE = id(21);

describe.each(backends)('an event that can’t be folded, in %s,', (_name, open) => {
  let stores: Stores;
  let told: number;

  beforeEach(async () => {
    stores = await open();
    told = 0;
  });
  afterEach(() => stores.stop());

  async function say(deviceId: string, event: string, given: Partial<NewEvent> = {}) {
    told += 1;
    const line = logged(told, { deviceId, event });
    await stores.log.append(streamOf(line), [newEvent(line, told, given)], 'any');
  }

  const parked = async () =>
    (await stores.store().parked('tally')).map(({ key, eventType, error }) => [
      key,
      eventType,
      error,
    ]);

  it('is parked, with what was wrong with it', async () => {
    await say(PUMP, 'poison');
    const running = await runThrough(stores, [tally()]);
    expect(await parked()).toEqual([[PUMP, 'LogRecorded', 'TypeError: not to be folded']]);
    expect(await stores.reads.parkedCount('tally')).toBe(1);
    expect(running.parked).toMatchObject([{ projection: 'tally', key: PUMP }]);
    expect(running.faults).toEqual([]);
  });

  it('holds back its document, and nothing else', async () => {
    await say(PUMP, 'before');
    await say(PUMP, 'poison');
    await say(VALVE, 'other');
    await say(PUMP, 'after');
    await runThrough(stores, [tally()]);
    expect(await allOf(stores.reads, 'tally')).toEqual([
      { deviceId: PUMP, count: 1, events: ['before'] },
      { deviceId: VALVE, count: 1, events: ['other'] },
    ]);
    expect(await stores.reads.checkpoint('tally')).toBe(await stores.log.head());
  });

  it('holds it back across restarts, and is told of once', async () => {
    await say(PUMP, 'before');
    await say(PUMP, 'poison');
    await runThrough(stores, [tally()]);
    await say(PUMP, 'after');
    await say(PUMP, 'poison');
    await say(VALVE, 'other');
    const later = await runThrough(stores, [tally()]);
    expect(later.parked).toEqual([]);
    expect(await parked()).toHaveLength(1);
    expect(await stores.reads.get('tally', PUMP)).toMatchObject({ events: ['before'] });
    expect(await stores.reads.get('tally', VALVE)).toMatchObject({ events: ['other'] });
  });

  it('leaves other projections alone', async () => {
    const sane: AnyProjection = {
      ...tally(),
      name: 'sane',
      collection: { name: 'sane', indexes: [] },
      fold: (doc, events) => ({ lines: Number(doc?.lines ?? 0) + events.length }),
    };
    await say(PUMP, 'poison');
    await say(PUMP, 'after');
    await runThrough(stores, [tally(), sane]);
    expect(await stores.reads.get('sane', PUMP)).toEqual({ lines: 2 });
    expect(await stores.reads.parkedCount('sane')).toBe(0);
  });

  it('is parked by its stream where it can’t be told whose it is, and the stream waits', async () => {
    await say(PUMP, 'before');
    await say(PUMP, 'lost');
    await say(PUMP, 'after');
    await say(PUMP, 'lost');
    await say(VALVE, 'other');
    await runThrough(stores, [tally()]);
    await say(PUMP, 'later');
    await runThrough(stores, [tally()]);
    expect(await parked()).toEqual([
      [streamOf(logged(0)), 'LogRecorded', 'RangeError: whose is it?'],
    ]);
    expect(await allOf(stores.reads, 'tally')).toEqual([
      { deviceId: PUMP, count: 1, events: ['before'] },
      { deviceId: VALVE, count: 1, events: ['other'] },
    ]);
  });

  it('may be of a version that only a newer release knows', async () => {
    const metadata = newEvent(logged(0), 0).metadata;
    await say(PUMP, 'before');
    await say(PUMP, 'newer', { metadata: { ...metadata, version: 2 } });
    await say(PUMP, 'after');
    await say(VALVE, 'other');
    await runThrough(stores, [tally()]);
    expect(await parked()).toEqual([
      [streamOf(logged(0)), 'LogRecorded', expect.stringMatching(/^UnknownEvent: .*version 2/)],
    ]);
    expect(await allOf(stores.reads, 'tally')).toEqual([
      { deviceId: PUMP, count: 1, events: ['before'] },
      { deviceId: VALVE, count: 1, events: ['other'] },
    ]);
  });

  it('may be of a type that this release does not know', async () => {
    const curious: AnyProjection = { ...tally(), types: ['LogRecorded', 'GadgetInvented'] };
    await say(PUMP, 'gadget', { type: 'GadgetInvented' });
    await say(VALVE, 'other');
    await runThrough(stores, [curious]);
    expect(await parked()).toEqual([
      [streamOf(logged(0)), 'GadgetInvented', expect.stringMatching(/^UnknownEvent: /)],
    ]);
    expect(await stores.reads.get('tally', VALVE)).toMatchObject({ events: ['other'] });
  });

  it('is not parked where nobody folds its type', async () => {
    await say(PUMP, 'gadget', { type: 'GadgetInvented' });
    await runThrough(stores, [tally()]);
    expect(await stores.reads.parkedCount('tally')).toBe(0);
  });
});

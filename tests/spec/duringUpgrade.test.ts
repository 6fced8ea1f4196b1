import { memoryReadModels } from '../../src/adapters/memory/readModels.js';
import { START, type Position } from '../../src/events/envelope.js';
import type { Doc } from '../../src/projections/readModels.js';
import { HOUR_MS, usageKey } from '../../src/projections/usage.js';
import { noCache } from '../../src/queries/cache.js';
import { deviceById, listDevices } from '../../src/queries/devices.js';
import { deviceUsage } from '../../src/queries/usage.js';
import { BEFORE } from './given.js';
import { ACME, PUMP } from './things.js';

/** A device as version 1 had it: with what its heartbeats said. */
const device = {
  id: PUMP,
  organizationId: ACME,
  createdAt: BEFORE,
  deleted: false,
  firmware: '1.2',
  metrics: { load: 1 },
  lastSeenAt: BEFORE,
};

describe('while the documents of a new version are built, those of the old one answer', () => {
  const { store, reads } = memoryReadModels();

  async function write(projection: string, collection: string, key: string, doc: Doc, at: number) {
    const fields = ['deleted', 'organizationId', 'createdAt'];
    const indexes = collection === 'devices' ? [{ fields }] : [];
    const generation = await store.open(projection, 1, { name: collection, indexes });
    const position = BigInt(at) as Position;
    const writes = [{ key, doc, position }];
    await store.commit([{ generation, writes, parked: [], checkpoint: position }]);
  }
  const vitals = (lastSeenAt: number, at: number) =>
    write('device-vitals', 'device_vitals', PUMP, { firmware: '2', metrics: {}, lastSeenAt }, at);
  const seen = async () => {
    const { value } = await deviceById(reads, noCache)(PUMP, START);
    const question = { sort: 'createdAt', direction: 'desc', limit: 1 } as const;
    const list = await listDevices(reads, noCache)({ ...question, organizations: [ACME] }, START);
    expect(list.value.items[0]?.vitals).toEqual(value?.vitals);
    return value?.vitals;
  };

  it('with a device’s vitals, until later ones are there', async () => {
    await write('devices', 'devices', PUMP, device, 1);
    const { firmware, metrics, lastSeenAt } = device;
    expect(await seen()).toEqual({ firmware, metrics, lastSeenAt });
    // Folded from the first heartbeat on, they are of the past for a while.
    await vitals(BEFORE - 1, 1);
    expect(await seen()).toEqual({ firmware, metrics, lastSeenAt });
    await vitals(BEFORE + 1, 2);
    expect(await seen()).toEqual({ firmware: '2', metrics: {}, lastSeenAt: BEFORE + 1 });
  });

  it('with a device’s usage', async () => {
    const load = { count: 2, sum: 3, min: 1, max: 2 };
    const doc = {
      deviceId: PUMP,
      organizationId: ACME,
      start: BEFORE,
      total: 2,
      rank: 0,
      heartbeats: 2,
      metrics: { load, names: load },
      events: {},
    };
    await write('usage-hours', 'usage_hours', usageKey(PUMP, BEFORE), doc, 1);
    const { total, buckets } = await deviceUsage(reads)(PUMP, '24h', BEFORE + HOUR_MS / 2);
    expect(total.metrics).toEqual(doc.metrics);
    expect(buckets).toEqual([
      { start: BEFORE, total: 2, heartbeats: 2, metrics: doc.metrics, events: {} },
    ]);
  });
});

import { memoryReadModels } from '../../src/adapters/memory/readModels.js';
import { START, type Position } from '../../src/events/envelope.js';
import { devices } from '../../src/projections/devices.js';
import type { AnyProjection } from '../../src/projections/projection.js';
import type { Doc, Find, ReadModels } from '../../src/projections/readModels.js';
import { rankOf, usageDays, usageKey } from '../../src/projections/usage.js';
import { noCache } from '../../src/queries/cache.js';
import { dashboardOf } from '../../src/queries/dashboard.js';
import { listDevices } from '../../src/queries/devices.js';
import { BEFORE } from './given.js';
import { ACME, id } from './things.js';

/** How often a device has reported today, and whether it is deleted by now. */
interface Reported {
  readonly total: number;
  readonly deleted: boolean;
}

const position = 1n as Position;
const nameOf = (index: number) => `device ${index}`;

/** Read models in which devices have reported so often, and how often they were searched. */
async function reported(all: readonly Reported[]) {
  const { store, reads } = memoryReadModels();

  async function write(
    { name, version, collection }: AnyProjection,
    docs: readonly [string, Doc][],
  ) {
    const generation = await store.open(name, version, collection);
    const writes = docs.map(([key, doc]) => ({ key, doc, position }));
    await store.commit([{ generation, writes, parked: [], checkpoint: position }]);
  }

  const known = all.map((one, index) => ({ ...one, index, deviceId: id(1_000 + index) }));
  await write(
    devices,
    known.map(({ deviceId, index, deleted }) => [
      deviceId,
      { id: deviceId, organizationId: ACME, name: nameOf(index), createdAt: index, deleted },
    ]),
  );
  await write(
    usageDays,
    known.map(({ deviceId, total }) => [
      usageKey(deviceId, BEFORE),
      { deviceId, organizationId: ACME, start: BEFORE, total, rank: rankOf(total) },
    ]),
  );
  const searches: Find[] = [];
  const counted: ReadModels = {
    ...reads,
    find(collection, find) {
      searches.push(find);
      return reads.find(collection, find);
    },
  };
  return { reads: counted, searches };
}

const many = (count: number, from: number, deleted: boolean): readonly Reported[] =>
  Array.from({ length: count }, (_, index) => ({ total: from - index, deleted }));

async function topOf(reads: ReadModels, organizations: readonly string[] | 'all' = 'all') {
  const { value } = await dashboardOf(reads, noCache)(organizations, BEFORE, START);
  return value.top.map(({ name, total }) => [name, total]);
}

describe('the busiest devices', () => {
  it.each([
    ['of everybody', 'all' as const],
    ['of an organization', [ACME]],
  ])(
    '%s are ten that are in use, whatever is deleted before and between them',
    async (_, organizations) => {
      // Ten deleted ones left no place to the eleventh.
      const { reads, searches } = await reported([
        ...many(10, 10_000, true),
        ...many(5, 9_000, false),
        ...many(30, 8_000, true),
        ...many(20, 7_000, false),
      ]);
      const expected = [10, 11, 12, 13, 14, 45, 46, 47, 48, 49].map(nameOf);
      expect((await topOf(reads, organizations)).map(([name]) => name)).toEqual(expected);
      expect(searches).toHaveLength(1);
    },
  );

  it('are found behind more deleted ones than one look shows', async () => {
    const { reads } = await reported([...many(250, 10_000, true), ...many(3, 500, false)]);
    expect(await topOf(reads)).toEqual([
      [nameOf(250), 500],
      [nameOf(251), 499],
      [nameOf(252), 498],
    ]);
  });

  it('are not looked for without an end', async () => {
    const { reads, searches } = await reported([
      ...many(1_100, 10_000, true),
      ...many(3, 500, false),
    ]);
    expect(await topOf(reads)).toEqual([]);
    expect(searches).toHaveLength(10);
  });
});

describe('who belongs to more organizations than can be searched at once', () => {
  const others = Array.from({ length: 1_500 }, (_, index) => id(100_000 + index));

  it('sees the devices of those that they joined first', async () => {
    // The list and the dashboard were 500 for good, and anybody could do that to anybody.
    const { reads } = await reported(many(2, 100, false));
    const list = (organizations: readonly string[]) =>
      listDevices(reads, noCache)(
        { organizations, sort: 'createdAt', direction: 'asc', limit: 10 },
        START,
      );
    const { value } = await list([ACME, ...others]);
    expect(value.items.map(({ name }) => name)).toEqual([nameOf(0), nameOf(1)]);
    expect((await list([...others, ACME])).value.items).toEqual([]);
    expect(await topOf(reads, [ACME, ...others])).toEqual([
      [nameOf(0), 100],
      [nameOf(1), 99],
    ]);
  });
});

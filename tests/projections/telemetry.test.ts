import { deviceLogs } from '../../src/projections/deviceLogs.js';
import { MAX_NAMES, OTHER } from '../../src/projections/summary.js';
import {
  DAY_MS,
  HOUR_MS,
  rankOf,
  usageDays,
  usageHours,
  usageKey,
} from '../../src/projections/usage.js';
import { at, BEFORE } from '../spec/given.js';
import { ACME, heartbeat, logged, PUMP } from '../spec/things.js';
import { documentsOf, eventId } from './documents.js';

/** The key of what was told by the nth event. */
const nth = (position: number) => String(position).padStart(19, '0');
const key = usageKey(PUMP, BEFORE);
const empty = {
  deviceId: PUMP,
  organizationId: ACME,
  start: BEFORE,
  total: 0,
  rank: 0,
  heartbeats: 0,
  metrics: { names: [], values: [] },
  events: {},
};

describe('the log lines of a device', () => {
  it('are kept by their place in the log', () => {
    const told = logged(BEFORE - 5, {
      level: 'warn',
      message: 'stuck',
      value: 2,
      data: { a: [1] },
    });
    expect(documentsOf(deviceLogs, at(BEFORE, told))).toEqual({
      [nth(1)]: {
        id: eventId(0),
        deviceId: PUMP,
        organizationId: ACME,
        event: 'valve.opened',
        level: 'warn',
        message: 'stuck',
        value: 2,
        data: { a: [1] },
        at: BEFORE - 5,
        receivedAt: BEFORE,
      },
    });
  });

  it('say nothing where nothing was said', () => {
    expect(documentsOf(deviceLogs, logged(BEFORE))).toMatchObject({
      [nth(1)]: { message: null, value: null, data: null },
    });
  });

  it('are one document each', () => {
    const lines = [logged(BEFORE), logged(BEFORE), heartbeat(BEFORE)];
    expect(Object.keys(documentsOf(deviceLogs, ...lines))).toEqual([nth(1), nth(2)]);
  });
});

describe.each([
  ['hours', usageHours, HOUR_MS],
  ['days', usageDays, DAY_MS],
])('the usage in %s', (_name, usage, size) => {
  it('sums up what heartbeats measured', () => {
    expect(
      documentsOf(
        usage,
        heartbeat(BEFORE, { metrics: { load: 2, heat: -1 } }),
        heartbeat(BEFORE + 1, { metrics: { load: 0.5 } }),
        heartbeat(BEFORE + 2),
      ),
    ).toEqual({
      [key]: {
        ...empty,
        total: 3,
        rank: rankOf(3),
        heartbeats: 3,
        metrics: { names: ['load', 'heat'], values: [2, 2.5, 0.5, 2, 1, -1, -1, -1] },
      },
    });
  });

  it('counts log lines by their event, and sums up their values', () => {
    expect(
      documentsOf(
        usage,
        logged(BEFORE),
        logged(BEFORE, { value: 4 }),
        logged(BEFORE, { value: -2 }),
        logged(BEFORE, { event: 'boot' }),
      ),
    ).toEqual({
      [key]: {
        ...empty,
        total: 4,
        rank: rankOf(4),
        events: {
          'valve.opened': { count: 3, value: { count: 2, sum: 2, min: -2, max: 4 } },
          boot: { count: 1 },
        },
      },
    });
  });

  it('goes by the device’s own time, and turns at the full hour or midnight of UTC', () => {
    const told = [
      at(BEFORE + 10 * DAY_MS, heartbeat(BEFORE)),
      heartbeat(BEFORE + size - 1),
      heartbeat(BEFORE + size),
    ];
    expect(documentsOf(usage, ...told)).toMatchObject({
      [key]: { total: 2 },
      [usageKey(PUMP, BEFORE + size)]: { start: BEFORE + size, total: 1 },
    });
  });

  it('counts what has the name of something that every object has', () => {
    const { [key]: doc } = documentsOf(
      usage,
      heartbeat(BEFORE, { metrics: { constructor: 1, toString: 2 } }),
      logged(BEFORE, { event: 'hasOwnProperty' }),
    );
    expect(doc).toMatchObject({
      metrics: { names: ['constructor', 'toString'] },
      events: { hasOwnProperty: { count: 1 } },
    });
  });

  it(`counts ${MAX_NAMES} names apart, and the rest together`, () => {
    const lines = Array.from({ length: MAX_NAMES + 5 }, (_, index) =>
      logged(BEFORE, { event: `event-${index}`, value: 1 }),
    );
    const { [key]: doc } = documentsOf(usage, ...lines, logged(BEFORE, { event: 'event-0' }));
    const events = doc?.events as Record<string, { count: number }>;
    expect(Object.keys(events)).toHaveLength(MAX_NAMES + 1);
    expect(events[OTHER]).toEqual({ count: 5, value: { count: 5, sum: 5, min: 1, max: 1 } });
    expect(events['event-0']?.count).toBe(2);
  });

  it('never comes to a sum that JSON can’t hold', () => {
    const huge = heartbeat(BEFORE, { metrics: { up: Number.MAX_VALUE, down: -Number.MAX_VALUE } });
    const { [key]: doc } = documentsOf(usage, huge, huge, huge);
    const most = Number.MAX_VALUE;
    const [up, down] = [
      [3, most, most, most],
      [3, -most, -most, -most],
    ];
    expect(doc?.metrics).toEqual({ names: ['up', 'down'], values: [...up, ...down] });
  });
});

describe('the rank of a total', () => {
  it('never puts a busier device behind a quieter one, and seldom changes', () => {
    const ranks = Array.from({ length: 100_000 }, (_, total) => rankOf(total));
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    expect(new Set(ranks).size).toBeLessThan(130);
  });
});

import { drivenRuntime, NOON, type DrivenRuntime } from '../support/drivenRuntime.js';
import {
  addMember,
  logInAdmin,
  registerDevice,
  signUp,
  type DeviceBody,
  type ListBody,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import { startServer, type RunningServer } from '../support/server.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Recorded {
  readonly deviceId: string;
  readonly eventId: string;
  readonly position: string;
}

interface LogEntry {
  readonly id: string;
  readonly event: string;
  readonly level: string;
  readonly message: string | null;
  readonly value: number | null;
  readonly data: object | null;
  readonly time: string;
  readonly receivedAt: string;
}

interface Summary {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly avg: number;
}

interface Totals {
  readonly total: number;
  readonly heartbeats: number;
  readonly metrics: Readonly<Record<string, Summary>>;
  readonly events: Readonly<Record<string, { readonly count: number; readonly value?: Summary }>>;
}

interface UsageBody extends Totals {
  readonly from: string;
  readonly to: string;
  readonly bucketSeconds: number;
  readonly buckets: readonly (Totals & { readonly start: string })[];
}

interface DashboardBody {
  readonly devices: {
    readonly total: number;
    readonly status: Readonly<Record<string, number>>;
    readonly connection: Readonly<Record<string, number>>;
    readonly type: Readonly<Record<string, number>>;
  };
  readonly activity: readonly { readonly start: string; readonly total: number }[];
  readonly events: Readonly<Record<string, number>>;
  readonly top: readonly { readonly id: string; readonly name: string; readonly total: number }[];
}

const iso = (time: number) => new Date(time).toISOString();

describe('telemetry', () => {
  let clock: DrivenRuntime;
  let server: RunningServer;
  let ann: Person;
  let deviceId: string;
  beforeAll(async () => {
    clock = drivenRuntime();
    server = await startServer({ runtime: clock });
    ann = await signUp(server);
  });
  beforeEach(async () => {
    deviceId = (await registerDevice(ann)).id;
  });
  afterAll(() => server.stop());

  const beat = (body: object = {}) =>
    ann.api.post<Recorded & ProblemBody>(`/api/devices/${deviceId}/heartbeat`, body);
  const log = (body: object) =>
    ann.api.post<Recorded & ProblemBody>(`/api/devices/${deviceId}/logs`, body);
  const device = async () => (await ann.api.get<DeviceBody>(`/api/devices/${deviceId}`)).body;
  const usage = async (range: string) =>
    (await ann.api.get<UsageBody>(`/api/devices/${deviceId}/usage?range=${range}`)).body;

  describe('by heartbeat', () => {
    it('says when and how the device was seen last', async () => {
      const answer = await beat({ metrics: { load: 0.5, temperature: -3 }, firmware: '1.2.3' });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        deviceId,
        eventId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        position: answer.headers['x-position'],
      });
      expect(await device()).toMatchObject({
        connection: 'online',
        lastSeenAt: iso(clock.now()),
        metrics: { load: 0.5, temperature: -3 },
        firmware: '1.2.3',
      });
      await beat({});
      expect(await device()).toMatchObject({ metrics: { load: 0.5 }, firmware: '1.2.3' });
    });

    it('moves the device’s revision only when it changes the device', async () => {
      await beat();
      const online = await device();
      expect(online.revision).toBe(1);
      for (let n = 0; n < 5; n++) await beat({ metrics: { n } });
      expect((await device()).revision).toBe(1);
      await beat({ status: 'maintenance' });
      expect(await device()).toMatchObject({ status: 'maintenance', revision: 2 });
      await beat({ status: 'maintenance' });
      expect((await device()).revision).toBe(2);
    });

    it('of the past is recorded there, and says nothing of now', async () => {
      const time = iso(clock.now() - 3 * HOUR);
      expect((await beat({ time, status: 'inactive', metrics: { load: 9 } })).status).toBe(200);
      expect(await device()).toMatchObject({
        connection: 'unknown',
        status: 'active',
        lastSeenAt: time,
      });
      await beat({ metrics: { load: 1 } });
      await beat({ time: iso(clock.now() - HOUR), metrics: { load: 5 } });
      expect(await device()).toMatchObject({ lastSeenAt: iso(clock.now()), metrics: { load: 1 } });
    });

    it('counts as now for as long as the device’s own interval says', async () => {
      const slow = await registerDevice(ann, { heartbeatInterval: 3_600 });
      const late = { time: iso(clock.now() - 30 * MINUTE) };
      await ann.api.post(`/api/devices/${slow.id}/heartbeat`, late);
      await beat(late);
      const { body } = await ann.api.get<DeviceBody>(`/api/devices/${slow.id}`);
      expect([body.connection, (await device()).connection]).toEqual(['online', 'unknown']);
    });

    it('may be five minutes ahead and no more', async () => {
      expect((await beat({ time: iso(clock.now() + 5 * MINUTE) })).status).toBe(200);
      const ahead = await beat({ time: iso(clock.now() + 5 * MINUTE + 1) });
      expect([ahead.status, ahead.body.code]).toEqual([400, 'TIME_IN_FUTURE']);
    });

    it('has its time in UTC, whatever it was given in', async () => {
      await beat({ time: '2026-03-15T14:29:59.5+02:00' });
      expect((await device()).lastSeenAt).toBe('2026-03-15T12:29:59.500Z');
    });

    it.each([
      'yesterday',
      '2026-03-15',
      '2026-02-30T00:00:00Z',
      '2026-03-15T25:00:00Z',
      '2026-03-15 12:00',
      '1969-12-31T23:59:59Z',
      '2016-12-31T23:59:60Z',
      1_700_000_000,
      '',
    ])('at %j is refused', async (time) => {
      const answer = await beat({ time });
      expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
    });

    it.each([
      ['a text for a number', { metrics: { load: '1' } }],
      ['null for a number', { metrics: { load: null } }],
      ['a list of numbers', { metrics: [1, 2] }],
      [
        'more than 50 metrics',
        { metrics: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`m${n}`, n])) },
      ],
      ['an unknown status', { status: 'on fire' }],
    ])('with %s is refused', async (_, body) => {
      expect((await beat(body)).body.code).toBe('VALIDATION_FAILED');
    });

    it('of a number that no computer holds is refused', async () => {
      const answer = await ann.api.request<ProblemBody>(
        'POST',
        `/api/devices/${deviceId}/heartbeat`,
        {
          headers: { 'content-type': 'application/json' },
          body: '{"metrics":{"load":1e999}}',
        },
      );
      expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
    });

    it('is refused for a deleted device', async () => {
      await ann.api.delete(`/api/devices/${deviceId}`);
      expect((await beat()).body.code).toBe('DEVICE_DELETED');
    });

    it('stands once under its key, and not for another body', async () => {
      const key = { 'idempotency-key': 'beat' };
      const path = `/api/devices/${deviceId}/heartbeat`;
      const send = (load: number) =>
        ann.api.post<Recorded & ProblemBody>(path, { metrics: { load } }, key);
      const first = await send(1);
      const answers = await Promise.all(Array.from({ length: 10 }, () => send(1)));
      expect(answers.map(({ body }) => body.eventId)).toEqual(
        Array.from({ length: 10 }, () => first.body.eventId),
      );
      expect((await send(2)).body.code).toBe('IDEMPOTENCY_KEY_REUSED');
      expect((await usage('24h')).heartbeats).toBe(1);
    });

    it('that is refused for its key changes nothing of the device', async () => {
      const key = { 'idempotency-key': 'refused' };
      const path = `/api/devices/${deviceId}/heartbeat`;
      await ann.api.post(path, { status: 'active' }, key);
      const other = await ann.api.post<ProblemBody>(path, { status: 'inactive' }, key);
      expect(other.body.code).toBe('IDEMPOTENCY_KEY_REUSED');
      expect((await device()).status).toBe('active');
    });

    it('that is repeated does not undo what was done to the device since', async () => {
      const key = { 'idempotency-key': 'stale' };
      const path = `/api/devices/${deviceId}`;
      const send = () => ann.api.post(`${path}/heartbeat`, { status: 'maintenance' }, key);
      await send();
      const { body: repaired } = await ann.api.patch<DeviceBody>(path, { status: 'active' });
      await send();
      expect(await device()).toMatchObject({ status: 'active', revision: repaired.revision });
      const again = await ann.api.patch<DeviceBody>(path, { status: 'active' });
      expect(again.body.revision).toBe(repaired.revision);
    });
  });

  describe('by log', () => {
    const logs = async (query = '') =>
      (await ann.api.get<ListBody<LogEntry>>(`/api/devices/${deviceId}/logs?${query}`)).body;

    it('is answered as it was told', async () => {
      const entry = {
        event: 'door.opened',
        level: 'warn',
        message: 'The door\nis open \u0000',
        value: 2.5,
        data: { by: ['key', 7], nested: { a: null } },
        time: iso(clock.now() - HOUR),
      };
      const recorded = await log(entry);
      const { items } = await logs();
      expect(items).toEqual([
        { id: recorded.body.eventId, ...entry, receivedAt: iso(clock.now()) },
      ]);
    });

    it('says what is usual where nothing is told', async () => {
      await log({ event: 'ping' });
      expect((await logs()).items[0]).toMatchObject({
        level: 'info',
        message: null,
        value: null,
        data: null,
        time: iso(clock.now()),
      });
    });

    it('is found by event, level and time, in both directions and by cursor and page', async () => {
      const told = Array.from({ length: 60 }, (_, n) => ({
        event: n % 2 === 0 ? 'even' : 'odd',
        level: n % 3 === 0 ? 'error' : 'debug',
        value: n,
        // Threes have the same time.
        time: iso(clock.now() - (20 - Math.floor(n / 3)) * MINUTE),
      }));
      for (const body of told) await log(body);
      const walk = async (query: string) => {
        const values: (number | null)[] = [];
        let cursor = '';
        do {
          const { items, nextCursor } = await logs(`${query}&limit=7${cursor}`);
          values.push(...items.map(({ value }) => value));
          cursor = nextCursor === null ? '' : `&cursor=${encodeURIComponent(nextCursor)}`;
        } while (cursor !== '');
        return values;
      };
      const all = await walk('');
      expect(all).toHaveLength(60);
      expect(await walk('direction=asc')).toEqual([...all].reverse());
      const valuesOf = (test: (one: (typeof told)[number]) => boolean) =>
        told.filter(test).map(({ value }) => value);
      const sorted = (values: (number | null)[]) =>
        [...values].sort((a, b) => Number(a) - Number(b));
      expect(sorted(await walk('event=odd'))).toEqual(valuesOf(({ event }) => event === 'odd'));
      expect(sorted(await walk('event=even&level=error'))).toEqual(
        valuesOf(({ event, level }) => event === 'even' && level === 'error'),
      );
      const from = iso(clock.now() - 15 * MINUTE);
      const to = iso(clock.now() - 5 * MINUTE);
      const within = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
      const expected = valuesOf(({ time }) => time >= from && time < to);
      expect(sorted(await walk(within))).toEqual(expected);
      expect(await logs(`${within}&page=1&limit=10`)).toMatchObject({
        total: expected.length,
        totalPages: Math.ceil(expected.length / 10),
      });
    });

    it.each(['from=yesterday', 'to=1969-01-01T00:00:00Z', 'level=loud', 'event=a%20b'])(
      'refuses the question %s',
      async (query) => {
        const answer = await ann.api.get<ProblemBody>(`/api/devices/${deviceId}/logs?${query}`);
        expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
      },
    );

    it.each([
      ['no event', {}],
      ['data that is a list', { event: 'e', data: [] }],
      ['data that is too large', { event: 'e', data: { a: 'x'.repeat(16_384) } }],
      ['a message that is too long', { event: 'e', message: 'x'.repeat(4_097) }],
      ['an unknown level', { event: 'e', level: 'fatal' }],
      ['a text for a value', { event: 'e', value: '7' }],
    ])('with %s is refused', async (_, body) => {
      expect((await log(body)).body.code).toBe('VALIDATION_FAILED');
    });
  });

  describe('as usage', () => {
    /** A moment, and what was reported at it. */
    const REPORTS = [
      { ago: 0, load: 4 },
      { ago: 10 * MINUTE, load: 2 },
      { ago: HOUR, load: 1 },
      { ago: 23 * HOUR, load: 8 },
      { ago: 24 * HOUR, load: 16 },
      { ago: 3 * DAY, load: 32 },
      { ago: 6 * DAY, load: -64 },
      { ago: 7 * DAY, load: 128 },
      { ago: 29 * DAY, load: 0.5 },
      { ago: 30 * DAY, load: 1_024 },
    ];
    beforeEach(async () => {
      for (const { ago, load } of REPORTS) {
        const time = iso(NOON - ago);
        await beat({ time, metrics: { load } });
        await log({ time, event: 'cycle', value: load * 2 });
        await log({ time, event: 'blink' });
      }
    });

    it.each([
      ['24h', 24 * HOUR, HOUR, 23 * HOUR],
      ['7d', 7 * DAY, DAY, 6 * DAY],
      ['30d', 30 * DAY, DAY, 29 * DAY],
    ])('of %s is the exact sum of what was reported', async (range, length, bucket, oldest) => {
      const loads = REPORTS.filter(({ ago }) => ago <= oldest).map(({ load }) => load);
      const body = await usage(range);
      const count = loads.length;
      const sum = loads.reduce((total, one) => total + one, 0);
      const [min, max] = [Math.min(...loads), Math.max(...loads)];
      const value = { count, sum: 2 * sum, min: 2 * min, max: 2 * max, avg: (2 * sum) / count };
      expect(body).toMatchObject({
        from: iso(NOON - (NOON % bucket) - length + bucket),
        to: iso(NOON),
        bucketSeconds: bucket / SECOND,
        total: 3 * count,
        heartbeats: count,
        metrics: { load: { count, sum, min, max, avg: sum / count } },
        events: { cycle: { count, value }, blink: { count } },
      });
      const starts = body.buckets.map(({ start }) => start);
      expect(starts).toEqual([...new Set(starts)].sort());
      expect(body.buckets.reduce((total, one) => total + one.total, 0)).toBe(body.total);
      for (const one of body.buckets) expect(Date.parse(one.start) % bucket).toBe(0);
    });

    it('is of 24 hours when nothing is asked for, and of no other length', async () => {
      const { body } = await ann.api.get<UsageBody>(`/api/devices/${deviceId}/usage`);
      expect(body.bucketSeconds).toBe(3_600);
      expect((await ann.api.get(`/api/devices/${deviceId}/usage?range=1y`)).status).toBe(400);
    });

    it('of a device that said nothing is nothing', async () => {
      deviceId = (await registerDevice(ann)).id;
      expect(await usage('30d')).toMatchObject({ total: 0, metrics: {}, events: {}, buckets: [] });
    });
  });

  describe('as dashboard', () => {
    const dashboard = async ({ api }: Pick<Person, 'api'>) =>
      (await api.get<DashboardBody>('/api/analytics/dashboard')).body;

    it('counts the fleet, its activity and what it reported', async () => {
      const bob = await signUp(server);
      const devices = [
        await registerDevice(bob, { name: 'A', type: 'lamp' }),
        await registerDevice(bob, { name: 'B', type: 'lamp', status: 'inactive' }),
        await registerDevice(bob, { name: 'C', type: 'boiler' }),
        await registerDevice(bob, { name: 'D', type: 'boiler' }),
      ];
      const [a, b, c, d] = devices.map(({ id }) => `/api/devices/${id}`);
      for (const time of [0, HOUR, HOUR, 23 * HOUR, 30 * HOUR]) {
        await bob.api.post(`${a}/heartbeat`, { time: iso(clock.now() - time) });
      }
      await bob.api.post(`${b}/logs`, { event: 'opened' });
      await bob.api.patch(c ?? '', { status: 'maintenance', type: 'heater' });
      await bob.api.post(`${d}/heartbeat`, {});
      await bob.api.delete(d ?? '');
      const body = await dashboard(bob);
      expect(body.devices).toEqual({
        total: 3,
        status: { active: 1, inactive: 1, maintenance: 1 },
        connection: { online: 1, unknown: 2 },
        type: { lamp: 2, heater: 1 },
      });
      expect(body.activity).toHaveLength(24);
      const active = body.activity.filter(({ total }) => total > 0);
      expect(active.map(({ start, total }) => [(NOON - Date.parse(start)) / HOUR, total])).toEqual([
        [23.5, 1],
        [1.5, 2],
        [0.5, 3],
      ]);
      expect(body.events).toEqual({ heartbeat: 5, opened: 1 });
      expect(body.top.map(({ name, total }) => [name, total])).toEqual([
        ['A', 3],
        ['B', 1],
      ]);
      await bob.api.post(`${d}/restore`);
      expect((await dashboard(bob)).devices).toMatchObject({ total: 4, connection: { online: 2 } });
    });

    it('counts the fleets of all of a user’s organizations, and an administrator’s all', async () => {
      const [bob, eve] = [await signUp(server), await signUp(server)];
      await registerDevice(eve);
      await addMember(eve, bob, 'viewer');
      await registerDevice(bob);
      expect((await dashboard(bob)).devices.total).toBe(2);
      expect((await dashboard(eve)).devices.total).toBe(1);
      const admin = await logInAdmin(server);
      const before = (await dashboard(admin)).devices.total;
      await registerDevice(admin, { organizationId: eve.organizationId });
      expect((await dashboard(admin)).devices.total).toBe(before + 1);
      // The projection has come that far for the administrator: it has for everybody.
      expect((await dashboard(eve)).devices.total).toBe(2);
    });

    it('names the device that is left when ten busier ones are deleted', async () => {
      const bob = await signUp(server);
      for (let busy = 0; busy < 10; busy++) {
        const path = `/api/devices/${(await registerDevice(bob)).id}`;
        for (let times = 0; times < 2; times++) await bob.api.post(`${path}/heartbeat`, {});
        await bob.api.delete(path);
      }
      const { id } = await registerDevice(bob, { name: 'Left' });
      await bob.api.post(`/api/devices/${id}/heartbeat`, {});
      expect((await dashboard(bob)).top).toEqual([{ id, name: 'Left', total: 1 }]);
    });

    it('is empty for who has nothing', async () => {
      expect(await dashboard(await signUp(server))).toMatchObject({
        devices: { total: 0, status: {}, connection: {}, type: {} },
        events: {},
        top: [],
      });
    });
  });
});

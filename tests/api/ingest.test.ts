import { rmSync } from 'node:fs';
import {
  issueToken,
  logIn,
  registerDevice,
  signUp,
  type DeviceBody,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import type { Client, Headers } from '../support/client.js';
import { newDataDir, startServer, type RunningServer } from '../support/server.js';

interface BatchBody {
  readonly accepted: number;
  readonly rejected: number;
  readonly position: string;
  readonly results: readonly {
    readonly line: number;
    readonly status: number;
    readonly code?: string;
    readonly detail?: string;
    readonly eventId?: string;
  }[];
}

const MOST_LINES = 10_000;

describe('a batch of telemetry', () => {
  const dataDir = newDataDir();
  const env = { MAX_REQUEST_SIZE: '8mb' };
  let server: RunningServer;
  let ann: Person;
  let deviceId: string;
  beforeAll(async () => {
    server = await startServer({ dataDir, env });
    ann = await signUp(server);
  });
  beforeEach(async () => {
    deviceId = (await registerDevice(ann)).id;
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const json = (lines: unknown, headers: Headers = {}, api: Client = ann.api) =>
    api.post<BatchBody & ProblemBody>('/api/ingest', lines, headers);
  const ndjson = (body: string, headers: Headers = {}, api: Client = ann.api) =>
    api.request<BatchBody & ProblemBody>('POST', '/api/ingest', {
      body,
      headers: { 'content-type': 'application/x-ndjson', ...headers },
    });
  const told = ({ results }: BatchBody) => results.map(({ status, code }) => code ?? status);
  const reported = async (id = deviceId) => {
    const { body } = await ann.api.get<{ total: number }>(`/api/devices/${id}/usage?range=7d`);
    return body.total;
  };
  const heartbeat = (more: object = {}) => ({ kind: 'heartbeat', deviceId, ...more });
  const log = (more: object = {}) => ({ kind: 'log', deviceId, event: 'e', ...more });

  it('is answered line by line, and its position covers all of them', async () => {
    const other = await registerDevice(ann);
    const answer = await json([
      heartbeat({ metrics: { load: 1 } }),
      log({ value: 2 }),
      heartbeat({ deviceId: other.id, status: 'maintenance' }),
    ]);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ accepted: 3, rejected: 0 });
    expect(answer.body.results.map(({ line, status }) => [line, status])).toEqual([
      [1, 200],
      [2, 200],
      [3, 200],
    ]);
    expect(answer.headers['x-position']).toBe(answer.body.position);
    expect([await reported(), await reported(other.id)]).toEqual([2, 1]);
    const { body } = await ann.api.get<DeviceBody>(`/api/devices/${other.id}`);
    expect(body).toMatchObject({ status: 'maintenance', connection: 'online' });
  });

  it('makes each of its devices online, and has their statuses in order', async () => {
    const devices = await Promise.all([1, 2, 3].map(() => registerDevice(ann)));
    const lines = devices.map(({ id }) => heartbeat({ deviceId: id }));
    // So many that they are recorded in several goes: the last status is the one that stays.
    const changing = Array.from({ length: 1_200 }, (_, n) =>
      heartbeat({ status: n < 700 ? 'maintenance' : 'inactive' }),
    );
    await json([...lines, ...changing]);
    const read = async (id: string) => (await ann.api.get<DeviceBody>(`/api/devices/${id}`)).body;
    for (const { id } of devices) expect((await read(id)).connection).toBe('online');
    expect(await read(deviceId)).toMatchObject({ connection: 'online', status: 'inactive' });
  });

  it('keeps the order of a device’s lines, however they are recorded', async () => {
    // The first make it online, which takes longer; those of other devices go on meanwhile.
    const other = (await registerDevice(ann)).id;
    const lines = Array.from({ length: 1_500 }, (_, value) =>
      value % 3 === 0
        ? heartbeat({ metrics: { value } })
        : log({ value, ...(value % 3 === 1 && { deviceId: other }) }),
    );
    const { body } = await json(lines);
    expect(body).toMatchObject({ accepted: 1_500, rejected: 0 });
    const ids = body.results.map(({ eventId }) => eventId);
    expect(new Set(ids).size).toBe(1_500);
    const logged = await ann.api.get<{ items: readonly { value: number }[] }>(
      `/api/devices/${other}/logs?limit=100`,
    );
    const newest = lines.flatMap((_, value) => (value % 3 === 1 ? [value] : [])).slice(-100);
    expect(logged.body.items.map(({ value }) => value)).toEqual(newest.reverse());
  });

  const bad: readonly (readonly [string, string, string])[] = [
    ['half a line', '{"kind":"heartbeat"', 'MALFORMED_BODY'],
    ['no JSON', 'heartbeat', 'MALFORMED_BODY'],
    ['a prototype', '{"kind":"heartbeat","__proto__":{"a":1}}', 'MALFORMED_BODY'],
    ['a NUL', '{"kind":"\u0000"}', 'MALFORMED_BODY'],
    ['a number', '7', 'VALIDATION_FAILED'],
    ['null', 'null', 'VALIDATION_FAILED'],
    ['a list', '[]', 'VALIDATION_FAILED'],
    ['no kind', '{"deviceId":"DEVICE"}', 'VALIDATION_FAILED'],
    ['an unknown kind', '{"kind":"panic","deviceId":"DEVICE"}', 'VALIDATION_FAILED'],
    [
      'a field of another kind',
      '{"kind":"log","event":"e","metrics":{},"deviceId":"DEVICE"}',
      'VALIDATION_FAILED',
    ],
    [
      'an unknown field',
      '{"kind":"heartbeat","role":"admin","deviceId":"DEVICE"}',
      'VALIDATION_FAILED',
    ],
    ['no device', '{"kind":"heartbeat"}', 'VALIDATION_FAILED'],
    ['a device that is no id', '{"kind":"heartbeat","deviceId":"x"}', 'VALIDATION_FAILED'],
    ['an operator', '{"kind":"heartbeat","deviceId":{"$ne":null}}', 'VALIDATION_FAILED'],
    [
      'a time before 1970',
      '{"kind":"heartbeat","deviceId":"DEVICE","time":"1969-12-31T00:00:00Z"}',
      'VALIDATION_FAILED',
    ],
    [
      'a leap second',
      '{"kind":"log","event":"e","deviceId":"DEVICE","time":"2016-12-31T23:59:60Z"}',
      'VALIDATION_FAILED',
    ],
    [
      'a time to come',
      '{"kind":"heartbeat","deviceId":"DEVICE","time":"2999-01-01T00:00:00Z"}',
      'TIME_IN_FUTURE',
    ],
    ['no event', '{"kind":"log","deviceId":"DEVICE"}', 'VALIDATION_FAILED'],
    [
      'an id that is too long',
      `{"kind":"heartbeat","deviceId":"DEVICE","id":"${'i'.repeat(101)}"}`,
      'VALIDATION_FAILED',
    ],
    [
      'half a character for an id',
      '{"kind":"heartbeat","deviceId":"DEVICE","id":"\\ud800"}',
      'VALIDATION_FAILED',
    ],
    [
      'an unknown device',
      '{"kind":"heartbeat","deviceId":"00000000-0000-4000-8000-000000000000"}',
      'DEVICE_NOT_FOUND',
    ],
  ];
  it.each(bad)(
    'with %s on a line is answered so on that line, and goes on',
    async (_, text, code) => {
      const line = text.replace('DEVICE', deviceId);
      const good = JSON.stringify(heartbeat());
      const answer = await ndjson([good, line, good].join('\n'));
      expect(told(answer.body)).toEqual([200, code, 200]);
      expect(answer.body).toMatchObject({ accepted: 2, rejected: 1 });
      expect(await reported()).toBe(2);
      if (code === 'MALFORMED_BODY') return;
      const asArray = await json([heartbeat(), JSON.parse(line), heartbeat()]);
      expect(told(asArray.body)).toEqual([200, code, 200]);
    },
  );

  it('may have empty lines, line ends of any kind, and a byte order mark', async () => {
    const good = JSON.stringify(heartbeat());
    const answer = await ndjson(`\ufeff${good}\r\n\r\n  \n${good}\n\n`);
    expect(told(answer.body)).toEqual([200, 200]);
    expect(answer.body.results.map(({ line }) => line)).toEqual([1, 2]);
  });

  it('may be empty', async () => {
    for (const answer of [await json([]), await ndjson(''), await ndjson('\n\n')]) {
      expect(answer.body).toEqual({ accepted: 0, rejected: 0, position: '0', results: [] });
      expect(answer.headers['x-position']).toBeUndefined();
    }
  });

  it.each(['{}', 'null', '7', '"x"', ''])('that is %j and no list is refused', async (body) => {
    const answer = await ann.api.request<ProblemBody>('POST', '/api/ingest', {
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('is taken for those devices that its sender may report for', async () => {
    const bob = await signUp(server);
    const his = (await registerDevice(bob)).id;
    const deleted = (await registerDevice(ann)).id;
    await ann.api.delete(`/api/devices/${deleted}`);
    const answer = await json([
      heartbeat({ deviceId: his }),
      heartbeat(),
      heartbeat({ deviceId: deleted }),
      log({ deviceId: his }),
    ]);
    expect(told(answer.body)).toEqual([
      'DEVICE_NOT_FOUND',
      200,
      'DEVICE_DELETED',
      'DEVICE_NOT_FOUND',
    ]);
    const { token } = await issueToken(ann, deviceId);
    const own = server.client.as(token);
    const { id: sibling } = await registerDevice(ann);
    const byDevice = await json(
      [
        { kind: 'heartbeat' },
        heartbeat(),
        heartbeat({ deviceId: sibling }),
        heartbeat({ deviceId: his }),
      ],
      {},
      own,
    );
    expect(told(byDevice.body)).toEqual([200, 200, 'DEVICE_NOT_FOUND', 'DEVICE_NOT_FOUND']);
    const seen = { 'x-consistent-with': byDevice.body.position };
    await ann.api.get(`/api/devices/${deviceId}/usage`, seen);
    expect([await reported(), await reported(sibling)]).toEqual([3, 0]);
  });

  it('has each line of an id once: in one batch, in another, and after a restart', async () => {
    const lines = [heartbeat({ id: 'a' }), log({ id: 'b' }), heartbeat({ id: 'a' })];
    const first = await json(lines);
    expect(told(first.body)).toEqual([200, 200, 200]);
    const ids = first.body.results.map(({ eventId }) => eventId);
    expect(ids[0]).toBe(ids[2]);
    const second = await json([log({ id: 'b' }), heartbeat({ id: 'c' })]);
    expect(second.body.results[0]?.eventId).toBe(ids[1]);
    await server.stop();
    server = await startServer({ dataDir, env });
    ann = await logIn(server, ann.email);
    const third = await json(lines);
    expect(third.body.results.map(({ eventId }) => eventId)).toEqual(ids);
    expect(third.body.position).toBe(first.body.position);
    expect(await reported()).toBe(3);
  });

  it('has a line of an id once, when ten batches bring it at once', async () => {
    const lines = Array.from({ length: 20 }, (_, n) => log({ id: `line ${n}` }));
    const answers = await Promise.all(Array.from({ length: 10 }, () => json(lines)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body.results))).size).toBe(1);
    expect(await reported()).toBe(20);
  });

  it('refuses a line that says something else under an id that was used', async () => {
    await json([log({ id: 'x', value: 1 })]);
    const answer = await json([log({ id: 'x', value: 2 }), log({ id: 'y' })]);
    expect(told(answer.body)).toEqual(['IDEMPOTENCY_KEY_REUSED', 200]);
  });

  it('answers each line when none of them is accepted', async () => {
    await json([log({ id: 'x', value: 1 }), log({ id: 'y', value: 1 })]);
    const changed = [log({ id: 'x', value: 2 }), log({ id: 'y', value: 2 })];
    const answer = await json(changed);
    expect([answer.status, told(answer.body)]).toEqual([
      200,
      ['IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_KEY_REUSED'],
    ]);
    const mixed = await json([...changed, { kind: 'none' }]);
    expect(told(mixed.body).at(-1)).toBe('VALIDATION_FAILED');
  });

  it('takes the same id of two devices for two lines', async () => {
    const other = await registerDevice(ann);
    const answer = await json([log({ id: 'x' }), log({ id: 'x', deviceId: other.id })]);
    const ids = answer.body.results.map(({ eventId }) => eventId);
    expect(new Set(ids).size).toBe(2);
  });

  it('under a key stands once, and is refused for another body', async () => {
    const key = { 'idempotency-key': 'batch' };
    const lines = [heartbeat({ metrics: { load: 1 } }), 'bad', log({ value: 2 })];
    const first = await json(lines, key);
    const second = await json(lines, key);
    expect(second.body).toEqual(first.body);
    expect(await reported()).toBe(2);
    const other = await json([heartbeat({ metrics: { load: 2 } })], key);
    expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('keeps the order of a device of whose lines only some have an id', async () => {
    const some = (more: object) => Array.from({ length: 300 }, () => heartbeat(more));
    const named = heartbeat({ id: 'n', status: 'maintenance' });
    const lines = [...some({}), named, ...some({ status: 'active' })];
    const { body } = await json(lines);
    expect(body).toMatchObject({ accepted: 601, rejected: 0 });
    const { body: device } = await ann.api.get<DeviceBody>(`/api/devices/${deviceId}`);
    expect(device.status).toBe('active');
  });

  it('answers bad lines where they stand, however far down', async () => {
    const bad = [0, 249, 250, 600, 999];
    const lines = Array.from({ length: 1_000 }, (_, line) =>
      bad.includes(line) ? '{"kind":' : JSON.stringify(heartbeat()),
    );
    const { body } = await ndjson(lines.join('\n'));
    expect(body).toMatchObject({ accepted: 995, rejected: 5 });
    expect(body.results.map(({ line }) => line)).toEqual(lines.map((_, index) => index + 1));
    const refused = body.results.filter(({ code }) => code === 'MALFORMED_BODY');
    expect(refused.map(({ line }) => line - 1)).toEqual(bad);
  });

  it('of 10,000 lines over many devices is taken whole', async () => {
    const registered = await ann.api.post<{ results: { deviceId: string }[] }>(
      '/api/devices/batch',
      Array.from({ length: 100 }, (_, n) => ({ name: `d${n}`, type: 'many' })),
    );
    const ids = registered.body.results.map((one) => one.deviceId);
    const lines = Array.from({ length: MOST_LINES }, (_, n) =>
      heartbeat({ deviceId: ids[n % ids.length], metrics: { n } }),
    );
    const answer = await ndjson(lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(answer.body).toMatchObject({ accepted: MOST_LINES, rejected: 0 });
    expect([await reported(ids[0]), await reported(ids[99])]).toEqual([100, 100]);
  });

  it('of 10,000 lines of one device stands once when it is sent again', async () => {
    const key = { 'idempotency-key': 'large' };
    const lines = Array.from({ length: MOST_LINES }, (_, n) => heartbeat({ metrics: { n } }));
    const first = await json(lines, key);
    expect(first.body.accepted).toBe(MOST_LINES);
    const again = await json(lines, key);
    expect(again.body.results).toEqual(first.body.results);
    expect(again.body.position).toBe(first.body.position);
    expect(await reported()).toBe(MOST_LINES);
  });

  it('of 10,001 lines is refused', async () => {
    const lines = Array.from({ length: MOST_LINES + 1 }, () => heartbeat());
    for (const answer of [
      await json(lines),
      await ndjson(lines.map((line) => JSON.stringify(line)).join('\n')),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([413, 'TOO_MANY_LINES']);
    }
    expect(await reported()).toBe(0);
  });
});

import { rmSync } from 'node:fs';
import { drivenRuntime, type DrivenRuntime } from '../support/drivenRuntime.js';
import {
  logIn,
  registerDevice,
  signUp,
  type DeviceBody,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import { newDataDir, startServer, type RunningServer } from '../support/server.js';

interface BatchBody {
  readonly accepted: number;
  readonly rejected: number;
  readonly results: readonly {
    readonly line: number;
    readonly status: number;
    readonly code?: string;
    readonly deviceId?: string;
  }[];
}

describe('a device', () => {
  let clock: DrivenRuntime;
  let server: RunningServer;
  let ann: Person;
  beforeAll(async () => {
    clock = drivenRuntime();
    server = await startServer({ runtime: clock });
    ann = await signUp(server);
  });
  afterAll(() => server.stop());

  const read = (id: string) => ann.api.get<DeviceBody & ProblemBody>(`/api/devices/${id}`);
  const change = (id: string, body: object, headers = {}) =>
    ann.api.patch<DeviceBody & ProblemBody>(`/api/devices/${id}`, body, headers);

  it('is answered as it was registered, with where it is and its revision', async () => {
    const answer = await ann.api.post<DeviceBody>('/api/devices', {
      name: 'Boiler 7',
      type: 'boiler',
      status: 'maintenance',
      tags: ['cellar', 'old'],
      metadata: { floor: -1, keys: { a: [1, null, 'x'] } },
      heartbeatInterval: 30,
    });
    const { id } = answer.body;
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe(`/api/devices/${id}`);
    expect(answer.headers.etag).toBe('"0"');
    const registeredAt = new Date(clock.now()).toISOString();
    expect(answer.body).toEqual({
      id,
      name: 'Boiler 7',
      type: 'boiler',
      status: 'maintenance',
      connection: 'unknown',
      tags: ['cellar', 'old'],
      metadata: { floor: -1, keys: { a: [1, null, 'x'] } },
      heartbeatInterval: 30,
      firmware: null,
      metrics: {},
      ownerId: ann.id,
      organizationId: ann.organizationId,
      lastSeenAt: null,
      createdAt: registeredAt,
      updatedAt: registeredAt,
      revision: 0,
    });
    const seen = await read(id);
    expect([seen.body, seen.headers.etag]).toEqual([answer.body, '"0"']);
  });

  it('is registered with what is usual where nothing is said', async () => {
    const device = await registerDevice(ann, { name: 'Plain', type: 'lamp' });
    expect(device).toMatchObject({
      status: 'active',
      tags: [],
      metadata: {},
      heartbeatInterval: null,
    });
  });

  it('is changed field by field; metadata and tags as a whole', async () => {
    const { id } = await registerDevice(ann, { tags: ['a', 'b'], metadata: { a: 1, b: 2 } });
    clock.advance(1_000);
    const body = {
      name: 'Renamed',
      type: 'heater',
      status: 'inactive',
      tags: ['c'],
      metadata: { c: 3 },
      heartbeatInterval: 60,
    };
    const changed = await change(id, body);
    expect(changed.body).toMatchObject({ ...body, updatedAt: new Date(clock.now()).toISOString() });
    expect(changed.headers.etag).toBe(`"${changed.body.revision}"`);
    expect((await read(id)).body).toEqual(changed.body);
    const emptied = await change(id, { heartbeatInterval: null, tags: [], metadata: {} });
    expect(emptied.body).toMatchObject({ heartbeatInterval: null, tags: [], metadata: {} });
  });

  it('stays at its revision when a change changes nothing', async () => {
    const device = await registerDevice(ann, { metadata: { a: { b: [1] } } });
    for (const body of [{}, { name: device.name }, { metadata: { a: { b: [1] } }, tags: [] }]) {
      const answer = await change(device.id, body);
      expect([answer.status, answer.body.revision]).toEqual([200, 0]);
    }
  });

  it('is not changed by who saw an older one (If-Match)', async () => {
    const { id } = await registerDevice(ann);
    expect((await change(id, { name: 'one' }, { 'if-match': '"0"' })).headers.etag).toBe('"1"');
    const stale = await change(id, { name: 'two' }, { 'if-match': '"0"' });
    expect([stale.status, stale.body.code]).toEqual([412, 'REVISION_MISMATCH']);
    const path = `/api/devices/${id}`;
    expect((await ann.api.delete(path, { 'if-match': '"0"' })).status).toBe(412);
    expect((await change(id, { name: 'three' }, { 'if-match': 'W/"1"' })).status).toBe(200);
    expect((await change(id, { name: 'four' }, { 'if-match': '*' })).status).toBe(200);
    expect((await ann.api.delete(path, { 'if-match': '"3"' })).status).toBe(204);
    const restore = (etag: string) =>
      ann.api.post(`${path}/restore`, undefined, { 'if-match': etag });
    expect((await restore('"3"')).status).toBe(412);
    expect((await restore('"4"')).status).toBe(200);
    expect((await read(id)).body).toMatchObject({ name: 'four', revision: 5 });
  });

  it('takes one of many changes that saw the same', async () => {
    const { id } = await registerDevice(ann);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => change(id, { name: `n${n}` }, { 'if-match': '"0"' })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
  });

  it('takes every one of 100 changes at once that ask for nothing, each its own revision', async () => {
    const { id } = await registerDevice(ann);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => change(id, { metadata: { n } })),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const revisions = answers.map(({ body }) => body.revision).sort((a, b) => a - b);
    expect(revisions).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    const last = answers.find(({ body }) => body.revision === 100);
    expect((await read(id)).body.metadata).toEqual(last?.body.metadata);
  });

  it('is gone when it is deleted, and comes back as it was', async () => {
    const device = await registerDevice(ann, { name: 'Lost', tags: ['findme'] });
    const path = `/api/devices/${device.id}`;
    const listed = async () =>
      (await ann.api.get<{ items: DeviceBody[] }>('/api/devices?tag=findme')).body.items;
    expect((await ann.api.delete(path)).status).toBe(204);
    expect((await read(device.id)).body.code).toBe('DEVICE_NOT_FOUND');
    expect(await listed()).toEqual([]);
    expect((await change(device.id, { name: 'x' })).body.code).toBe('DEVICE_DELETED');
    expect((await ann.api.delete(path)).status).toBe(204);
    const restored = await ann.api.post<DeviceBody>(`${path}/restore`);
    expect(restored.body).toMatchObject({ name: 'Lost', tags: ['findme'], revision: 2 });
    expect((await read(device.id)).body).toEqual(restored.body);
    expect(await listed()).toHaveLength(1);
    const again = await ann.api.post<ProblemBody>(`${path}/restore`);
    expect([again.status, again.body.code]).toEqual([409, 'DEVICE_NOT_DELETED']);
  });

  it('is registered in batches, each line answered by itself', async () => {
    const lines = [
      { name: 'One', type: 'lamp' },
      { name: 'Two' },
      'three',
      { name: 'Four', type: 'lamp', ownerId: ann.id },
      { name: 'Five', type: 'lamp' },
    ];
    const answer = await ann.api.post<BatchBody>('/api/devices/batch', lines);
    const { accepted, rejected, results } = answer.body;
    expect([accepted, rejected]).toEqual([2, 3]);
    expect(results.map(({ line, status }) => [line, status])).toEqual([
      [1, 200],
      [2, 400],
      [3, 400],
      [4, 400],
      [5, 200],
    ]);
    expect((await read(results[4]?.deviceId ?? '')).body.name).toBe('Five');
  });

  it('is registered in batches of 1,000 and no more', async () => {
    const lines = Array.from({ length: 1_001 }, (_, n) => ({ name: `n${n}`, type: 't' }));
    const { status, body } = await ann.api.post<ProblemBody>('/api/devices/batch', lines);
    expect([status, body.code]).toEqual([413, 'TOO_MANY_LINES']);
  });
});

describe('a repeated command', () => {
  const dataDir = newDataDir();
  let server: RunningServer;
  let ann: Person;
  beforeAll(async () => {
    server = await startServer({ dataDir });
    ann = await signUp(server);
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function restart() {
    await server.stop();
    server = await startServer({ dataDir });
    ann = await logIn(server, ann.email);
  }
  const key = (value: string) => ({ 'idempotency-key': value });
  const DEVICE = { name: 'Once', type: 'lamp' };

  it('is answered as the first time, also by the next process', async () => {
    const register = () => ann.api.post('/api/devices', DEVICE, key('register'));
    const first = await register();
    const told = ({ status, body, headers: { location, etag } }: typeof first) => {
      return { status, body, location, etag };
    };
    expect(told(await register())).toEqual(told(first));
    await restart();
    const after = await register();
    expect(told(after)).toEqual(told(first));
    expect(after.headers['x-position']).toBe(first.headers['x-position']);
  });

  it('is answered as the first time, though the device has changed since', async () => {
    const { id } = await registerDevice(ann);
    const rename = () =>
      ann.api.patch<DeviceBody>(`/api/devices/${id}`, { name: 'first' }, key('rename'));
    const first = await rename();
    await ann.api.patch(`/api/devices/${id}`, { name: 'second' });
    await restart();
    const again = await rename();
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await ann.api.get<DeviceBody>(`/api/devices/${id}`)).body.name).toBe('second');
  });

  it('with If-Match is not refused for what it did itself', async () => {
    const { id } = await registerDevice(ann);
    const headers = { 'if-match': '"0"', ...key('conditional') };
    const rename = () => ann.api.patch(`/api/devices/${id}`, { name: 'other' }, headers);
    expect((await rename()).status).toBe(200);
    expect((await rename()).status).toBe(200);
  });

  it('of another body under the same key is refused', async () => {
    const body = (name: string) => ({ name, type: 'lamp' });
    await ann.api.post('/api/devices', body('a'), key('reused'));
    const other = await ann.api.post<ProblemBody>('/api/devices', body('b'), key('reused'));
    expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    await restart();
    const later = await ann.api.post<ProblemBody>('/api/devices', body('b'), key('reused'));
    expect(later.status).toBe(422);
  });

  it('runs once when twenty of it come at once', async () => {
    const twin = { name: 'Twin', type: 'twin' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ann.api.post('/api/devices', twin, key('at-once'))),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    const all = await ann.api.get<{ total: number }>('/api/devices?type=twin&page=1');
    expect(all.body.total).toBe(1);
  });

  it('is another’s own under the same key', async () => {
    const bob = await signUp(server);
    const mine = await ann.api.post<DeviceBody>('/api/devices', DEVICE, key('shared'));
    const his = await bob.api.post<DeviceBody>('/api/devices', DEVICE, key('shared'));
    expect([his.status, his.body.ownerId]).toEqual([201, bob.id]);
    expect(his.body.id).not.toBe(mine.body.id);
  });

  it('of a batch makes no second devices', async () => {
    const lines = Array.from({ length: 50 }, (_, n) => ({ name: `b${n}`, type: 'batched' }));
    const send = () => ann.api.post<BatchBody>('/api/devices/batch', lines, key('batch'));
    const first = await send();
    await restart();
    expect((await send()).body).toEqual(first.body);
    const all = await ann.api.get<{ total: number }>('/api/devices?type=batched&page=1');
    expect(all.body.total).toBe(50);
  });
});

import { rmSync } from 'node:fs';
import {
  issueToken,
  logIn,
  registerDevice,
  signUp,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import { newDataDir, startServer, type RunningServer } from '../support/server.js';

describe('a device’s token', () => {
  const dataDir = newDataDir();
  let server: RunningServer;
  let ann: Person;
  let deviceId: string;
  beforeAll(async () => {
    server = await startServer({ dataDir });
    ann = await signUp(server);
  });
  beforeEach(async () => {
    deviceId = (await registerDevice(ann)).id;
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const beat = async (token: string, id = deviceId) => {
    const answer = await server.client
      .as(token)
      .post<ProblemBody>(`/api/devices/${id}/heartbeat`, {});
    return answer.status === 200 ? 200 : answer.body.code;
  };
  const tokens = async () => {
    const { body } = await ann.api.get<{ items: { id: string; name: string }[] }>(
      `/api/devices/${deviceId}/tokens`,
    );
    return body.items.map(({ id, name }) => [id, name]);
  };

  it('is shown once, and lets the device report', async () => {
    const path = `/api/devices/${deviceId}/tokens`;
    const issued = await ann.api.post<{ id: string; token: string }>(path, { name: 'first' });
    expect(issued.status).toBe(201);
    expect(issued.headers.location).toBe(`${path}/${issued.body.id}`);
    expect(issued.body.token).toMatch(/^fbd_[\w-]{80,}$/);
    expect(await beat(issued.body.token)).toBe(200);
    expect(await tokens()).toEqual([[issued.body.id, 'first']]);
  });

  it('stops at once when it is revoked, and no other with it', async () => {
    const [one, two] = [
      await issueToken(ann, deviceId, 'one'),
      await issueToken(ann, deviceId, 'two'),
    ];
    expect([await beat(one.token), await beat(two.token)]).toEqual([200, 200]);
    const path = `/api/devices/${deviceId}/tokens/${one.id}`;
    expect((await ann.api.delete(path)).status).toBe(204);
    expect([await beat(one.token), await beat(two.token)]).toEqual(['UNAUTHENTICATED', 200]);
    expect(await tokens()).toEqual([[two.id, 'two']]);
    const again = await ann.api.delete<ProblemBody>(path);
    expect([again.status, again.body.code]).toEqual([404, 'DEVICE_TOKEN_NOT_FOUND']);
  });

  it('is of one device: for another it finds nothing', async () => {
    const other = await registerDevice(ann);
    const { token } = await issueToken(ann, deviceId);
    expect(await beat(token, other.id)).toBe('DEVICE_NOT_FOUND');
    expect(await beat(token, '00000000-0000-4000-8000-000000000000')).toBe('DEVICE_NOT_FOUND');
  });

  it('is refused when a byte of it is another', async () => {
    const { token } = await issueToken(ann, deviceId);
    const bytes = Buffer.from(token.slice(4), 'base64url');
    for (const at of [0, 15, 16, 31, 32, 63]) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(await beat(`fbd_${changed.toString('base64url')}`)).toBe('UNAUTHENTICATED');
    }
    expect(await beat(`${token}A`)).toBe('UNAUTHENTICATED');
    expect(await beat(token.slice(0, -1))).toBe('UNAUTHENTICATED');
  });

  it('sleeps while its device is deleted', async () => {
    const { token } = await issueToken(ann, deviceId);
    await ann.api.delete(`/api/devices/${deviceId}`);
    expect(await beat(token)).toBe('UNAUTHENTICATED');
    await ann.api.post(`/api/devices/${deviceId}/restore`);
    expect(await beat(token)).toBe(200);
  });

  it('is one of twenty at most', async () => {
    for (let n = 0; n < 20; n++) await issueToken(ann, deviceId, `t${n}`);
    const path = `/api/devices/${deviceId}/tokens`;
    const tooMany = await ann.api.post<ProblemBody>(path, { name: 'one more' });
    expect([tooMany.status, tooMany.body.code]).toEqual([422, 'TOO_MANY_DEVICE_TOKENS']);
  });

  it('is the same when its issue is repeated, and outlives a restart', async () => {
    const key = { 'idempotency-key': 'issue' };
    const issue = () =>
      ann.api.post<{ token: string }>(`/api/devices/${deviceId}/tokens`, { name: 'again' }, key);
    const first = await issue();
    expect((await issue()).body).toEqual(first.body);
    await server.stop();
    server = await startServer({ dataDir });
    ann = await logIn(server, ann.email);
    expect(await beat(first.body.token)).toBe(200);
    expect((await issue()).body).toEqual(first.body);
    expect(await tokens()).toHaveLength(1);
  });
});

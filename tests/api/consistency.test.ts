import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  issueToken,
  logIn,
  registerDevice,
  signUp,
  type DeviceBody,
  type ListBody,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import { newDataDir, startServer, type RunningServer } from '../support/server.js';

describe('the first read after a restart', () => {
  it('waits until the read models know who asks, though they begin anew', async () => {
    const dataDir = newDataDir();
    const before = await startServer({ dataDir });
    const { accessToken } = await signUp(before).finally(() => before.stop());
    for (const file of readdirSync(dataDir)) {
      if (file.startsWith('read-models.db')) rmSync(join(dataDir, file));
    }
    const server = await startServer({ dataDir });
    try {
      const { status } = await server.client.as(accessToken).get('/api/users/profile');
      expect(status).toBe(200);
    } finally {
      await server.stop();
      rmSync(dataDir, { recursive: true });
    }
  });
});

describe('a read', () => {
  let server: RunningServer;
  let ann: Person;
  beforeAll(async () => {
    server = await startServer();
    ann = await signUp(server);
  });
  afterAll(() => server.stop());

  it('shows a plain client what it has just written, in 200 pairs of all kinds', async () => {
    const { id } = await registerDevice(ann);
    const path = `/api/devices/${id}`;
    const seen = async () => (await ann.api.get<DeviceBody>(path)).body;
    let reports = 0;
    for (let pair = 0; pair < 200; pair++) {
      switch (pair % 8) {
        case 0: {
          await ann.api.patch(path, { metadata: { pair } });
          expect((await seen()).metadata).toEqual({ pair });
          break;
        }
        case 1: {
          await ann.api.post(`${path}/heartbeat`, { metrics: { pair } });
          reports += 1;
          expect((await seen()).metrics).toEqual({ pair });
          break;
        }
        case 2: {
          await ann.api.post(`${path}/logs`, { event: 'pair', value: pair });
          reports += 1;
          const { body } = await ann.api.get<ListBody<{ value: number }>>(`${path}/logs?limit=1`);
          expect(body.items[0]?.value).toBe(pair);
          break;
        }
        case 3: {
          const made = await registerDevice(ann, { tags: [`pair-${pair}`] });
          const { body } = await ann.api.get<ListBody<DeviceBody>>(`/api/devices?tag=pair-${pair}`);
          expect(body.items.map((one) => one.id)).toEqual([made.id]);
          break;
        }
        case 4: {
          await ann.api.post('/api/ingest', [{ kind: 'heartbeat', deviceId: id }]);
          reports += 1;
          const { body } = await ann.api.get<{ total: number }>(`${path}/usage`);
          expect(body.total).toBe(reports);
          break;
        }
        case 5: {
          const issued = await issueToken(ann, id, `t${pair}`);
          const list = () => ann.api.get<ListBody<{ id: string }>>(`${path}/tokens`);
          expect((await list()).body.items.map((one) => one.id)).toContain(issued.id);
          await ann.api.delete(`${path}/tokens/${issued.id}`);
          expect((await list()).body.items).toEqual([]);
          break;
        }
        case 6: {
          const { id: other } = await registerDevice(ann, { type: `type-${pair}` });
          const types = async () =>
            (await ann.api.get<{ devices: { type: object } }>('/api/analytics/dashboard')).body
              .devices.type;
          expect(await types()).toHaveProperty(`type-${pair}`, 1);
          await ann.api.delete(`/api/devices/${other}`);
          expect(await types()).not.toHaveProperty(`type-${pair}`);
          break;
        }
        default: {
          const person = await signUp(server, `Pair ${pair}`);
          const { status } = await person.api.get('/api/users/profile');
          expect(status).toBe(200);
        }
      }
    }
  });

  it('with X-Consistent-With shows an owner what their device has just reported', async () => {
    const { id } = await registerDevice(ann);
    const device = server.client.as((await issueToken(ann, id)).token);
    for (let n = 1; n <= 20; n++) {
      const { headers } = await device.post(`/api/devices/${id}/heartbeat`, { metrics: { n } });
      const { body } = await ann.api.get<DeviceBody>(`/api/devices/${id}`, {
        'x-consistent-with': String(headers['x-position']),
      });
      expect(body.metrics).toEqual({ n });
    }
  });

  it('with X-Consistent-With shows another session what that position holds', async () => {
    const other = await logIn(server, ann.email);
    const { id } = await registerDevice(ann);
    for (let n = 0; n < 50; n++) {
      const { headers } = await ann.api.patch(`/api/devices/${id}`, { metadata: { n } });
      const seen = await other.api.get<DeviceBody>(`/api/devices/${id}`, {
        'x-consistent-with': String(headers['x-position']),
      });
      expect(seen.body.metadata).toEqual({ n });
    }
  });

  it('of a position to come is told to try again, within two and a half seconds', async () => {
    const { id } = await registerDevice(ann);
    for (const path of [`/api/devices/${id}`, '/api/devices', '/api/analytics/dashboard']) {
      const began = performance.now();
      const answer = await ann.api.get<ProblemBody>(path, {
        'x-consistent-with': '999999999999999999',
      });
      expect([answer.status, answer.body.code]).toEqual([503, 'NOT_CONSISTENT_YET']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(performance.now() - began).toBeLessThan(2_500);
    }
  });

  it('of positions to come, by two hundred at once, holds up nobody else', async () => {
    const waiting = Array.from({ length: 200 }, () =>
      ann.api.get('/api/devices', { 'x-consistent-with': '999999999999999999' }),
    );
    const bob = await signUp(server);
    expect((await bob.api.get('/api/users/profile')).status).toBe(200);
    const answers = await Promise.all(waiting);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  });

  it('of the past, or of the start, does not wait', async () => {
    for (const position of ['0', '1']) {
      expect((await ann.api.get('/api/devices', { 'x-consistent-with': position })).status).toBe(
        200,
      );
    }
  });
});

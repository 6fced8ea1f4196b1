import { rmSync } from 'node:fs';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import {
  issueToken,
  logIn,
  logInAdmin,
  PASSWORD,
  registerDevice,
  signUp,
  type DeviceBody,
  type Person,
  type TokensBody,
} from '../support/people.js';
import { newDataDir } from '../support/server.js';
import { startProcess, type ServerProcess } from '../support/serverProcess.js';

/**
 * Two processes answer for one log, with no Redis to tell each other anything. Each decides on
 * states that it keeps in memory and that may be behind by what the other has just written.
 */
const dataDir = newDataDir();
let processes: readonly ServerProcess[] = [];
let clients: readonly Client[] = [];
let here: Client;
let there: Client;

beforeAll(async () => {
  processes = await Promise.all([1, 2].map(() => startProcess({ DATA_DIR: dataDir })));
  clients = processes.map(({ url }) => clientOf(url, () => undefined));
  [here, there] = clients as [Client, Client];
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  for (const one of processes) one.signal('SIGTERM');
  await Promise.all(processes.map(({ ended }) => ended));
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

/** The same person through the one process and through the other. */
async function somebody(): Promise<{ person: Person; apis: readonly [Client, Client] }> {
  const person = await signUp({ client: here });
  return { person, apis: [here.as(person.accessToken), there.as(person.accessToken)] };
}

const statuses = (replies: readonly { readonly status: number }[]) =>
  replies.map(({ status }) => status).sort();

/** Milliseconds from now until a call through the other process is answered with `status`. */
async function untilAnswered(status: number, call: () => Promise<{ status: number }>) {
  const from = performance.now();
  await eventually(async () => (await call()).status === status || undefined, 5_000);
  return performance.now() - from;
}

const report = (what: string, ms: number) =>
  process.stderr.write(`${what} through one process acts in the other after ${ms.toFixed(0)} ms\n`);

describe('a device changed through two processes', () => {
  it('keeps every change that was acknowledged, each with a revision of its own', async () => {
    const { person, apis } = await somebody();
    const { id } = await registerDevice(person);
    const WRITERS = 20;
    const replies = await Promise.all(
      Array.from({ length: 2 * WRITERS }, (_, n) =>
        apis[n % 2 === 0 ? 0 : 1].patch<DeviceBody>(`/api/devices/${id}`, { name: `Name ${n}` }),
      ),
    );
    expect(new Set(statuses(replies))).toEqual(new Set([200]));
    const revisions = replies.map(({ body }) => body.revision).sort((a, b) => a - b);
    expect(revisions).toEqual(Array.from({ length: 2 * WRITERS }, (_, n) => n + 1));
    // Each answered with what it had made of the device, and the last is what stands.
    const last = replies.find(({ body }) => body.revision === 2 * WRITERS);
    for (const api of apis) {
      const headers = { 'x-consistent-with': String(last?.headers['x-position'] ?? '') };
      const { body } = await api.get<DeviceBody>(`/api/devices/${id}`, headers);
      expect(body).toMatchObject({ name: last?.body.name, revision: 2 * WRITERS });
    }
  });

  it('has one change for one If-Match', async () => {
    const { person, apis } = await somebody();
    const { id } = await registerDevice(person);
    for (let round = 0; round < 10; round++) {
      const headers = { 'if-match': `"${round}"` };
      const replies = await Promise.all(
        apis.map((api, n) => api.patch(`/api/devices/${id}`, { name: `${round} ${n}` }, headers)),
      );
      expect(statuses(replies)).toEqual([200, 412]);
    }
  });

  it('is changed back through the one at once after it was changed through the other', async () => {
    // The second process knew the device as "Boiler" still, and took the change back for done.
    const { person, apis } = await somebody();
    const { id } = await registerDevice(person);
    for (let round = 0; round < 10; round++) {
      for (const [n, name] of ['Theirs', 'Boiler'].entries()) {
        const reply = await apis[n === 0 ? 1 : 0].patch<DeviceBody>(`/api/devices/${id}`, { name });
        expect(reply.body).toMatchObject({ name, revision: 2 * round + n + 1 });
      }
    }
  });

  it('is deleted by one and restored by the other, in turn', async () => {
    const { person, apis } = await somebody();
    const { id } = await registerDevice(person);
    for (let round = 0; round < 10; round++) {
      const [one, other] = round % 2 === 0 ? apis : [apis[1], apis[0]];
      expect((await one.delete(`/api/devices/${id}`)).status).toBe(204);
      expect((await other.post(`/api/devices/${id}/restore`)).status).toBe(200);
    }
  });
});

describe('people of two processes', () => {
  it('are one with one address, however many sign up with it at once', async () => {
    const body = { name: 'Ada', email: 'ada@example.com', password: PASSWORD };
    const replies = await Promise.all(
      [here, there, here, there].map((api) => api.post('/api/auth/signup', body)),
    );
    expect(statuses(replies)).toEqual([201, 409, 409, 409]);
    expect(await logIn({ client: there }, body.email)).toMatchObject({ email: body.email });
  });

  it('have one successor of a refresh token that comes to both at once', async () => {
    const { refreshToken } = (await somebody()).person;
    const replies = await Promise.all(
      [here, there].map((api) => api.post<TokensBody>('/api/auth/refresh', { refreshToken })),
    );
    const successors = replies.filter(({ status }) => status === 200);
    expect(new Set(successors.map(({ body }) => body.refreshToken)).size).toBe(1);
  });

  it('go on with a refreshed token through the process that has not heard of it', async () => {
    let { refreshToken } = (await somebody()).person;
    for (const api of [there, here, there, here, there]) {
      const reply = await api.post<TokensBody>('/api/auth/refresh', { refreshToken });
      expect(reply.status).toBe(200);
      ({ refreshToken } = reply.body);
    }
  });
});

describe('administrators of two processes', () => {
  it('do not both go when they demote each other at once', async () => {
    const admin = await logInAdmin({ client: here });
    for (let round = 0; round < 3; round++) {
      const pair = [await somebody(), await somebody()] as const;
      for (const { person } of pair) {
        await admin.api.patch(`/api/users/${person.id}`, { role: 'admin' });
      }
      const [one, other] = pair;
      const isAdmin = async () =>
        (await other.apis[1].get('/api/users/users')).status === 200 || undefined;
      await eventually(isAdmin, 5_000);
      const replies = await Promise.all([
        one.apis[0].patch(`/api/users/${other.person.id}`, { role: 'user' }),
        other.apis[1].patch(`/api/users/${one.person.id}`, { role: 'user' }),
      ]);
      expect(statuses(replies)).toEqual([200, 403]);
    }
  });
});

describe('what is taken away through one process', () => {
  it('is a session: the other refuses its tokens', async () => {
    const { apis } = await somebody();
    expect((await apis[1].get('/api/devices')).status).toBe(200);
    expect((await apis[0].post('/api/auth/logout')).status).toBe(204);
    report('a logout', await untilAnswered(401, () => apis[1].get('/api/devices')));
  });

  it('is a device’s token: the other refuses it', async () => {
    const { person, apis } = await somebody();
    const { id } = await registerDevice(person);
    const { id: tokenId, token } = await issueToken(person, id);
    const beat = () => there.as(token).post(`/api/devices/${id}/heartbeat`, {});
    expect((await beat()).status).toBeLessThan(300);
    const revoked = await apis[0].delete(`/api/devices/${id}/tokens/${tokenId}`);
    expect(revoked.status).toBe(204);
    report('a revoked device token', await untilAnswered(401, beat));
  });
});

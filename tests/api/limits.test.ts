import { jest } from '@jest/globals';
import { endLimitWindows } from '../support/backends.js';
import type { Reply } from '../support/client.js';
import { issueToken, registerDevice, signUp, type ProblemBody } from '../support/people.js';
import { startServer, type RunningServer } from '../support/server.js';

const WINDOW_MS = 60_000;

/** A server with its own counters, for one test. */
async function limited(
  env: Readonly<Record<string, string>>,
  test: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await startServer({ env });
  try {
    await test(server);
  } finally {
    await server.stop();
  }
}

/** Asks until the limit says no, and says how many got through. */
async function through(ask: () => Promise<Reply>, most = 20): Promise<number> {
  for (let asked = 0; asked < most; asked++) {
    if ((await ask()).status === 429) return asked;
  }
  return most;
}

const login = (server: RunningServer, forwarded?: string) =>
  server.client.post<ProblemBody>(
    '/api/auth/login',
    { email: 'nobody@example.com', password: 'not the password' },
    forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  );

describe('a limit', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('says what it is, how far it is used up, and when to come back', () =>
    limited({ AUTH_RATE_LIMIT: '3' }, async (server) => {
      const first = await login(server);
      expect(first.status).toBe(401);
      expect(first.headers['ratelimit-policy']).toMatch(/^3;w=60$/);
      expect(first.headers.ratelimit).toMatch(/^limit=3, remaining=2, reset=\d+$/);
      await login(server);
      await login(server);
      const refused = await login(server);
      expect([refused.status, refused.body.code]).toEqual([429, 'RATE_LIMITED']);
      expect(refused.body.detail).toContain('"auth" is 3 a minute');
      expect(refused.headers.ratelimit).toMatch(/remaining=0/);
      const wait = Number(refused.headers['retry-after']);
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(60);
    }));

  it('begins again when its window is over, and logs each violation once a window', () =>
    limited({ AUTH_RATE_LIMIT: '2' }, async (server) => {
      const violations = () =>
        server.logged.filter((line) => line.includes('rate limit exceeded')).length;
      expect(await through(() => login(server))).toBe(2);
      await login(server);
      await login(server);
      expect(violations()).toBe(1);
      jest.useFakeTimers({ doNotFake: [...TIMERS], now: Date.now() + WINDOW_MS + 1_000 });
      await endLimitWindows(server.dataDir);
      expect(await through(() => login(server))).toBe(2);
      expect(violations()).toBe(2);
    }));

  it('of nothing is none', () =>
    limited({ AUTH_RATE_LIMIT: '0' }, async (server) => {
      expect(await through(() => login(server), 30)).toBe(30);
      expect((await login(server)).headers.ratelimit).toBeUndefined();
    }));

  it('counts sign-ups and logins together, by address, and not refreshes', () =>
    limited({ AUTH_RATE_LIMIT: '4' }, async (server) => {
      const ann = await signUp(server);
      const { refreshToken } = ann;
      expect(await through(() => login(server))).toBe(2);
      const refresh = await server.client.post('/api/auth/refresh', { refreshToken });
      expect(refresh.status).toBe(200);
    }));

  it('counts device commands by user, whatever they come to, and leaves reading alone', () =>
    limited({ DEVICE_RATE_LIMIT: '5' }, async (server) => {
      const [ann, bob] = [await signUp(server), await signUp(server)];
      const { id } = await registerDevice(ann);
      await ann.api.patch(`/api/devices/${id}`, { name: 'x' });
      await ann.api.post('/api/devices', { bad: true });
      expect(await through(() => ann.api.patch(`/api/devices/${id}`, { name: 'y' }))).toBe(2);
      expect((await ann.api.get('/api/devices')).status).toBe(200);
      await registerDevice(bob);
    }));

  it('counts telemetry by device, whoever sends it, its own batches too', () =>
    limited({ TELEMETRY_RATE_LIMIT: '4', INGEST_RATE_LIMIT: '2' }, async (server) => {
      const ann = await signUp(server);
      const [one, two] = [await registerDevice(ann), await registerDevice(ann)];
      const device = server.client.as((await issueToken(ann, one.id)).token);
      const beat = (api = ann.api, id = one.id) => api.post(`/api/devices/${id}/heartbeat`, {});
      const batch = (api = ann.api) => api.post('/api/ingest', []);
      expect((await beat()).status).toBe(200);
      expect((await beat(device)).status).toBe(200);
      expect((await batch(device)).status).toBe(200);
      expect(await through(() => beat(device))).toBe(1);
      expect((await beat()).status).toBe(429);
      expect((await batch(device)).status).toBe(429);
      expect((await beat(ann.api, two.id)).status).toBe(200);
      expect(await through(() => batch())).toBe(2);
    }));

  it('counts analytics by user', () =>
    limited({ ANALYTICS_RATE_LIMIT: '3' }, async (server) => {
      const ann = await signUp(server);
      const { id } = await registerDevice(ann);
      await ann.api.get(`/api/devices/${id}/usage`);
      expect(await through(() => ann.api.get('/api/analytics/dashboard'))).toBe(2);
      const bob = await signUp(server);
      expect((await bob.api.get('/api/analytics/dashboard')).status).toBe(200);
    }));

  it('can’t be used up for a device by who may not report for it', () =>
    limited({ TELEMETRY_RATE_LIMIT: '2' }, async (server) => {
      const [ann, eve] = [await signUp(server), await signUp(server)];
      const { id } = await registerDevice(ann);
      const beat = (api = eve.api) => api.post(`/api/devices/${id}/heartbeat`, {});
      for (let n = 0; n < 5; n++) expect((await beat()).status).toBe(404);
      expect((await beat(ann.api)).status).toBe(200);
    }));
});

/** Everything but the date, which alone the counters look at. */
const TIMERS = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

describe('a caller’s address', () => {
  const tries = (server: RunningServer, addresses: readonly string[]) =>
    addresses.reduce<Promise<number[]>>(
      async (before, address) => [...(await before), (await login(server, address)).status],
      Promise.resolve([]),
    );

  it('is not what X-Forwarded-For says, as long as no proxy is trusted', () =>
    limited({ AUTH_RATE_LIMIT: '2' }, async (server) => {
      const claimed = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '127.0.0.1, 192.0.2.4'];
      expect(await tries(server, claimed)).toEqual([401, 401, 429, 429]);
    }));

  it('is what the one trusted proxy saw, and not what was claimed before it', () =>
    limited({ AUTH_RATE_LIMIT: '2', TRUST_PROXY: '1' }, async (server) => {
      const seen = ['192.0.2.1', '192.0.2.2', '10.0.0.9, 192.0.2.1', '10.0.0.8, 192.0.2.1'];
      expect(await tries(server, seen)).toEqual([401, 401, 401, 429]);
      expect(await tries(server, ['192.0.2.2', '192.0.2.2', '192.0.2.3'])).toEqual([401, 429, 401]);
    }));

  it('of IPv6 is its /56, and a mapped IPv4 is that', () =>
    limited({ AUTH_RATE_LIMIT: '2', TRUST_PROXY: '1' }, async (server) => {
      const same = ['2001:db8:0:100::1', '2001:db8:0:1ff:ffff::9', '2001:DB8:0:1aa::'];
      expect(await tries(server, same)).toEqual([401, 401, 429]);
      expect(await tries(server, ['2001:db8:0:200::1'])).toEqual([401]);
      const mapped = ['198.51.100.7', '::ffff:198.51.100.7', '::FFFF:198.51.100.7'];
      expect(await tries(server, mapped)).toEqual([401, 401, 429]);
    }));

  it('that is none is still one caller', () =>
    limited({ AUTH_RATE_LIMIT: '2', TRUST_PROXY: '1' }, async (server) => {
      expect(await tries(server, ['unknown', 'unknown', 'unknown'])).toEqual([401, 401, 429]);
    }));
});

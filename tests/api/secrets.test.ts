import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { keptInBackends, READ_MODEL_FILES } from '../support/backends.js';
import { newDataDir } from '../support/server.js';
import { startProcess, type ServerProcess } from '../support/serverProcess.js';

/** Canary strings: sent in, and then looked for in every byte that the server has left anywhere. */
const PASSWORD = 'canary-password-5b1f';
const WRONG_PASSWORD = 'canary-wrong-password-77aa';
const ADMIN_PASSWORD = 'canary-admin-password-0c9d';
const BASIC = 'canary-basic-credentials-e41d';
const IN_A_PATH = 'canary-in-a-path-91bc';
const IN_A_QUERY = 'canary-in-a-query-2f6e';
const IN_A_BROKEN_BODY = 'canary-in-a-broken-body-8d3a';
const JWT_SECRET = 'canary-jwt-secret-that-is-long-enough-1';
const REFRESH_SECRET = 'canary-jwt-secret-that-is-long-enough-2';
const HASH_SECRET = 'canary-hash-secret-that-is-long-enough-3';

describe('a secret', () => {
  const dataDir = newDataDir();
  const canaries = new Map<string, string>();
  let server: ServerProcess;
  let files: readonly { readonly name: string; readonly bytes: Buffer }[];

  beforeAll(async () => {
    server = await startProcess({
      DATA_DIR: dataDir,
      LOG_LEVEL: 'trace',
      ADMIN_EMAIL: 'admin@example.com',
      ADMIN_PASSWORD,
      JWT_SECRET,
      JWT_REFRESH_SECRET: REFRESH_SECRET,
      HASH_SECRET,
    });
    await use();
    // What is still on its way to the disk or to the log is there when the server has ended.
    server.signal('SIGTERM');
    await server.ended;
    files = [
      ...readdirSync(dataDir).map((name) => ({ name, bytes: readFileSync(join(dataDir, name)) })),
      ...(await keptInBackends(dataDir)),
    ];
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  /** Sends each canary every way that it can come. */
  async function use() {
    const email = 'canary@example.com';
    await post('/api/auth/signup', { name: 'Canary', email, password: PASSWORD }, '', 'signup');
    await post('/api/auth/login', { email, password: WRONG_PASSWORD });
    await post('/api/auth/login', { email: 'nobody@example.com', password: WRONG_PASSWORD });
    const login = await post('/api/auth/login', { email, password: PASSWORD }, '', 'login');
    const renewed = await post('/api/auth/refresh', { refreshToken: login.refreshToken });
    await post('/api/auth/refresh', { refreshToken: `${String(renewed.refreshToken)}x` });
    const token = String(renewed.accessToken);
    const device = await post('/api/devices', { name: 'a', type: 'b' }, token);
    const path = `/api/devices/${String(device.id)}`;
    const issued = await post(`${path}/tokens`, { name: 'own' }, token, 'issue');
    const deviceToken = String(issued.token);
    await post(`${path}/heartbeat`, {}, deviceToken);
    await post('/api/ingest', [{ kind: 'heartbeat' }], deviceToken);
    await post(`${path}/tokens`, { name: 7 }, deviceToken);
    await post(`/api/${IN_A_PATH}`, {}, token);
    await post(`${path}/${IN_A_PATH}`, {}, token);
    await post(`/api/devices?token=${IN_A_QUERY}`, {}, token);
    await send('/api/auth/login', `{"password":"${IN_A_BROKEN_BODY}"`, token);
    await send('/api/devices', '{}', token, { authorization: `Basic ${BASIC}` });
    await post('/api/auth/logout', {}, token);

    const secret = Buffer.from(deviceToken.slice(4), 'base64url').subarray(32);
    for (const [name, value] of Object.entries({
      'a password': PASSWORD,
      'a wrong password': WRONG_PASSWORD,
      'the administrator’s password': ADMIN_PASSWORD,
      'an access token': token,
      'the first access token': String(login.accessToken),
      'a refresh token': String(login.refreshToken),
      'the signature of an access token': token.split('.')[2] ?? '',
      'a device token': deviceToken,
      'a device token’s secret in base64': secret.toString('base64url'),
      'a device token’s secret in hexadecimal': secret.toString('hex'),
      'another scheme’s credentials': BASIC,
      'what stood in a path': IN_A_PATH,
      'what stood in a query': IN_A_QUERY,
      'what stood in a broken body': IN_A_BROKEN_BODY,
      'the secret of access tokens': JWT_SECRET,
      'the secret of refresh tokens': REFRESH_SECRET,
      'the secret of hashes': HASH_SECRET,
    })) {
      expect(value.length).toBeGreaterThanOrEqual(20);
      canaries.set(name, value);
    }
  }

  async function post(path: string, body: unknown, token = '', key = '') {
    return send(path, JSON.stringify(body), token, key === '' ? {} : { 'idempotency-key': key });
  }

  async function send(
    path: string,
    body: string,
    token: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const authorization = token === '' ? {} : { authorization: `Bearer ${token}` };
    const answer = await request(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization, ...headers },
      body,
    });
    const text = await answer.body.text();
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  it('is never in a line of the log, at any level', () => {
    const output = server.output();
    expect(output.split('\n').length).toBeGreaterThan(15);
    for (const [name, canary] of canaries)
      expect([name, output.includes(canary)]).toEqual([name, false]);
    expect(output).not.toMatch(/authorization|cookie|password/i);
  });

  it('is never in a file: not in an event, not in a read model', () => {
    const names = files.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['log.db', ...READ_MODEL_FILES.slice(0, 1)]));
    for (const { name: file, bytes } of files) {
      for (const [name, canary] of canaries) {
        expect([name, file, bytes.includes(canary)]).toEqual([name, file, false]);
      }
    }
  });

  it('that was not given is kept where only its owner can read it', async () => {
    const own = newDataDir();
    const other = await startProcess({ DATA_DIR: own });
    other.signal('SIGTERM');
    await other.ended;
    expect(statSync(join(own, 'secrets.json')).mode & 0o777).toBe(0o600);
    rmSync(own, { recursive: true, force: true });
  });

  it('and all else that the server keeps is its user’s alone, while it runs and after', async () => {
    const around = newDataDir();
    const own = join(around, 'data');
    const modes = () =>
      readdirSync(own).map((name) => [name, statSync(join(own, name)).mode & 0o777]);
    const other = await startProcess({ DATA_DIR: own });
    const running = modes();
    other.signal('SIGTERM');
    await other.ended;
    expect(statSync(own).mode & 0o777).toBe(0o700);
    expect(running.map(([name]) => name)).toEqual(
      expect.arrayContaining(['log.db', 'log.db-wal', ...READ_MODEL_FILES]),
    );
    for (const [name, mode] of [...running, ...modes()])
      expect([name, mode]).toEqual([name, 0o600]);
    rmSync(around, { recursive: true, force: true });
  });
});

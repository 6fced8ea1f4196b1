import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ConfigError, readConfig } from '../../src/config.js';
import { eventually } from '../support/eventually.js';
import { newDataDir } from '../support/server.js';
import { runToItsEnd, startProcess } from '../support/serverProcess.js';

/** Setting, a wrong value, and what the one line must say besides the setting's name. */
const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ['PORT', '65536', /whole number from 0 to 65535/],
  ['PORT', '-1', /whole number/],
  ['PORT', '80a', /whole number/],
  ['PORT', '0x50', /whole number/],
  ['NODE_ENV', 'prod', /one of development, test, production/],
  ['LOG_LEVEL', 'loud', /one of silent, fatal/],
  ['JWT_SECRET', 'short', /32 characters/],
  ['JWT_SECRET', `${'x'.repeat(32)},short`, /32 characters/],
  ['JWT_SECRET', `${'x'.repeat(32)},`, /32 characters/],
  ['JWT_REFRESH_SECRET', 'short', /32 characters/],
  ['HASH_SECRET', 'short', /32 characters/],
  ['ACCESS_TOKEN_TTL', '15 minutes', /duration/],
  ['ACCESS_TOKEN_TTL', '0s', /duration/],
  ['REFRESH_TOKEN_TTL', '-7d', /duration/],
  ['REFRESH_TOKEN_TTL', '99999d', /duration/],
  ['OFFLINE_AFTER', '1y', /duration/],
  ['SHUTDOWN_TIMEOUT', 'soon', /duration/],
  ['MAX_REQUEST_SIZE', '1gb', /size/],
  ['MAX_REQUEST_SIZE', '10', /size/],
  ['MAX_REQUEST_SIZE', '200mb', /size/],
  ['ALLOWED_ORIGINS', 'app.example.com', /origins/],
  ['ALLOWED_ORIGINS', 'https://app.example.com/path', /origins/],
  ['TRUST_PROXY', 'true', /proxies/],
  ['TRUST_PROXY', '10.0.0.0/8,everyone', /proxies/],
  ['AUTH_RATE_LIMIT', '-1', /whole number/],
  ['DEVICE_RATE_LIMIT', '1.5', /whole number/],
  ['TELEMETRY_RATE_LIMIT', 'none', /whole number/],
  ['INGEST_RATE_LIMIT', '1e3', /whole number/],
  ['ANALYTICS_RATE_LIMIT', 'x', /whole number/],
  ['ADMIN_EMAIL', 'nobody', /e-mail/],
  ['ADMIN_PASSWORD', 'short', /8 to 128/],
  ['EVENTSTORE_URL', 'esdb://localhost', /not have that part yet/],
  ['SMTP_URL', 'smtp://localhost', /not have that part yet/],
  ['MONGODB_URI', 'http://localhost', /must be a URI such as mongodb:/],
  ['REDIS_URL', 'localhost:6379', /must be a URL such as redis:/],
  ['REDIS_PASSWORD', 'secret', /belongs to REDIS_HOST/],
  ['REDIS_PORT', '0', /must be a whole number from 1 to 65535/],
  ['DB_MIN_POOL_SIZE', '21', /must not be more than DB_MAX_POOL_SIZE/],
  ['ROLES', 'api,worker', /must be some of api, projections, workers/],
  ['PROJECTION_SHARDS', '0', /must be a whole number from 1 to 64/],
];

describe('a wrong setting', () => {
  it.each(WRONG)('%s=%s is refused in one line that names it', (name, value, says) => {
    const read = () => readConfig({ [name]: value });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(says);
    expect(read).toThrow(new RegExp(`^${name}: .+$`));
  });

  it('ends the start with that line and nothing else', async () => {
    const wrong = { PORT: '80a', DATA_DIR: '/nowhere' };
    expect(await runToItsEnd(wrong)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'fleetbook: PORT: must be a whole number from 0 to 65535\n',
    });
  });

  it('is none when it is empty', () => {
    expect(readConfig({ PORT: '', JWT_SECRET: '', ALLOWED_ORIGINS: '', MONGODB_URI: '' })).toEqual(
      readConfig({}),
    );
  });

  it('of production is a secret that is missing', () => {
    const secret = 'x'.repeat(32);
    const given: Record<string, string> = { NODE_ENV: 'production' };
    for (const name of ['JWT_SECRET', 'JWT_REFRESH_SECRET', 'HASH_SECRET']) {
      expect(() => readConfig(given)).toThrow(`${name}: must be set in production`);
      given[name] = secret;
    }
    expect(readConfig(given).production).toBe(true);
  });

  it('is half an administrator', () => {
    for (const half of [{ ADMIN_EMAIL: 'a@example.com' }, { ADMIN_PASSWORD: 'long enough' }]) {
      expect(() => readConfig(half)).toThrow('ADMIN_EMAIL and ADMIN_PASSWORD: set both or neither');
    }
  });
});

describe('a start that can’t be', () => {
  const dataDir = newDataDir();
  const at = (name: string) => join(dataDir, name);
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  async function fails(env: Readonly<Record<string, string>>, says: RegExp) {
    const { code, stderr } = await runToItsEnd({ PORT: '0', LOG_LEVEL: 'silent', ...env });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\bat .*\.js:\d+/);
    expect(code).toBe(1);
  }

  it('on a port that is taken says so', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await fails(
      { PORT: String(port), DATA_DIR: at('taken') },
      new RegExp(`${port}.*(in use)|EADDRINUSE.*${port}`),
    );
    other.close();
  });

  it('on an address that is not this machine’s says so', async () => {
    await fails({ HOST: '192.0.2.1', DATA_DIR: at('elsewhere') }, /192\.0\.2\.1/);
  });

  it('in a folder that can’t be made says so', async () => {
    writeFileSync(at('file'), '');
    await fails({ DATA_DIR: at('file/data') }, /file\/data/);
    await fails({ DATA_DIR: at('file') }, /EEXIST|ENOTDIR/);
  });

  it.each([
    ['log.db', 'this is no database, but something else that somebody put here '.repeat(100)],
    ['secrets.json', '{"jwt":'],
    ['secrets.json', '{"jwt":"a"}'],
  ])('on a damaged %s says so, and leaves it as it is', async (file, content) => {
    const folder = at(`damaged-${file}-${content.length}`);
    mkdirSync(folder);
    writeFileSync(join(folder, file), content);
    await fails({ DATA_DIR: folder }, new RegExp(file.replace('.', '\\.')));
  });
});

describe('a start', () => {
  it('with nothing set makes an administrator, and shows their password this once', async () => {
    const dataDir = newDataDir();
    const env = { DATA_DIR: dataDir, ADMIN_EMAIL: '', ADMIN_PASSWORD: '', AUTH_RATE_LIMIT: '' };
    const first = await startProcess(env);
    const shown = await eventually(
      () => /administrator is (\S+) with the password (\S+)/.exec(first.output()) ?? undefined,
    );
    const [, email = '', password = ''] = shown;
    expect(password.length).toBeGreaterThanOrEqual(16);
    const login = await fetch(`${first.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    expect(((await login.json()) as { user: { role: string } }).user.role).toBe('admin');
    first.signal('SIGTERM');
    expect(await first.ended).toBe(0);
    const second = await startProcess(env);
    expect(second.output()).not.toContain(password);
    expect(second.output()).not.toContain('administrator');
    second.signal('SIGINT');
    expect(await second.ended).toBe(0);
    rmSync(dataDir, { recursive: true, force: true });
  });
});

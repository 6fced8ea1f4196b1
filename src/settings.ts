import {
  wholeNumber,
  oneOf,
  duration,
  someOf,
  mongodbUri,
  redisUrl,
  size,
  text,
  secrets,
  secret,
  origins,
  proxies,
  emailAddress,
  password,
} from './configValues.js';

/**
 * Every setting of the server, as a table. docs/configuration.md and .env.example show it
 * (`npm run docs`).
 */

/** How one setting is read from its text in the environment. */
export interface Setting<Value> {
  readonly name: string;
  readonly about: string;
  /** As it would stand in the environment; undefined when there is none. */
  readonly fallback: string | undefined;
  /** @throws Error saying what the value must be */
  readonly read: (text: string | undefined) => Value;
}

function setting<Value>(
  name: string,
  about: string,
  fallback: string,
  parse: (text: string) => Value,
): Setting<Value> {
  return { name, about, fallback, read: (text = fallback) => parse(text) };
}

function optional<Value>(
  name: string,
  about: string,
  parse: (text: string) => Value,
): Setting<Value | undefined> {
  return {
    name,
    about,
    fallback: undefined,
    read: (text) => (text === undefined ? undefined : parse(text)),
  };
}

const limit = wholeNumber(0, 1_000_000_000);

export const settings = {
  nodeEnv: setting(
    'NODE_ENV',
    '`production` asks for secrets and turns HSTS on.',
    'development',
    oneOf('development', 'test', 'production'),
  ),
  host: setting('HOST', 'The address to listen on.', '127.0.0.1', text),
  port: setting(
    'PORT',
    'The port to listen on; 0 takes a free one.',
    '5000',
    wholeNumber(0, 65_535),
  ),
  dataDir: setting('DATA_DIR', 'Where the embedded stores and the secrets live.', './data', text),
  roles: setting(
    'ROLES',
    'What this process does: `api` answers requests, `projections` folds the log, `workers` act later. Every process answers `/health`, `/livez`, `/readyz` and `/metrics/prometheus`.',
    'api,projections,workers',
    someOf('api', 'projections', 'workers'),
  ),
  projectionShards: setting(
    'PROJECTION_SHARDS',
    'Into how many parts the work of each projection is cut, so that more processes can share it. The same in all processes.',
    '1',
    wholeNumber(1, 64),
  ),
  mongodbUri: optional(
    'MONGODB_URI',
    'Keeps the read models in MongoDB instead of DATA_DIR. The path names the database, `fleetbook` if there is none.',
    mongodbUri,
  ),
  dbMaxPoolSize: setting(
    'DB_MAX_POOL_SIZE',
    'The most connections to MongoDB that a process opens.',
    '20',
    wholeNumber(1, 1_000),
  ),
  dbMinPoolSize: setting('DB_MIN_POOL_SIZE', 'How many it keeps open.', '0', wholeNumber(0, 1_000)),
  dbTransactions: setting(
    'DB_TRANSACTIONS',
    'Whether a batch is written in one transaction where the deployment has them: `on`, or `off`, since a process that is killed within one leaves its documents locked for a minute.',
    'off',
    oneOf('off', 'on'),
  ),
  redisUrl: optional(
    'REDIS_URL',
    'Shares cached answers, limits and signals between processes through Redis: `redis://` or `rediss://`.',
    redisUrl,
  ),
  redisHost: optional('REDIS_HOST', 'The same by its parts, instead of REDIS_URL.', text),
  redisPort: setting('REDIS_PORT', 'The port of REDIS_HOST.', '6379', wholeNumber(1, 65_535)),
  redisPassword: optional('REDIS_PASSWORD', 'The password of REDIS_HOST.', text),
  redisDb: setting('REDIS_DB', 'The database of REDIS_HOST.', '0', wholeNumber(0, 1_000)),
  logLevel: setting(
    'LOG_LEVEL',
    'What is logged, as JSON lines on standard output.',
    'info',
    oneOf('silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'),
  ),
  jwtSecret: optional(
    'JWT_SECRET',
    'Signs access tokens. Several, newest first, rotate it. Made once and kept in DATA_DIR if not given; production wants it.',
    secrets,
  ),
  jwtRefreshSecret: optional('JWT_REFRESH_SECRET', 'Signs refresh tokens; as JWT_SECRET.', secrets),
  hashSecret: optional(
    'HASH_SECRET',
    'Keys password hashes, e-mail digests and derived tokens. Never change it: nobody could sign in any more.',
    secret,
  ),
  accessTokenTtl: setting(
    'ACCESS_TOKEN_TTL',
    'How long an access token is good for.',
    '15m',
    duration,
  ),
  refreshTokenTtl: setting(
    'REFRESH_TOKEN_TTL',
    'How long a session lasts from login.',
    '7d',
    duration,
  ),
  adminEmail: optional(
    'ADMIN_EMAIL',
    'The first administrator, made at the first start.',
    emailAddress,
  ),
  adminPassword: optional('ADMIN_PASSWORD', 'Their password.', password),
  allowedOrigins: optional(
    'ALLOWED_ORIGINS',
    'The origins whose pages may call the API from a browser.',
    origins,
  ),
  trustProxy: setting(
    'TRUST_PROXY',
    'How many proxies, or which, are believed about the caller’s address.',
    '0',
    proxies,
  ),
  maxRequestSize: setting('MAX_REQUEST_SIZE', 'The largest request body.', '1mb', size),
  authRateLimit: setting(
    'AUTH_RATE_LIMIT',
    'Sign-ups and logins a minute and address; 0 is no limit.',
    '5',
    limit,
  ),
  deviceRateLimit: setting(
    'DEVICE_RATE_LIMIT',
    'Device commands a minute and user, and refreshes a minute and address; 0 is no limit.',
    '100',
    limit,
  ),
  telemetryRateLimit: setting(
    'TELEMETRY_RATE_LIMIT',
    'Telemetry requests a minute and device; 0 is no limit.',
    '120',
    limit,
  ),
  ingestRateLimit: setting(
    'INGEST_RATE_LIMIT',
    'Telemetry batches a minute and user; 0 is no limit.',
    '1200',
    limit,
  ),
  analyticsRateLimit: setting(
    'ANALYTICS_RATE_LIMIT',
    'Analytics a minute and user; 0 is no limit.',
    '50',
    limit,
  ),
  offlineAfter: setting(
    'OFFLINE_AFTER',
    'How long after a heartbeat a device without an interval of its own counts as online.',
    '90s',
    duration,
  ),
  shutdownTimeout: setting(
    'SHUTDOWN_TIMEOUT',
    'How long a stop waits for requests under way.',
    '25s',
    duration,
  ),
} as const;

/** Settings of parts that this release does not have: ignoring them would lose somebody's data. */
export const laterSettings: readonly string[] = ['EVENTSTORE_URL', 'SMTP_URL'];

import {
  wholeNumber,
  oneOf,
  duration,
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
 * Every setting of the server: read from the environment, checked, typed. A wrong value is a
 * ConfigError of one line that names it. docs/configuration.md shows this table (`npm run docs`).
 */

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** How one setting is read from its text in the environment. */
interface Setting<Value> {
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
    'Device commands a minute and user; 0 is no limit.',
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

/** The server's settings, in the units that their doc names (durations in milliseconds, sizes in bytes). */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly logLevel: string;
  readonly secrets: {
    readonly jwt: readonly string[] | undefined;
    readonly refresh: readonly string[] | undefined;
    readonly hash: string | undefined;
  };
  readonly accessTokenTtlMs: number;
  readonly refreshTokenTtlMs: number;
  readonly admin: { readonly email: string; readonly password: string } | undefined;
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: number | readonly string[];
  readonly maxRequestBytes: number;
  readonly limits: {
    readonly auth: number;
    readonly device: number;
    readonly telemetry: number;
    readonly ingest: number;
    readonly analytics: number;
  };
  readonly offlineAfterMs: number;
  readonly shutdownTimeoutMs: number;
}

/** Settings of parts that this release does not have: ignoring them would lose somebody's data. */
export const laterSettings: readonly string[] = [
  'EVENTSTORE_URL',
  'MONGODB_URI',
  'REDIS_URL',
  'REDIS_HOST',
  'SMTP_URL',
];

/**
 * Reads the settings from an environment. An empty value counts as none.
 * @throws ConfigError naming the first setting that is wrong
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  for (const name of laterSettings) {
    if (env[name]) throw new ConfigError(`${name}: this release does not have that part yet`);
  }
  const get = <Value>(one: Setting<Value>) => readOne(one, env);
  const production = get(settings.nodeEnv) === 'production';
  const jwt = get(settings.jwtSecret);
  const refresh = get(settings.jwtRefreshSecret);
  const hash = get(settings.hashSecret);
  if (production) {
    for (const [name, value] of Object.entries({
      JWT_SECRET: jwt,
      JWT_REFRESH_SECRET: refresh,
      HASH_SECRET: hash,
    })) {
      if (value === undefined) throw new ConfigError(`${name}: must be set in production`);
    }
  }
  const adminEmail = get(settings.adminEmail);
  const adminPassword = get(settings.adminPassword);
  if ((adminEmail === undefined) !== (adminPassword === undefined)) {
    throw new ConfigError('ADMIN_EMAIL and ADMIN_PASSWORD: set both or neither');
  }
  return {
    production,
    host: get(settings.host),
    port: get(settings.port),
    dataDir: get(settings.dataDir),
    logLevel: get(settings.logLevel),
    secrets: { jwt, refresh, hash },
    accessTokenTtlMs: get(settings.accessTokenTtl),
    refreshTokenTtlMs: get(settings.refreshTokenTtl),
    admin:
      adminEmail === undefined || adminPassword === undefined
        ? undefined
        : { email: adminEmail, password: adminPassword },
    allowedOrigins: get(settings.allowedOrigins) ?? [],
    trustProxy: get(settings.trustProxy),
    maxRequestBytes: get(settings.maxRequestSize),
    limits: {
      auth: get(settings.authRateLimit),
      device: get(settings.deviceRateLimit),
      telemetry: get(settings.telemetryRateLimit),
      ingest: get(settings.ingestRateLimit),
      analytics: get(settings.analyticsRateLimit),
    },
    offlineAfterMs: get(settings.offlineAfter),
    shutdownTimeoutMs: get(settings.shutdownTimeout),
  };
}

function readOne<Value>(
  { name, read }: Setting<Value>,
  env: Readonly<Record<string, string | undefined>>,
): Value {
  try {
    // An empty value, as compose files leave behind, means that it is not set.
    return read(env[name] === '' ? undefined : env[name]);
  } catch (error) {
    throw new ConfigError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

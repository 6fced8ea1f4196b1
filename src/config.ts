import { laterSettings, settings, type Setting } from './settings.js';

/**
 * The settings (settings.ts) as the environment has them: read, checked, typed. A wrong value is a
 * ConfigError of one line that names it.
 */

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** What a process does for the system. */
export type Role = 'api' | 'projections' | 'workers';

export interface MongodbConfig {
  readonly uri: string;
  readonly minPoolSize: number;
  readonly maxPoolSize: number;
  /** `detect` uses them where the deployment has them. */
  readonly transactions: 'detect' | 'never';
}

export type RedisConfig =
  | { readonly url: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly password?: string;
      readonly db: number;
    };

/** The server's settings, in the units that their doc names (durations in milliseconds, sizes in bytes). */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly roles: ReadonlySet<Role>;
  /** In how many shards each projection is folded. */
  readonly projectionShards: number;
  /** undefined where the read models are kept in `dataDir`. */
  readonly mongodb: MongodbConfig | undefined;
  /** undefined where nothing is shared with other processes but the stores. */
  readonly redis: RedisConfig | undefined;
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

/**
 * Reads the settings from an environment. An empty value counts as none.
 * @throws ConfigError naming the first setting that is wrong
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  for (const name of laterSettings) {
    if (env[name]) throw new ConfigError(`${name}: this release does not have that part yet`);
  }
  const get: Get = (one) => readOne(one, env);
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
    roles: new Set(get(settings.roles)),
    projectionShards: get(settings.projectionShards),
    mongodb: mongodbIn(get),
    redis: redisIn(get),
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

type Get = <Value>(one: Setting<Value>) => Value;

function mongodbIn(get: Get): MongodbConfig | undefined {
  const uri = get(settings.mongodbUri);
  const minPoolSize = get(settings.dbMinPoolSize);
  const maxPoolSize = get(settings.dbMaxPoolSize);
  if (minPoolSize > maxPoolSize) {
    throw new ConfigError('DB_MIN_POOL_SIZE: must not be more than DB_MAX_POOL_SIZE');
  }
  const transactions = get(settings.dbTransactions) === 'on' ? 'detect' : 'never';
  return uri === undefined ? undefined : { uri, minPoolSize, maxPoolSize, transactions };
}

function redisIn(get: Get): RedisConfig | undefined {
  const url = get(settings.redisUrl);
  const host = get(settings.redisHost);
  const password = get(settings.redisPassword);
  const port = get(settings.redisPort);
  const db = get(settings.redisDb);
  if (url !== undefined && host !== undefined) {
    throw new ConfigError('REDIS_URL and REDIS_HOST: set one of them');
  }
  if (host === undefined) {
    if (password !== undefined) throw new ConfigError('REDIS_PASSWORD: belongs to REDIS_HOST');
    return url === undefined ? undefined : { url };
  }
  return { host, port, db, ...(password !== undefined && { password }) };
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

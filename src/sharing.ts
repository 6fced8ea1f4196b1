import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { memoryCache } from './adapters/memory/cache.js';
import type { LimitStore } from './api/limits.js';
import type { LimitName } from './api/route.js';
import type { Config } from './config.js';
import type { ReadModels } from './projections/readModels.js';
import type { Signals } from './projections/signals.js';
import type { Cache } from './queries/cache.js';
import type { Runtime } from './runtime.js';

/** What a process shares with the others through Redis; without it, what it has for itself. */
export interface Sharing {
  readonly signals: Signals;
  /** @param logName tells the log from every other, as soon as it can be told */
  cache(reads: ReadModels, logName: () => string | undefined): Cache;
  /** Where a limit is counted; undefined for in this process. */
  readonly limitStore: ((limit: LimitName) => LimitStore) | undefined;
  /** Whether Redis answers; undefined where there is none. */
  readonly up: (() => boolean) | undefined;
  stop(): Promise<void>;
}

export interface SharingDeps {
  readonly config: Config;
  /** Between the threads of this process. */
  readonly local: Signals;
  readonly runtime: Runtime;
  readonly log: Logger;
  /** Changes with the shape of answers. */
  readonly shape: string;
}

export async function openSharing(deps: SharingDeps): Promise<Sharing> {
  const { config, local, runtime, log, shape } = deps;
  if (config.redis === undefined) {
    return {
      signals: local,
      cache: (reads) => memoryCache({ reads, signals: local, runtime }),
      limitStore: undefined,
      up: undefined,
      stop: () => local.stop(),
    };
  }
  const { redisLink } = await import('./adapters/redis/link.js');
  const { redisSignals } = await import('./adapters/redis/signals.js');
  const { redisCache } = await import('./adapters/redis/cache.js');
  const { redisLimitStore } = await import('./adapters/redis/limitStore.js');
  const report = {
    away(link: string, reason: string) {
      log.warn({ link, reason }, 'Redis is away; going on without it');
    },
    back(link: string) {
      log.info({ link }, 'Redis is back');
    },
  };
  const link = { settings: config.redis, runtime, report };
  const prefix = redisPrefix(config);
  const signals = redisSignals({ ...link, local, channel: `${prefix}signals` });
  const caching = redisLink('cache', link);
  const limiting = redisLink('limits', link);
  return {
    signals,
    cache: (reads, logName) =>
      redisCache({
        reads,
        signals,
        runtime,
        link: caching,
        prefix() {
          const name = logName();
          return name === undefined ? undefined : `${prefix}${shape}:${name}:`;
        },
      }),
    limitStore: (limit) => redisLimitStore(limiting, `${prefix}limit:${limit}:`),
    up: () => caching.up(),
    async stop() {
      await Promise.all([caching.stop(), limiting.stop()]);
      await signals.stop();
    },
  };
}

/** What the names of all that an installation keeps in Redis begin with. */
export function redisPrefix(config: Pick<Config, 'mongodb' | 'dataDir'>): string {
  return `fleetbook:${placeOf(config)}:`;
}

/** Tells installations that use one Redis apart: by where their read models are. */
function placeOf({ mongodb, dataDir }: Pick<Config, 'mongodb' | 'dataDir'>): string {
  // Without user, password and options, in which the URIs of one installation may differ.
  const place =
    mongodb?.uri.replace(/^\w[\w+]*:\/\/(?:[^/@]*@)?/, '').replace(/\?.*$/, '') ??
    `${hostname()}:${realpathSync(dataDir)}`;
  return createHash('sha256').update(place).digest('base64url').slice(0, 12);
}

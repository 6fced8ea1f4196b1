import { Redis, type RedisOptions } from 'ioredis';
import type { Runtime, Timer } from '../../runtime.js';

/** Where Redis is. */
export type RedisSettings =
  | { readonly url: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly password?: string;
      readonly db?: number;
    };

/** What an operator should hear of; each is told once, until the other follows. */
export interface RedisReport {
  away(link: string, reason: string): void;
  back(link: string): void;
}

/** Redis can't be used at the moment. */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';
}

/**
 * One connection, which never makes anybody wait: a command has a deadline, and once one of them has
 * failed, all fail at once until Redis answers again.
 */
export interface RedisLink {
  readonly client: Redis;
  up(): boolean;
  /** @throws RedisAway after COMMAND_TIMEOUT_MS at the latest */
  run<Reply>(command: (client: Redis) => Promise<Reply>): Promise<Reply>;
  /** Resolves when Redis has answered, or has failed to, for the first time: with the reason. */
  readonly first: Promise<string | undefined>;
  stop(): Promise<void>;
}

/** How long a command may take: a reader can bear that much once. */
export const COMMAND_TIMEOUT_MS = 200;
const CONNECT_TIMEOUT_MS = 1_000;
/** How often it is asked whether it is there, which is also how soon its return is noticed. */
const BEAT_MS = 500;
/** A connection that was silent for so many beats is given up: the other end may not know of it any more. */
const SILENT_BEATS = 4;
const RECONNECT_MAX_MS = 1_000;

export interface RedisLinkDeps {
  readonly settings: RedisSettings;
  readonly runtime: Runtime;
  readonly report: RedisReport;
}

/** @param name what the connection is for, as an operator reads it */
export function redisLink(name: string, { settings, runtime, report }: RedisLinkDeps): RedisLink {
  const options: RedisOptions = {
    connectionName: `fleetbook-${name}`,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // It waits that long even for a socket that was closed before, and the process with it.
    disconnectTimeout: 100,
    commandTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // The beat asks, and knows a server that is still loading from one that is there.
    enableReadyCheck: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), RECONNECT_MAX_MS),
  };
  const client =
    'url' in settings
      ? new Redis(settings.url, options)
      : new Redis({ ...options, ...settings, db: settings.db ?? 0 });

  let up: boolean | undefined;
  let stopped = false;
  let silent = 0;
  let reason = 'not connected yet';
  /** What the connection itself has said is wrong since it was last up. */
  let refusal: string | undefined;
  let timer: Timer | undefined;
  let tellFirst: (reason: string | undefined) => void;
  const first = new Promise<string | undefined>((resolve) => {
    tellFirst = resolve;
  });

  function turned(now: boolean) {
    if (up === now || stopped) return;
    const was = up;
    up = now;
    if (now) refusal = undefined;
    if (!now) report.away(name, reason);
    else if (was === false) report.back(name);
    tellFirst(now ? undefined : reason);
  }

  function failed(error: unknown) {
    reason = refusal ?? (error instanceof Error ? error.message : String(error));
    turned(false);
  }

  async function beat() {
    timer?.cancel();
    try {
      await client.ping();
      silent = 0;
      turned(true);
    } catch (error) {
      // What is wrong with the connection is told beside it, and a little later.
      await runtime.yield();
      failed(error);
      silent += 1;
      if (silent % SILENT_BEATS === 0 && client.status === 'ready') client.disconnect(true);
    }
    timer?.cancel();
    if (!stopped) timer = runtime.setTimer(BEAT_MS, () => void beat());
  }

  // A refused password comes as an error beside the connection, and says more than what follows it.
  client.on('error', (error: Error) => {
    if (up !== true) refusal = error.message;
  });
  client.on('ready', () => void beat());
  client.on('close', () => {
    failed(new Error(up === true ? 'the connection was closed' : reason));
  });

  return {
    client,
    up: () => up === true,
    first,
    async run(command) {
      if (up !== true) throw new RedisAway(reason);
      try {
        return await command(client);
      } catch (error) {
        // Not a fault: a server that was started anew is told its scripts once more.
        if (isNoScript(error)) throw error;
        failed(error);
        throw new RedisAway(reason, { cause: error });
      }
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      up = false;
      timer?.cancel();
      tellFirst(undefined);
      client.disconnect();
    },
  };
}

/** The first word of an error reply is its code (RESP: simple errors). */
function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && /^NOSCRIPT\b/.test(error.message);
}

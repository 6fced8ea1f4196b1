import { MemoryStore, type Options, type Store } from 'express-rate-limit';
import { RedisStore, type RedisReply } from 'rate-limit-redis';
import type { RedisLink } from './link.js';

/**
 * Counts a limit for all processes in Redis. While Redis is away each process counts by itself from
 * nothing: a caller then gets up to the limit from every process, for one window more at most.
 * @param prefix names the installation and the limit
 */
export function redisLimitStore(link: RedisLink, prefix: string): Store {
  const alone = new MemoryStore();
  const together = new RedisStore({
    prefix,
    sendCommand: (command, ...args) =>
      link.run((client) => client.call(command, ...args) as Promise<RedisReply>),
  });
  let options: Options | undefined;
  /** Its scripts are at the server; begun again after every failure, since it would remember that. */
  let ready: Promise<void> | undefined;

  async function shared<Result>(
    ask: () => Promise<Result>,
    otherwise: () => Promise<Result>,
  ): Promise<Result> {
    if (!link.up() || options === undefined) return otherwise();
    try {
      ready ??= together.init(options);
      await ready;
      return await ask();
    } catch {
      // The link has reported it.
      ready = undefined;
      return otherwise();
    }
  }

  return {
    init(given) {
      options = given;
      alone.init(given);
    },
    get: (key) =>
      shared(
        () => together.get(key),
        () => alone.get(key),
      ),
    increment: (key) =>
      shared(
        () => together.increment(key),
        () => alone.increment(key),
      ),
    decrement: (key) =>
      shared(
        () => together.decrement(key),
        () => alone.decrement(key),
      ),
    resetKey: (key) =>
      shared(
        () => together.resetKey(key),
        () => alone.resetKey(key),
      ),
    shutdown() {
      alone.shutdown();
    },
  };
}

import { ipKeyGenerator, MemoryStore, type Options, type Store } from 'express-rate-limit';
import type { Runtime } from '../runtime.js';
import { Problem } from './problem.js';
import type { Caller, LimitName } from './route.js';

const MINUTE_MS = 60_000;

/** Counts requests against the limits; a limit of 0 is none. */
export interface Limits {
  /**
   * Counts one request of `who` against a limit.
   * @param headers names and values in turn, to which those of the limit are added
   * @throws Problem RATE_LIMITED
   */
  take(counted: Counted, headers: string[]): Promise<void>;
}

/** Which limit a request counts against, and as whose. */
export interface Counted {
  readonly limit: LimitName;
  readonly who: string;
}

/**
 * How a route's limit counts a request: by address before anybody is known, telemetry by its device,
 * whoever sends it, and everything else by who calls. A device's own batches are telemetry.
 */
export function counting(
  limit: LimitName,
  caller: Caller,
  address: () => string,
  deviceId: string | undefined,
): Counted {
  if (limit === 'auth' || caller.kind === 'anonymous') return { limit, who: addressKey(address()) };
  if (caller.kind === 'device') return { limit: 'telemetry', who: caller.deviceId };
  if (limit === 'telemetry') return { limit, who: deviceId ?? caller.userId };
  return { limit, who: caller.userId };
}

/** IPv6 by /56, since a household or a server has at least that; `::ffff:` as the IPv4 that it is. */
function addressKey(address: string): string {
  return ipKeyGenerator(address.replace(/^::ffff:(?=\d+\.)/i, ''), 56);
}

/**
 * Where a limit is counted for all processes together: the port is the library's own. It must answer
 * in time whatever happens, and count by itself when it can't count with the others.
 */
export type LimitStore = Store;

export interface LimitsDeps {
  readonly perMinute: Readonly<Record<LimitName, number>>;
  readonly runtime: Runtime;
  /** Called once per window and counted caller. */
  readonly violated: (limit: LimitName, who: string) => void;
  /** Where a limit is counted; in this process unless given. */
  readonly storeOf?: ((limit: LimitName) => LimitStore) | undefined;
}

/** The counting is express-rate-limit's, through its stores; as a middleware it would cost twice as much. */
export function limits({
  perMinute,
  runtime,
  violated,
  storeOf = () => new MemoryStore(),
}: LimitsDeps): Limits {
  const stores = new Map<LimitName, LimitStore>();
  const names: readonly LimitName[] = ['auth', 'device', 'telemetry', 'ingest', 'analytics'];
  for (const name of names) {
    if (perMinute[name] === 0) continue;
    const store = storeOf(name);
    // Of all that a store may be told, the ones in use ask for the window alone.
    void store.init?.({ windowMs: MINUTE_MS } as Options);
    stores.set(name, store);
  }
  return {
    async take({ limit: name, who }, headers) {
      const store = stores.get(name);
      if (store === undefined) return;
      const limit = perMinute[name];
      const { totalHits, resetTime } = await store.increment(who);
      const left = resetTime === undefined ? MINUTE_MS : resetTime.getTime() - runtime.now();
      const reset = Math.max(0, Math.ceil(left / 1_000));
      const remaining = Math.max(0, limit - totalHits);
      // draft-ietf-httpapi-ratelimit-headers-07
      headers.push('ratelimit-policy', `${limit};w=60`);
      headers.push('ratelimit', `limit=${limit}, remaining=${remaining}, reset=${reset}`);
      if (totalHits <= limit) return;
      if (totalHits === limit + 1) violated(name, who);
      const again = new Date(runtime.now() + left).toISOString();
      const detail = `The limit "${name}" is ${limit} a minute; it begins again at ${again}.`;
      throw new Problem('RATE_LIMITED', { detail, retryAfter: Math.max(1, reset) });
    },
  };
}

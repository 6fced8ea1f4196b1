import type { NextFunction, Request, Response } from 'express';
import { ipKeyGenerator, rateLimit, type RateLimitRequestHandler } from 'express-rate-limit';
import { Problem } from './problem.js';
import type { Caller, LimitName } from './route.js';

const MINUTE_MS = 60_000;

/** Counts requests against the limits; a limit of 0 is none. */
export interface Limits {
  /** Counts one request of `who` against a limit. @throws Problem RATE_LIMITED */
  take(counted: Counted, request: Request, response: Response): Promise<void>;
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

/** @param violated called once per window and counted caller */
export function limits(
  perMinute: Readonly<Record<LimitName, number>>,
  violated: (limit: LimitName, who: string) => void,
): Limits {
  const limiters = new Map<LimitName, RateLimitRequestHandler>();
  const names: readonly LimitName[] = ['auth', 'device', 'telemetry', 'ingest', 'analytics'];
  for (const name of names) {
    if (perMinute[name] > 0) limiters.set(name, limiter(name, perMinute[name], violated));
  }
  return {
    take({ limit: name, who }, request, response) {
      const limit = limiters.get(name);
      if (limit === undefined) return Promise.resolve();
      counted.set(request, who);
      return new Promise((resolve, reject) => {
        const next = (error?: Error) => {
          if (error === undefined) resolve();
          else reject(error);
        };
        // The library passes on what its own handler, below, gives it: a Problem.
        void limit(request, response, next as NextFunction);
      });
    },
  };
}

/** Who a request is counted as, from `take` to the library's callbacks. */
const counted = new WeakMap<Request, string>();

function limiter(
  name: LimitName,
  limit: number,
  violated: (limit: LimitName, who: string) => void,
): RateLimitRequestHandler {
  return rateLimit({
    windowMs: MINUTE_MS,
    limit,
    identifier: name,
    // The next draft has a digest of the key in every answer, which costs a tenth of a heartbeat.
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    // Its checks of how it is set up read every request's headers; tests/api/limits.test.ts does it once.
    validate: false,
    keyGenerator: (request) => counted.get(request) ?? '',
    handler(request, response, next) {
      const { used = 0, resetTime } = infoOf(request);
      if (used === limit + 1) violated(name, counted.get(request) ?? '');
      const seconds = Number(response.getHeader('retry-after') ?? 0);
      const detail = `The limit "${name}" is ${limit} a minute${resetTime ? `; it begins again at ${resetTime.toISOString()}` : ''}.`;
      next(new Problem('RATE_LIMITED', { detail, retryAfter: seconds || 60 }));
    },
  });
}

interface Info {
  readonly used?: number;
  readonly resetTime?: Date;
}

function infoOf(request: Request): Info {
  return 'rateLimit' in request ? (request.rateLimit as Info) : {};
}

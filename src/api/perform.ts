import { createHmac } from 'node:crypto';
import type { Request } from 'express';
import { namedCommandId, type Origin } from '../commands/origin.js';
import { later, START, type Actor } from '../events/envelope.js';
import type { Consistency } from '../queries/consistency.js';
import type { Runtime } from '../runtime.js';
import type { AccessCheck } from './access.js';
import { readJson, readLines } from './body.js';
import { agentOf, consistentWithOf, idempotencyKeyOf, ifMatchOf } from './headers.js';
import type { Identify } from './identify.js';
import { counting, type Limits } from './limits.js';
import type { OwnWrites } from './ownWrites.js';
import { Problem } from './problem.js';
import type { Answer, Call, Caller, Route } from './route.js';
import { checkBody, checkParameters, ensure } from './validate.js';

export interface PerformDeps {
  readonly runtime: Runtime;
  readonly identify: Identify;
  readonly access: AccessCheck;
  readonly limits: Limits;
  readonly consistency: Consistency;
  readonly ownWrites: OwnWrites;
  readonly maxBodyBytes: number;
  /** Keys the digest of what a command said, which may hold a password. */
  readonly hashSecret: string;
}

/** A request on its way to a route's handler. */
export interface Asked {
  readonly request: Request;
  /** What its path says, as it is written there. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  /** An id that nobody else has: the request's own where the caller gave it none. */
  readonly ownId: string;
  /** Headers of the answer, names and values in turn: what is known before there is one. */
  readonly headers: string[];
}

export interface Performed {
  readonly caller: Caller;
  readonly answer: Answer;
}

/**
 * Makes of a route what happens on a request: limit → who calls → may they → limit → what do they
 * say → is it there to be read → the handler. Whatever is wrong is thrown as a Problem.
 */
export function performer(deps: PerformDeps) {
  return function perform(route: Route) {
    const checkParams = route.params && checkParameters(route.params);
    const checkQuery = checkParameters(route.query ?? NO_QUERY);
    const check = route.body && route.bodyKind !== 'lines' ? checkBody(route.body) : undefined;
    const { limit, reads } = route;

    return async (asked: Asked): Promise<Performed> => {
      const { request, params, requestId } = asked;
      const { headers } = request;
      const address = () => request.ip ?? '';
      const id = typeof params.id === 'string' ? params.id : undefined;

      if (limit === 'auth') {
        await deps.limits.take(counting(limit, ANONYMOUS, address, id), asked.headers);
      }
      // Where anybody may call a token says nothing: a stale one must not keep its owner from a refresh.
      const caller =
        route.access === 'anyone' ? ANONYMOUS : await deps.identify(headers.authorization);
      if (checkParams?.(params) !== undefined) throw new Problem('NOT_FOUND');
      const found = await deps.access(route.access, caller, id);
      if (limit !== undefined && limit !== 'auth') {
        await deps.limits.take(counting(limit, caller, address, id), asked.headers);
      }

      const hasQuery = request.url.includes('?');
      const query = hasQuery ? singleValues(request.query) : {};
      if (hasQuery || route.query !== undefined) ensure(checkQuery, query);
      const body = await readBody(route, request, deps.maxBodyBytes);
      if (check !== undefined) ensure(check, body ?? {});

      let needs = START;
      if (reads !== undefined) {
        needs = later(consistentWithOf(headers) ?? START, deps.ownWrites.last(caller));
        if (needs > START && !(await deps.consistency.reached(reads, needs))) {
          throw new Problem('NOT_CONSISTENT_YET', { retryAfter: 1 });
        }
      }

      const call = {
        params,
        query,
        body,
        caller,
        user: caller.kind === 'user' ? caller : undefined,
        device: found.device,
        organization: found.organization,
        needs,
        ifRevision: route.conditional === true ? ifMatchOf(headers) : undefined,
        address,
        agent: () => agentOf(headers),
        requestId,
        origin(scope = nameOf(caller)): Origin {
          const actor = actorOf(caller);
          const key = idempotencyKeyOf(headers);
          if (key === undefined) return { actor, commandId: asked.ownId, requestId };
          return {
            actor,
            commandId: namedCommandId(`${scope} ${route.method} ${route.path}`, key),
            commandHash: createHmac('sha256', deps.hashSecret)
              .update(JSON.stringify([params, body]))
              .digest('base64url'),
            requestId,
          };
        },
      };
      // The route's own types say what its checks have just made sure of.
      const answer = await route.handle(call as Call<never, never, never, never>);
      if (answer.position !== undefined) {
        deps.ownWrites.wrote(answer.writer ?? caller, answer.position);
      }
      return { caller, answer };
    };
  };
}

const ANONYMOUS: Caller = { kind: 'anonymous' };
const NO_QUERY = { type: 'object', properties: {}, additionalProperties: false };

async function readBody(route: Route, request: Request, limit: number): Promise<unknown> {
  if (route.bodyKind === 'lines') return readLines(request, limit);
  return route.body === undefined ? undefined : readJson(request, limit);
}

/** A parameter given twice means two different things to two readers: it is refused. */
function singleValues(query: Readonly<Record<string, unknown>>): Record<string, string> {
  // Not by assignment, which would lose a parameter called __proto__ before it can be refused.
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      if (typeof value === 'string') return [name, value];
      const errors = [{ at: name, message: 'must be given once' }];
      throw new Problem('VALIDATION_FAILED', { errors });
    }),
  );
}

function actorOf(caller: Caller): Actor {
  switch (caller.kind) {
    case 'user':
      return { kind: 'user', id: caller.userId };
    case 'device':
      return { kind: 'device', id: caller.deviceId };
    case 'anonymous':
      return { kind: 'anonymous' };
  }
}

function nameOf(caller: Caller): string {
  const actor = actorOf(caller);
  return actor.kind === 'anonymous' ? actor.kind : `${actor.kind} ${actor.id}`;
}

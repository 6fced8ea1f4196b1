import { LRUCache } from 'lru-cache';
import type { DeviceState, KnownDevice } from '../commands/device/state.js';
import { withState } from '../commands/hotFamily.js';
import type { States } from '../commands/states.js';
import { deviceStream, sessionStream, userStream } from '../events/streams.js';
import type { Runtime } from '../runtime.js';
import { holdsToken, readDeviceToken, type DeviceTokenParts } from './deviceTokens.js';
import { Problem } from './problem.js';
import type { Caller } from './route.js';
import type { Tokens } from './tokens.js';

export interface IdentifyDeps {
  readonly states: States;
  readonly tokens: Tokens;
  readonly runtime: Runtime;
}

/** A device token that was good when the device had these tokens. */
interface Known {
  readonly parts: DeviceTokenParts;
  readonly tokens: KnownDevice['tokens'];
}

const BEARER = /^Bearer +([\w.~+/-]+=*)$/i;
const ANONYMOUS: Caller = { kind: 'anonymous' };
const REMEMBERED = 120_000;

/**
 * Tells who calls, by the Authorization header. What a token says is only who; whether they may
 * still call (the session goes on, the user is not disabled, the token is not revoked) and what they
 * are now is asked of the states, so that a change acts on the next request.
 * @throws Problem 401
 */
export function identify({ states, tokens, runtime }: IdentifyDeps) {
  const known = new LRUCache<string, Known>({ maxSize: REMEMBERED, sizeCalculation: () => 1 });

  return function callerOf(authorization: string | undefined): Caller | Promise<Caller> {
    if (authorization === undefined) return ANONYMOUS;
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw new Problem('UNAUTHENTICATED');
    const parts = known.get(token)?.parts ?? readDeviceToken(token);
    if (parts === undefined) return user(token);
    const stream = deviceStream(parts.deviceId);
    return withState(states.devices, stream, (state) => device(token, parts, state));
  };

  function device(token: string, parts: DeviceTokenParts, state: DeviceState): Caller {
    const { deviceId, tokenId } = parts;
    if (state.kind !== 'registered') throw new Problem('UNAUTHENTICATED');
    // Each change of a device's tokens makes a new list: the same list is the same answer.
    if (known.get(token)?.tokens !== state.tokens) {
      if (!holdsToken(state, parts)) throw new Problem('UNAUTHENTICATED');
      known.set(token, { parts, tokens: state.tokens });
    }
    return { kind: 'device', deviceId, tokenId };
  }

  async function user(token: string): Promise<Caller> {
    const { userId, sessionId } = tokens.readAccess(token);
    const sessions = sessionStream(sessionId);
    const session = states.sessions.peek(sessions) ?? (await states.sessions.load(sessions));
    if (session.state.kind !== 'active' || runtime.now() >= session.state.expiresAt) {
      throw new Problem('SESSION_ENDED');
    }
    if (session.state.userId !== userId) throw new Problem('UNAUTHENTICATED');
    const users = userStream(userId);
    const { state } = states.users.peek(users) ?? (await states.users.load(users));
    if (state.kind === 'none') throw new Problem('UNAUTHENTICATED');
    if (state.disabled) throw new Problem('USER_DISABLED');
    return { kind: 'user', userId, sessionId, role: state.role };
  }
}

export type Identify = ReturnType<typeof identify>;

import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import type { ActiveSession } from '../commands/session/state.js';
import type { UserRole } from '../events/values.js';
import type { Runtime } from '../runtime.js';
import { Problem } from './problem.js';

export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
}

export interface RefreshClaims {
  readonly sessionId: string;
  readonly generation: number;
}

export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  readonly expiresIn: number;
}

/** Makes and checks the two kinds of JSON Web Tokens (RFC 7519), each with secrets of its own. */
export interface Tokens {
  /** The tokens of a session as it stands: the same session and generation give the same tokens. */
  issue(session: ActiveSession, role: UserRole): IssuedTokens;
  /** @throws Problem UNAUTHENTICATED, TOKEN_EXPIRED */
  readAccess(token: string): AccessClaims;
  /** @throws Problem UNAUTHENTICATED, TOKEN_EXPIRED */
  readRefresh(token: string): RefreshClaims;
}

export interface TokensDeps {
  readonly runtime: Runtime;
  /** Newest first: the first signs, all verify. */
  readonly accessSecrets: readonly string[];
  readonly refreshSecrets: readonly string[];
  readonly accessTtlMs: number;
}

/** How far two clocks may be apart. */
const TOLERANCE_S = 5;
const REMEMBERED = 50_000;

export function tokens(deps: TokensDeps): Tokens {
  const { runtime, accessTtlMs } = deps;
  const access = keys(deps.accessSecrets);
  const refresh = keys(deps.refreshSecrets);
  // Verifying costs more than the rest of a request, and a token is used many times.
  const verified = new LRUCache<string, AccessClaims & { readonly expiresAt: number }>({
    maxSize: REMEMBERED,
    sizeCalculation: () => 1,
  });
  const seconds = () => Math.floor(runtime.now() / 1_000);

  return {
    issue(session, role) {
      const { sessionId: sid, userId: sub, generation: gen, rotatedAt, expiresAt } = session;
      const iat = Math.floor(rotatedAt / 1_000);
      const end = Math.floor(expiresAt / 1_000);
      const exp = Math.min(iat + Math.floor(accessTtlMs / 1_000), end);
      return {
        accessToken: sign({ kind: 'access', sub, sid, role, iat, exp }, access),
        refreshToken: sign({ kind: 'refresh', sub, sid, gen, iat, exp: end }, refresh),
        tokenType: 'Bearer',
        expiresIn: exp - iat,
      };
    },
    readAccess(token) {
      const known = verified.get(token);
      if (known !== undefined) {
        if (known.expiresAt + TOLERANCE_S <= seconds()) throw new Problem('TOKEN_EXPIRED');
        return known;
      }
      const { sub, sid, exp } = verify(token, 'access', access, seconds());
      if (typeof sub !== 'string' || typeof sid !== 'string' || exp === undefined) {
        throw new Problem('UNAUTHENTICATED');
      }
      const claims = { userId: sub, sessionId: sid, expiresAt: exp };
      verified.set(token, claims);
      return claims;
    },
    readRefresh(token) {
      const { sid, gen } = verify(token, 'refresh', refresh, seconds());
      if (typeof sid !== 'string' || typeof gen !== 'number') throw new Problem('UNAUTHENTICATED');
      return { sessionId: sid, generation: gen };
    },
  };
}

interface Keys {
  readonly current: string;
  readonly byId: ReadonlyMap<string, KeyObject>;
}

/** A key's id is a digest of it, so that changing the secrets needs no bookkeeping. */
function keys(secrets: readonly string[]): Keys {
  const byId = new Map<string, KeyObject>();
  for (const secret of secrets) {
    const id = createHash('sha256').update(`key id ${secret}`).digest('hex').slice(0, 8);
    byId.set(id, createSecretKey(Buffer.from(secret)));
  }
  const [current] = byId.keys();
  if (current === undefined) throw new Error('no secret to sign with');
  return { current, byId };
}

function sign(claims: object, { current, byId }: Keys): string {
  const key = byId.get(current);
  if (key === undefined) throw new Error('the current key is gone');
  return jwt.sign(claims, key, { algorithm: 'HS256', keyid: current });
}

function verify(token: string, kind: string, { byId }: Keys, now: number): jwt.JwtPayload {
  const header = jwt.decode(token, { complete: true })?.header;
  const key = byId.get(header?.kid ?? '');
  // `crit` names what must be understood of a token, and here is nothing that would be (RFC 7515, 4.1.11).
  if (key === undefined || header?.crit !== undefined) throw new Problem('UNAUTHENTICATED');
  try {
    const claims = jwt.verify(token, key, {
      algorithms: ['HS256'],
      clockTimestamp: now,
      clockTolerance: TOLERANCE_S,
    });
    if (typeof claims === 'string' || claims.kind !== kind) throw new Problem('UNAUTHENTICATED');
    return claims;
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError) throw new Problem('TOKEN_EXPIRED');
    throw new Problem('UNAUTHENTICATED');
  }
}

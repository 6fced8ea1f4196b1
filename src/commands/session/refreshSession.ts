import type { SessionEvent } from '../../events/session.js';
import type { Decision } from '../decider.js';
import { refuse } from '../refusal.js';
import type { SessionState } from './state.js';

/**
 * How long the token before the current one still works, so that two tabs that refresh at once both
 * get the one successor. After it, or with an older token, the token has leaked.
 */
export const REUSE_TOLERANCE_MS = 10_000;

export interface RefreshSession {
  /** The generation that the refresh token names. */
  readonly generation: number;
  readonly now: number;
}

/**
 * Rotates the refresh token. Reuse of a rotated one ends the session, since nobody can tell the thief
 * from the owner (RFC 9700, section 4.14.2).
 */
export function refreshSession(
  state: SessionState,
  { generation, now }: RefreshSession,
): Decision<SessionEvent> {
  if (state.kind !== 'active' || now >= state.expiresAt) return refuse('SESSION_ENDED');
  const { sessionId, userId } = state;
  if (generation === state.generation) {
    const next = { sessionId, userId, generation: generation + 1 };
    return [{ type: 'SessionRefreshed', data: next }];
  }
  const tolerated =
    generation === state.generation - 1 && now - state.rotatedAt <= REUSE_TOLERANCE_MS;
  if (tolerated) return [];
  return [{ type: 'SessionEnded', data: { sessionId, userId, reason: 'refresh-token-reused' } }];
}

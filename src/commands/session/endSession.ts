import type { SessionEvent } from '../../events/session.js';
import type { Decision } from '../decider.js';
import type { SessionState } from './state.js';

export interface EndSession {
  readonly reason: 'logout' | 'logout-all' | 'revoked';
}

/** Ends a session; ending one that is over, or never was, changes nothing. */
export function endSession(state: SessionState, { reason }: EndSession): Decision<SessionEvent> {
  if (state.kind !== 'active') return [];
  const { sessionId, userId } = state;
  return [{ type: 'SessionEnded', data: { sessionId, userId, reason } }];
}

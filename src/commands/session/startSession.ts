import type { SessionEvent } from '../../events/session.js';
import type { Decision } from '../decider.js';
import { refuse } from '../refusal.js';
import type { SessionState } from './state.js';

export interface StartSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly address: string;
  readonly agent: string;
  readonly expiresAt: number;
}

export function startSession(state: SessionState, command: StartSession): Decision<SessionEvent> {
  if (state.kind !== 'none') return refuse('SESSION_EXISTS');
  return [{ type: 'SessionStarted', data: { ...command } }];
}

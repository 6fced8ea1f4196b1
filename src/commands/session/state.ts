import type { Family } from '../decider.js';

interface Started {
  readonly sessionId: string;
  readonly userId: string;
  readonly address: string;
  readonly agent: string;
  readonly startedAt: number;
  /** When the session ends by itself, however often it is refreshed. */
  readonly expiresAt: number;
}

export type SessionState =
  | { readonly kind: 'none' }
  | (Started & {
      readonly kind: 'active';
      /** Which refresh token is the current one: 1 is that of the login. */
      readonly generation: number;
      /** When the current refresh token was given out. */
      readonly rotatedAt: number;
    })
  | (Started & { readonly kind: 'ended' });

export type ActiveSession = Extract<SessionState, { kind: 'active' }>;

export const session: Family<SessionState> = {
  name: 'session',
  initial: { kind: 'none' },
  evolve(state, event, time) {
    switch (event.type) {
      case 'SessionStarted':
        if (state.kind !== 'none') return state;
        return { kind: 'active', ...event.data, startedAt: time, generation: 1, rotatedAt: time };
      case 'SessionRefreshed':
        if (state.kind !== 'active') return state;
        return { ...state, generation: event.data.generation, rotatedAt: time };
      case 'SessionEnded': {
        if (state.kind !== 'active') return state;
        const { sessionId, userId, address, agent, startedAt, expiresAt } = state;
        return { kind: 'ended', sessionId, userId, address, agent, startedAt, expiresAt };
      }
      default:
        return state;
    }
  },
};

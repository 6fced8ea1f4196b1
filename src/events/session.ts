import { Type } from 'typebox';
import { defineEvent, type EventOf } from './definition.js';
import { Id, Line, Millis } from './values.js';

export const SessionEndReason = Type.Enum([
  'logout',
  'logout-all',
  'revoked',
  'refresh-token-reused',
]);

/** Stream `session-{id}`: one login, from its start to its end. */
export const sessionEvents = [
  defineEvent(
    'SessionStarted',
    'A user signed in. It ends at `expiresAt`, however often it is refreshed.',
    Type.Object({
      sessionId: Id,
      userId: Id,
      address: Line(64, 0),
      agent: Line(256, 0),
      expiresAt: Millis,
    }),
  ),
  defineEvent(
    'SessionRefreshed',
    'The refresh token was used and has a successor: the token of `generation`.',
    Type.Object({
      sessionId: Id,
      userId: Id,
      generation: Type.Integer({ minimum: 2 }),
    }),
  ),
  defineEvent(
    'SessionEnded',
    'The session is over: none of its tokens works any more.',
    Type.Object({ sessionId: Id, userId: Id, reason: SessionEndReason }),
  ),
] as const;

export type SessionEvent = EventOf<(typeof sessionEvents)[number]>;

import { Type } from 'typebox';
import { defineEvent, type EventOf } from './definition.js';
import { Id, Line, UserRole } from './values.js';

/** Stream `user-{id}`: the only place that holds a person's name and e-mail address. */
export const userEvents = [
  defineEvent(
    'UserRegistered',
    'Somebody signed up, or the first administrator was made.',
    Type.Object({
      userId: Id,
      name: Line(100),
      email: Line(254),
      passwordHash: Type.String(),
      role: UserRole,
      organizationId: Id,
    }),
  ),
  defineEvent(
    'UserRoleChanged',
    'An administrator gave the user another role in the installation.',
    Type.Object({ userId: Id, role: UserRole }),
  ),
  defineEvent(
    'UserDisabled',
    'The user may no longer sign in, and none of their sessions works.',
    Type.Object({ userId: Id }),
  ),
  defineEvent('UserEnabled', 'The user may sign in again.', Type.Object({ userId: Id })),
] as const;

export type UserEvent = EventOf<(typeof userEvents)[number]>;

/** Stream `email-{keyed hash}`: the claim that makes an address unique, without telling it. */
export const emailEvents = [
  defineEvent(
    'EmailClaimed',
    'The address belongs to this user from now on.',
    Type.Object({ userId: Id }),
  ),
] as const;

export type EmailEvent = EventOf<(typeof emailEvents)[number]>;

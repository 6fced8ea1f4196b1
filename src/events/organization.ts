import { Type } from 'typebox';
import { defineEvent, type EventOf } from './definition.js';
import { Id, Line, MemberRole } from './values.js';

const Membership = Type.Object({ organizationId: Id, userId: Id, role: MemberRole });

/** Stream `organization-{id}`. */
export const organizationEvents = [
  defineEvent(
    'OrganizationCreated',
    'An organization was made, with its first owner.',
    Type.Object({ organizationId: Id, name: Line(100), ownerId: Id, personal: Type.Boolean() }),
  ),
  defineEvent('MemberAdded', 'A user joined the organization.', Membership),
  defineEvent('MemberRoleChanged', 'A member may now do more or less.', Membership),
  defineEvent(
    'MemberRemoved',
    'A user left the organization or was taken out.',
    Type.Object({ organizationId: Id, userId: Id }),
  ),
] as const;

export type OrganizationEvent = EventOf<(typeof organizationEvents)[number]>;

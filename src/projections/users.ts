import type { MemberRole, UserRole } from '../events/values.js';
import { documentTag, projection } from './projection.js';

/** A user, with the organizations that they belong to. */
export type UserDoc = Readonly<{
  id: string;
  /** Absent while only a membership is known: the parts of a signup arrive as events of several streams. */
  name?: string;
  email?: string;
  /** What a search by name or address begins with. */
  words: readonly string[];
  role: UserRole;
  disabled: boolean;
  /** When they signed up, in milliseconds since the epoch; 0 while only a membership is known. */
  createdAt: number;
  organizations: Readonly<Record<string, MemberRole>>;
}>;

export const users = projection<UserDoc>({
  name: 'users',
  version: 1,
  collection: {
    name: 'users',
    indexes: [{ fields: ['createdAt'] }, { fields: ['words'] }],
  },
  tags: (id) => [documentTag('users', id)],
  on: {
    UserRegistered: {
      key: (event) => event.data.userId,
      fold: (doc, { data, time }) => ({
        ...(doc ?? blank(data.userId)),
        name: data.name,
        email: data.email,
        words: [...new Set([...data.name.toLowerCase().split(/\s+/), data.email])].filter(Boolean),
        role: data.role,
        createdAt: time,
      }),
    },
    UserRoleChanged: {
      key: (event) => event.data.userId,
      fold: (doc, { data }) => doc && { ...doc, role: data.role },
    },
    UserDisabled: {
      key: (event) => event.data.userId,
      fold: (doc) => doc && { ...doc, disabled: true },
    },
    UserEnabled: {
      key: (event) => event.data.userId,
      fold: (doc) => doc && { ...doc, disabled: false },
    },
    OrganizationCreated: {
      key: (event) => event.data.ownerId,
      fold: (doc, { data }) => joined(doc, data.ownerId, data.organizationId, 'owner'),
    },
    MemberAdded: {
      key: (event) => event.data.userId,
      fold: (doc, { data }) => joined(doc, data.userId, data.organizationId, data.role),
    },
    MemberRoleChanged: {
      key: (event) => event.data.userId,
      fold: (doc, { data }) => joined(doc, data.userId, data.organizationId, data.role),
    },
    MemberRemoved: {
      key: (event) => event.data.userId,
      fold: (doc, { data }) => {
        if (doc === undefined) return undefined;
        const { [data.organizationId]: _, ...organizations } = doc.organizations;
        return { ...doc, organizations };
      },
    },
  },
});

function blank(id: string): UserDoc {
  return { id, words: [], role: 'user', disabled: false, createdAt: 0, organizations: {} };
}

function joined(
  doc: UserDoc | undefined,
  userId: string,
  organizationId: string,
  role: MemberRole,
): UserDoc {
  const known = doc ?? blank(userId);
  return { ...known, organizations: { ...known.organizations, [organizationId]: role } };
}

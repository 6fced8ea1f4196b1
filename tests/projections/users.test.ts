import { users } from '../../src/projections/users.js';
import { BEFORE } from '../spec/given.js';
import {
  ACME,
  ADA,
  BOB,
  id,
  memberAdded,
  memberRemoved,
  memberRoleChanged,
  organizationCreated,
  userRegistered,
} from '../spec/things.js';
import { documentsOf } from './documents.js';

const ada = {
  id: ADA,
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  words: ['ada', 'lovelace', 'ada@example.com'],
  role: 'user',
  disabled: false,
  createdAt: BEFORE,
  organizations: {},
};

describe('the users', () => {
  it('are those who have signed up, without what proves who they are', () => {
    expect(documentsOf(users, userRegistered())).toEqual({ [ADA]: ada });
    expect(JSON.stringify(documentsOf(users, userRegistered()))).not.toContain('digest');
  });

  it('are found by each word of their name, once, in any case', () => {
    const { [ADA]: doc } = documentsOf(users, userRegistered({ name: '  Ada ADA de  Lovelace ' }));
    expect(doc?.words).toEqual(['ada', 'de', 'lovelace', 'ada@example.com']);
  });

  it('have another role, are disabled and enabled', () => {
    const admin = { type: 'UserRoleChanged', data: { userId: ADA, role: 'admin' } } as const;
    const disabled = { type: 'UserDisabled', data: { userId: ADA } } as const;
    const enabled = { type: 'UserEnabled', data: { userId: ADA } } as const;
    expect(documentsOf(users, userRegistered(), admin, disabled)).toEqual({
      [ADA]: { ...ada, role: 'admin', disabled: true },
    });
    expect(documentsOf(users, userRegistered(), disabled, enabled)).toEqual({ [ADA]: ada });
  });

  it('belong to organizations, each in its role', () => {
    const { [ADA]: owner, [BOB]: member } = documentsOf(
      users,
      userRegistered(),
      organizationCreated(ADA),
      userRegistered({ userId: BOB, name: 'Bob', email: 'bob@example.com' }),
      memberAdded(BOB, 'viewer'),
      memberRoleChanged(BOB, 'member'),
    );
    expect(owner?.organizations).toEqual({ [ACME]: 'owner' });
    expect(member?.organizations).toEqual({ [ACME]: 'member' });
  });

  it('leave an organization and keep the others', () => {
    const other = { organizationId: id(11), userId: ADA, role: 'viewer' } as const;
    const { [ADA]: doc } = documentsOf(
      users,
      userRegistered(),
      organizationCreated(ADA),
      { type: 'MemberAdded', data: other },
      memberRemoved(ADA),
    );
    expect(doc?.organizations).toEqual({ [id(11)]: 'viewer' });
  });

  it('come out the same when a membership is told before the user', () => {
    const one = documentsOf(users, organizationCreated(ADA), userRegistered());
    const other = documentsOf(users, userRegistered(), organizationCreated(ADA));
    expect(one).toEqual(other);
  });
});

import { createOrganization } from '../../src/commands/organization/createOrganization.js';
import {
  addMember,
  changeMemberRole,
  MAX_MEMBERS,
  removeMember,
} from '../../src/commands/organization/members.js';
import { organization, type OrganizationState } from '../../src/commands/organization/state.js';
import type { MemberRole } from '../../src/events/values.js';
import { given } from './given.js';
import {
  ADA,
  BOB,
  id,
  memberAdded,
  memberRemoved,
  memberRoleChanged,
  organizationCreated,
} from './things.js';

const create = (state: OrganizationState) => createOrganization(state, organizationCreated().data);
const add = (userId: string, role: MemberRole) => (state: OrganizationState) =>
  addMember(state, { userId, role });
const change = (userId: string, role: MemberRole) => (state: OrganizationState) =>
  changeMemberRole(state, { userId, role });
const remove = (userId: string) => (state: OrganizationState) => removeMember(state, { userId });

const created = organizationCreated(ADA);

describe('creating an organization', () => {
  it('makes its creator the first owner', () => {
    given(organization).when(create).then(created);
    given(organization, created).is({ members: new Map([[ADA, 'owner']]) });
  });

  it('is refused for one that is there', () => {
    given(organization, created).when(create).refused('ORGANIZATION_EXISTS');
  });
});

describe('adding a member', () => {
  it('gives them their role', () => {
    given(organization, created).when(add(BOB, 'viewer')).then(memberAdded(BOB, 'viewer'));
  });

  it('is refused for who is a member, in whatever role', () => {
    given(organization, created).when(add(ADA, 'viewer')).refused('MEMBER_EXISTS');
  });

  it('takes back who was removed', () => {
    given(organization, created, memberAdded(BOB, 'member'), memberRemoved(BOB))
      .when(add(BOB, 'viewer'))
      .then(memberAdded(BOB, 'viewer'));
  });

  it(`goes up to ${MAX_MEMBERS}`, () => {
    const others = Array.from({ length: MAX_MEMBERS - 1 }, (_, index) =>
      memberAdded(id(1_000 + index), 'viewer'),
    );
    given(organization, created, ...others.slice(1))
      .when(add(BOB, 'viewer'))
      .then(memberAdded(BOB, 'viewer'));
    given(organization, created, ...others)
      .when(add(BOB, 'viewer'))
      .refused('TOO_MANY_MEMBERS');
  });

  it('is refused for who belongs to as many organizations as they may, and is no member yet', () => {
    const addFull = (userId: string) => (state: OrganizationState) =>
      addMember(state, { userId, role: 'viewer' }, true);
    given(organization, created).when(addFull(BOB)).refused('TOO_MANY_MEMBERSHIPS');
    given(organization, created).when(addFull(ADA)).refused('MEMBER_EXISTS');
  });

  it('is refused where there is no organization', () => {
    given(organization).when(add(BOB, 'viewer')).refused('ORGANIZATION_NOT_FOUND');
  });
});

describe('changing a member’s role', () => {
  it('gives them another one', () => {
    given(organization, created, memberAdded(BOB, 'member'))
      .when(change(BOB, 'owner'))
      .then(memberRoleChanged(BOB, 'owner'));
  });

  it('does nothing when it is theirs already, the last owner’s too', () => {
    given(organization, created, memberAdded(BOB, 'member')).when(change(BOB, 'member')).nothing();
    given(organization, created).when(change(ADA, 'owner')).nothing();
  });

  it('never leaves an organization without an owner', () => {
    given(organization, created).when(change(ADA, 'member')).refused('LAST_OWNER');
    given(organization, created, memberAdded(BOB, 'owner'))
      .when(change(ADA, 'member'))
      .then(memberRoleChanged(ADA, 'member'));
    given(organization, created, memberAdded(BOB, 'owner'), memberRoleChanged(ADA, 'member'))
      .when(change(BOB, 'viewer'))
      .refused('LAST_OWNER');
  });

  it('is refused where there is no such member', () => {
    given(organization, created).when(change(BOB, 'owner')).refused('MEMBER_NOT_FOUND');
    given(organization).when(change(BOB, 'owner')).refused('ORGANIZATION_NOT_FOUND');
  });
});

describe('removing a member', () => {
  it('takes them out', () => {
    given(organization, created, memberAdded(BOB, 'viewer'))
      .when(remove(BOB))
      .then(memberRemoved(BOB));
  });

  it('never takes out the last owner', () => {
    given(organization, created, memberAdded(BOB, 'member'))
      .when(remove(ADA))
      .refused('LAST_OWNER');
    given(organization, created, memberAdded(BOB, 'owner'))
      .when(remove(ADA))
      .then(memberRemoved(ADA));
  });

  it('is refused where there is no such member', () => {
    given(organization, created, memberAdded(BOB, 'viewer'), memberRemoved(BOB))
      .when(remove(BOB))
      .refused('MEMBER_NOT_FOUND');
    given(organization).when(remove(BOB)).refused('ORGANIZATION_NOT_FOUND');
  });
});

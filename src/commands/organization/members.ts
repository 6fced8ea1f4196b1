import type { OrganizationEvent } from '../../events/organization.js';
import type { MemberRole } from '../../events/values.js';
import type { Decision } from '../decider.js';
import { refuse, type Refusal } from '../refusal.js';
import type { OrganizationState } from './state.js';

/** The most members of an organization: its state is held in memory by every process that asks for it. */
export const MAX_MEMBERS = 1_000;

/**
 * The most organizations that a user belongs to: each question about their devices asks for all of
 * them. Half of what the read models search at once (queries/searched.ts).
 */
export const MAX_MEMBERSHIPS = 500;

type Created = Extract<OrganizationState, { kind: 'created' }>;

export interface AddMember {
  readonly userId: string;
  readonly role: MemberRole;
}

/** @param full whether the user belongs to as many organizations as they may (join.ts) */
export function addMember(
  state: OrganizationState,
  { userId, role }: AddMember,
  full = false,
): Decision<OrganizationEvent> {
  if (state.kind === 'none') return refuse('ORGANIZATION_NOT_FOUND');
  if (state.members.has(userId)) return refuse('MEMBER_EXISTS');
  if (state.members.size >= MAX_MEMBERS) return refuse('TOO_MANY_MEMBERS');
  if (full) return refuse('TOO_MANY_MEMBERSHIPS');
  const { organizationId } = state;
  return [{ type: 'MemberAdded', data: { organizationId, userId, role } }];
}

export function changeMemberRole(
  state: OrganizationState,
  { userId, role }: AddMember,
): Decision<OrganizationEvent> {
  const found = member(state, userId);
  if ('refused' in found) return found;
  if (found.role === role) return [];
  if (isLastOwner(found)) return refuse('LAST_OWNER');
  const { organizationId } = found.organization;
  return [{ type: 'MemberRoleChanged', data: { organizationId, userId, role } }];
}

export function removeMember(
  state: OrganizationState,
  { userId }: { readonly userId: string },
): Decision<OrganizationEvent> {
  const found = member(state, userId);
  if ('refused' in found) return found;
  if (isLastOwner(found)) return refuse('LAST_OWNER');
  const { organizationId } = found.organization;
  return [{ type: 'MemberRemoved', data: { organizationId, userId } }];
}

interface Found {
  readonly organization: Created;
  readonly role: MemberRole;
}

function member(state: OrganizationState, userId: string): Found | Refusal {
  if (state.kind === 'none') return refuse('ORGANIZATION_NOT_FOUND');
  const role = state.members.get(userId);
  return role === undefined ? refuse('MEMBER_NOT_FOUND') : { organization: state, role };
}

function isLastOwner({ organization, role }: Found): boolean {
  if (role !== 'owner') return false;
  return [...organization.members.values()].filter((other) => other === 'owner').length === 1;
}

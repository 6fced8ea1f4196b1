import type { OrganizationEvent } from '../../events/organization.js';
import type { Decision } from '../decider.js';
import { refuse } from '../refusal.js';
import type { OrganizationState } from './state.js';

export interface CreateOrganization {
  readonly organizationId: string;
  readonly name: string;
  readonly ownerId: string;
  readonly personal: boolean;
}

export function createOrganization(
  state: OrganizationState,
  command: CreateOrganization,
): Decision<OrganizationEvent> {
  if (state.kind !== 'none') return refuse('ORGANIZATION_EXISTS');
  return [{ type: 'OrganizationCreated', data: { ...command } }];
}

import type { MemberRole } from '../../events/values.js';
import type { Family } from '../decider.js';

export type OrganizationState =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'created';
      readonly organizationId: string;
      readonly name: string;
      readonly personal: boolean;
      readonly members: ReadonlyMap<string, MemberRole>;
    };

const MEMBERS_IN_A_KILOBYTE = 8;

export const organization: Family<OrganizationState> = {
  name: 'organization',
  initial: { kind: 'none' },
  weight: (state) =>
    state.kind === 'none' ? 1 : 1 + Math.floor(state.members.size / MEMBERS_IN_A_KILOBYTE),
  evolve(state, event) {
    if (state.kind === 'none') {
      if (event.type !== 'OrganizationCreated') return state;
      const { organizationId, name, personal, ownerId } = event.data;
      const members = new Map([[ownerId, 'owner' as const]]);
      return { kind: 'created', organizationId, name, personal, members };
    }
    switch (event.type) {
      case 'MemberAdded':
      case 'MemberRoleChanged': {
        const members = new Map(state.members).set(event.data.userId, event.data.role);
        return { ...state, members };
      }
      case 'MemberRemoved': {
        const members = new Map(state.members);
        members.delete(event.data.userId);
        return { ...state, members };
      }
      default:
        return state;
    }
  },
};

import type { UserRole } from '../../events/values.js';
import type { Family } from '../decider.js';

export type UserState =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'registered';
      readonly userId: string;
      readonly name: string;
      readonly email: string;
      readonly passwordHash: string;
      readonly role: UserRole;
      readonly disabled: boolean;
      readonly organizationId: string;
      readonly createdAt: number;
    };

export type RegisteredUser = Extract<UserState, { kind: 'registered' }>;

export const user: Family<UserState> = {
  name: 'user',
  initial: { kind: 'none' },
  evolve(state, event, time) {
    if (state.kind === 'none') {
      if (event.type !== 'UserRegistered') return state;
      return { kind: 'registered', ...event.data, disabled: false, createdAt: time };
    }
    switch (event.type) {
      case 'UserRoleChanged':
        return { ...state, role: event.data.role };
      case 'UserDisabled':
        return { ...state, disabled: true };
      case 'UserEnabled':
        return { ...state, disabled: false };
      default:
        return state;
    }
  },
};

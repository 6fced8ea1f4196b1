import type { UserEvent } from '../../events/user.js';
import type { UserRole } from '../../events/values.js';
import type { Decision } from '../decider.js';
import { refuse } from '../refusal.js';
import type { UserState } from './state.js';

export interface RegisterUser {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly passwordHash: string;
  readonly role: UserRole;
  readonly organizationId: string;
}

export function registerUser(state: UserState, command: RegisterUser): Decision<UserEvent> {
  if (state.kind !== 'none') return refuse('USER_EXISTS');
  return [{ type: 'UserRegistered', data: { ...command } }];
}

import type { UserEvent } from '../../events/user.js';
import type { UserRole } from '../../events/values.js';
import type { Decision } from '../decider.js';
import { refuse } from '../refusal.js';
import type { UserState } from './state.js';

export interface ChangeUser {
  readonly role?: UserRole | undefined;
  readonly disabled?: boolean | undefined;
}

/** What an administrator changes of a user. What already holds makes no event. */
export function changeUser(state: UserState, command: ChangeUser): Decision<UserEvent> {
  if (state.kind === 'none') return refuse('USER_NOT_FOUND');
  const { userId } = state;
  const events: UserEvent[] = [];
  if (command.role !== undefined && command.role !== state.role) {
    events.push({ type: 'UserRoleChanged', data: { userId, role: command.role } });
  }
  if (command.disabled !== undefined && command.disabled !== state.disabled) {
    events.push({ type: command.disabled ? 'UserDisabled' : 'UserEnabled', data: { userId } });
  }
  return events;
}

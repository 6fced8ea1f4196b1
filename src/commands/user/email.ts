import type { EmailEvent } from '../../events/user.js';
import type { Decision, Family } from '../decider.js';
import { refuse } from '../refusal.js';

export type EmailState =
  | { readonly kind: 'free' }
  | { readonly kind: 'claimed'; readonly userId: string; readonly at: number };

export const email: Family<EmailState> = {
  name: 'email',
  initial: { kind: 'free' },
  evolve(state, event, time) {
    if (event.type !== 'EmailClaimed') return state;
    return { kind: 'claimed', userId: event.data.userId, at: time };
  },
};

export interface ClaimEmail {
  readonly userId: string;
  /**
   * Whether the claim that stands was left behind by a signup that died: its user was never made,
   * and it is old enough that nobody is making them now.
   */
  readonly abandoned: boolean;
}

/** Claims an address for a user; claiming it again for the same user changes nothing. */
export function claimEmail(state: EmailState, command: ClaimEmail): Decision<EmailEvent> {
  if (state.kind === 'claimed') {
    if (state.userId === command.userId) return [];
    if (!command.abandoned) return refuse('EMAIL_TAKEN');
  }
  return [{ type: 'EmailClaimed', data: { userId: command.userId } }];
}

/** Addresses differ by what stands here: case and surrounding space do not tell two people apart. */
export function normalEmail(address: string): string {
  return address.trim().normalize('NFKC').toLowerCase();
}

import { START, type Position } from '../../events/envelope.js';
import { namedCommandId, type Origin } from '../origin.js';
import { isRefusal } from '../refusal.js';
import { emailStreamOf, signUp, type AccountDeps } from './signUp.js';
import type { Passwords } from '../passwords.js';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

const DEFAULT_EMAIL = 'admin@fleetbook.local';

/**
 * Makes sure that there is somebody to administer a new installation: the one who is named, or, in
 * an empty log, one whose password is made here.
 * @returns the credentials when they were made here, to be shown once
 */
export function firstAdministrator(deps: AccountDeps & { readonly passwords: Passwords }) {
  const register = signUp(deps);

  return async (
    named: Credentials | undefined,
    head: Position,
  ): Promise<Credentials | undefined> => {
    if (named === undefined && head > START) return undefined;
    const { email, password } = named ?? {
      email: DEFAULT_EMAIL,
      password: deps.runtime.randomBytes(15).toString('base64url'),
    };
    // Hashing takes its time on purpose: not at every start.
    const claim = await deps.states.emails.load(emailStreamOf(deps.hashSecret, email));
    if (claim.state.kind === 'claimed') return undefined;

    const origin: Origin = {
      actor: { kind: 'system', id: 'first-start' },
      commandId: namedCommandId('first administrator', email),
    };
    const passwordHash = await deps.passwords.hash(password);
    const made = await register(
      { name: 'Administrator', email, passwordHash, role: 'admin' },
      origin,
    );
    return named !== undefined || isRefusal(made) ? undefined : { email, password };
  };
}

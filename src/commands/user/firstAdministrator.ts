import { createHash } from 'node:crypto';
import { START, type Position } from '../../events/envelope.js';
import { namedCommandId, type Origin } from '../origin.js';
import { isRefusal } from '../refusal.js';
import { emailStreamOf, signUp, userByEmail, userIdOf, type AccountDeps } from './signUp.js';
import type { Passwords } from '../passwords.js';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

const DEFAULT_EMAIL = 'admin@fleetbook.local';

/**
 * Makes sure that there is somebody to administer a new installation: the one who is named, or, in
 * an empty log, one whose password is made here. A start that died on the way is gone on with by the
 * next, since the command is the same each time. Of processes that start at once one makes them: the
 * others' command has the same id and, by its password, another content.
 * @returns the credentials when they were made here and hold, to be shown once
 */
export function firstAdministrator(deps: AccountDeps & { readonly passwords: Passwords }) {
  const register = signUp(deps);
  const findUser = userByEmail(deps);

  return async (
    named: Credentials | undefined,
    head: Position,
  ): Promise<Credentials | undefined> => {
    const { email, password } = named ?? {
      email: DEFAULT_EMAIL,
      password: deps.runtime.randomBytes(15).toString('base64url'),
    };
    const origin: Origin = {
      actor: { kind: 'system', id: 'first-start' },
      commandId: namedCommandId('first administrator', email),
    };
    if (named === undefined && head > START && !(await isBegun(email, origin))) return undefined;
    // Hashing takes its time on purpose: not at every start.
    if ((await findUser(email)) !== undefined) return undefined;

    const passwordHash = await deps.passwords.hash(password);
    const made = await register(
      { name: 'Administrator', email, passwordHash, role: 'admin' },
      { ...origin, commandHash: createHash('sha256').update(passwordHash).digest('base64url') },
    );
    return named !== undefined || isRefusal(made) ? undefined : { email, password };
  };

  /** Whether an earlier start has claimed the address for the administrator. */
  async function isBegun(email: string, origin: Origin): Promise<boolean> {
    const { state } = await deps.states.emails.load(emailStreamOf(deps.hashSecret, email));
    return state.kind === 'claimed' && state.userId === userIdOf(origin);
  }
}

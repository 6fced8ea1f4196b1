import { createHmac } from 'node:crypto';
import { later, type Position } from '../../events/envelope.js';
import { emailStream, organizationStream, userStream } from '../../events/streams.js';
import type { UserRole } from '../../events/values.js';
import type { Runtime } from '../../runtime.js';
import type { Handle } from '../handle.js';
import { derivedId, type Origin } from '../origin.js';
import { createOrganization } from '../organization/createOrganization.js';
import { isRefusal, refuse, type Refusal } from '../refusal.js';
import type { States } from '../states.js';
import { claimEmail, normalEmail } from './email.js';
import { registerUser } from './registerUser.js';
import type { RegisteredUser } from './state.js';

export interface SignUp {
  readonly name: string;
  readonly email: string;
  readonly passwordHash: string;
  readonly role: UserRole;
}

export interface AccountDeps {
  readonly handle: Handle;
  readonly states: States;
  readonly runtime: Runtime;
  /** Keys the digest that an e-mail address has in its stream's name. */
  readonly hashSecret: string;
}

/** A claim whose user was never made is given up after this long: its signup has died. */
const ABANDONED_AFTER_MS = 60_000;

/** The id of the user that a signup makes, known before it has begun. */
export function userIdOf({ commandId }: Origin): string {
  return derivedId(commandId, 'user');
}

/** The stream of the claim on an address. */
export function emailStreamOf(hashSecret: string, address: string): string {
  return emailStream(createHmac('sha256', hashSecret).update(normalEmail(address)).digest('hex'));
}

/**
 * Makes a user with their personal organization. Three streams can't be written at once: the address
 * is claimed first and the user comes last, so that whatever dies on the way leaves a claim that
 * lapses and an organization that nobody sees, never two users of one address or a user without an
 * organization.
 */
export function signUp({ handle, states, runtime, hashSecret }: AccountDeps) {
  return async function run(
    { name, email, passwordHash, role }: SignUp,
    origin: Origin,
  ): Promise<{ readonly user: RegisteredUser; readonly position: Position } | Refusal> {
    const userId = userIdOf(origin);
    const organizationId = derivedId(origin.commandId, 'organization');
    // Each step is a command of its own to its stream; only the user's answers for the whole.
    const step = (purpose: string): Origin => ({
      actor: origin.actor,
      commandId: derivedId(origin.commandId, purpose),
      ...(origin.requestId !== undefined && { requestId: origin.requestId }),
    });

    const stream = emailStreamOf(hashSecret, email);
    const abandoned = await isAbandoned(stream);
    const claimed = await handle({
      stream,
      family: states.emails,
      decide: (state) => claimEmail(state, { userId, abandoned }),
      origin: step('email'),
    });
    if (isRefusal(claimed)) return claimed;

    const created = await handle({
      stream: organizationStream(organizationId),
      family: states.organizations,
      decide: (state) =>
        state.kind === 'created'
          ? []
          : createOrganization(state, { organizationId, name, ownerId: userId, personal: true }),
      origin: step('organization'),
    });
    if (isRefusal(created)) return created;

    const registered = await handle({
      stream: userStream(userId),
      family: states.users,
      decide: (state) =>
        registerUser(state, { userId, name, email, passwordHash, role, organizationId }),
      origin,
    });
    if (isRefusal(registered)) return registered;

    const { state } = registered;
    if (state.kind === 'none') return refuse('USER_NOT_FOUND');
    return { user: state, position: later(registered.position, created.position) };
  };

  async function isAbandoned(stream: string): Promise<boolean> {
    const { state } = await states.emails.reload(stream);
    if (state.kind === 'free' || runtime.now() - state.at < ABANDONED_AFTER_MS) return false;
    const claimer = await states.users.load(userStream(state.userId));
    return claimer.state.kind === 'none';
  }
}

/** The user of an address, undefined when there is none. */
export function userByEmail({ states, hashSecret }: AccountDeps) {
  return async (address: string): Promise<RegisteredUser | undefined> => {
    const { state: claim } = await states.emails.load(emailStreamOf(hashSecret, address));
    if (claim.kind === 'free') return undefined;
    const { state } = await states.users.load(userStream(claim.userId));
    return state.kind === 'none' ? undefined : state;
  };
}

import type { Position } from '../../events/envelope.js';
import { userStream } from '../../events/streams.js';
import type { Handle, Handled } from '../handle.js';
import { takingBack, type Origin } from '../origin.js';
import { isRefusal, refuse, type Refusal } from '../refusal.js';
import type { States } from '../states.js';
import { changeUser, type ChangeUser } from './changeUser.js';
import type { UserState } from './state.js';

export interface ChangeUserAs {
  /** Who wants it: they were an administrator when they were let through. */
  readonly callerId: string;
  readonly userId: string;
  readonly change: ChangeUser;
  readonly origin: Origin;
  readonly ifRevision?: number | undefined;
}

/**
 * Changes a user on behalf of an administrator, who must be one where the change stands in the log.
 *
 * Of two who demote each other each is let through by a state in which both are administrators, and no
 * expected revision guards one stream against what happens to another. But the log has one order for
 * all streams, and once a change stands in it, all that comes before it can be read: so it is looked
 * then, whether the caller had been demoted or disabled before it, and a change that came too late is
 * taken back. Of two the later one loses, whichever processes they came to.
 *
 * Not covered: a process that dies, or loses the log, between a change that came too late and its
 * taking back; and somebody who was made an administrator by such a change and demotes the last other
 * one before it is taken back, milliseconds later. Then none may be left, and a start with another
 * ADMIN_EMAIL makes a new one. Until a change is taken back others see it: who asks for the very same in
 * that time is told that it holds.
 */
export function changeUserAs({
  handle,
  states,
}: {
  readonly handle: Handle;
  readonly states: States;
}) {
  return async function run({
    callerId,
    userId,
    change,
    origin,
    ifRevision,
  }: ChangeUserAs): Promise<Handled<UserState> | Refusal> {
    // As the log has it: what let them through may have been behind.
    const { state: caller } = await states.users.reload(userStream(callerId));
    const unfit = refusalOf(caller);
    if (unfit !== undefined) return unfit;
    const target = { stream: userStream(userId), family: states.users };
    const decided: { from?: UserState } = {};
    const changed = await handle({
      ...target,
      decide(known) {
        decided.from = known;
        return changeUser(known, change);
      },
      origin,
      ifRevision,
    });
    const was = decided.from;
    // What held already stands where somebody else has put it, perhaps before the caller was anybody.
    if (isRefusal(changed) || changed.state === was) return changed;

    const refusal = refusalOf(await stateBefore(callerId, changed.position));
    // A repeat has been taken back the first time, and others may have decided upon the user since.
    if (refusal !== undefined && was !== undefined && !changed.repeated) {
      const back = whatChanged(was, changed.state);
      await handle({
        ...target,
        decide: (known) => changeUser(known, back),
        origin: takingBack(origin),
      });
    }
    return refusal ?? changed;
  };

  /** What a user was just before a position of the log that has been written already. */
  async function stateBefore(userId: string, position: Position): Promise<UserState> {
    const stream = userStream(userId);
    let then = await states.users.reload(stream);
    while (then.position >= position) then = await states.users.at(stream, then.revision - 1);
    return then.state;
  }
}

/** Why somebody may not change users; undefined when they may. */
function refusalOf(caller: UserState): Refusal | undefined {
  if (caller.kind === 'none') return refuse('FORBIDDEN');
  if (caller.disabled) return refuse('USER_DISABLED');
  return caller.role === 'admin' ? undefined : refuse('FORBIDDEN');
}

/** The change that leads back, of nothing but what the change has changed. */
function whatChanged(before: UserState, after: UserState): ChangeUser {
  if (before.kind === 'none' || after.kind === 'none') return {};
  return {
    ...(before.role !== after.role && { role: before.role }),
    ...(before.disabled !== after.disabled && { disabled: before.disabled }),
  };
}

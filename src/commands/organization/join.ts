import { START, type Position } from '../../events/envelope.js';
import { organizationStream } from '../../events/streams.js';
import type { Handle, Handled } from '../handle.js';
import { takingBack, type Origin } from '../origin.js';
import { isRefusal, refuse, type Refusal } from '../refusal.js';
import type { States } from '../states.js';
import { addMember, MAX_MEMBERSHIPS, removeMember, type AddMember } from './members.js';
import type { OrganizationState } from './state.js';

export interface JoinDeps {
  readonly handle: Handle;
  readonly states: States;
  /**
   * To how many organizations a user belongs, in an answer that shows the log up to `needs`; undefined
   * when that can't be told in good time.
   */
  readonly countMemberships: (userId: string, needs: Position) => Promise<number | undefined>;
}

/**
 * Adds somebody to an organization, if they may belong to one more. Memberships lie in as many streams
 * as there are organizations, so that no expected revision guards their number: it is counted before,
 * which spares the log what is refused anyway, and again when the membership stands in the log. One
 * that is too many then is taken back. Each counts all that stand before it, so that no race, of
 * however many processes, leaves more than there may be; it may leave fewer, when two see each other.
 *
 * Not covered: read models that are away or behind for longer than the count waits, and a process that
 * dies before it has taken back. Adding members does not stop for these, and whoever asks for a user's
 * devices bears with any number of organizations.
 */
export function joinOrganization({ handle, states, countMemberships }: JoinDeps) {
  return async function run(
    organizationId: string,
    member: AddMember,
    origin: Origin,
  ): Promise<Handled<OrganizationState> | Refusal> {
    const { userId } = member;
    const target = { stream: organizationStream(organizationId), family: states.organizations };
    const known = await countMemberships(userId, START);
    const full = known !== undefined && known >= MAX_MEMBERSHIPS;
    const added = await handle({
      ...target,
      decide: (state) => addMember(state, member, full),
      origin,
    });
    if (isRefusal(added)) return added;
    const undoing = takingBack(origin);
    if (added.repeated) {
      const { answered } = await states.organizations.reload(target.stream);
      const undone = answered.some(({ commandId }) => commandId === undoing.commandId);
      return undone ? refuse('TOO_MANY_MEMBERSHIPS') : added;
    }

    const count = await countMemberships(userId, added.position);
    if (count === undefined || count <= MAX_MEMBERSHIPS) return added;
    const back = await handle({
      ...target,
      decide: (state) => removeMember(state, { userId }),
      origin: undoing,
    });
    // They are the last owner by now, or gone already: then it is true that they were added.
    return isRefusal(back) ? added : refuse('TOO_MANY_MEMBERSHIPS');
  };
}

import { Type } from 'typebox';
import { joinOrganization } from '../../commands/organization/join.js';
import { changeMemberRole, removeMember } from '../../commands/organization/members.js';
import type { OrganizationEvent } from '../../events/organization.js';
import type { Decision } from '../../commands/decider.js';
import type { OrganizationState } from '../../commands/organization/state.js';
import { START, type Position } from '../../events/envelope.js';
import { organizationStream } from '../../events/streams.js';
import { Id, MemberRole } from '../../events/values.js';
import { userByEmail } from '../../commands/user/signUp.js';
import { mayOwn } from '../access.js';
import { accepted } from '../answers.js';
import type { RouteDeps } from '../deps.js';
import { inTime } from '../inTime.js';
import { Problem } from '../problem.js';
import { route, type OrganizationCall, type Route } from '../route.js';
import { ById, Email, Membership, object } from '../schemas.js';

const TAG = 'Organizations';

const Organization = object({
  id: Id,
  name: Type.String(),
  personal: Type.Boolean(),
  members: Type.Array(Membership),
});

/** How long it takes at most to find out to how many organizations somebody belongs. */
const COUNTED_WITHIN_MS = 1_000;

const MemberOf = object({ id: Id, userId: Id });

export function organizationRoutes(deps: RouteDeps): readonly Route[] {
  const { runtime, states, handle, queries, consistency } = deps;
  const findUser = userByEmail(deps);
  const join = joinOrganization({ handle, states, countMemberships });

  function countMemberships(userId: string, needs: Position): Promise<number | undefined> {
    return inTime(runtime, COUNTED_WITHIN_MS, membershipsShown(userId, needs));
  }

  async function membershipsShown(userId: string, needs: Position): Promise<number | undefined> {
    if (needs > START && !(await consistency.reached(['users'], needs))) return undefined;
    const { value: doc } = await queries.userById(userId, needs);
    return doc && Object.keys(doc.organizations).length;
  }

  function change(
    { organization, origin }: Pick<OrganizationCall, 'organization' | 'origin'>,
    decide: (state: OrganizationState) => Decision<OrganizationEvent>,
  ) {
    const stream = organizationStream(organization.organizationId);
    return handle({ stream, family: states.organizations, decide, origin: origin() });
  }

  return [
    route({
      method: 'get',
      path: '/api/organizations/:id',
      summary: 'An organization and its members.',
      tag: TAG,
      access: 'organization:view',
      params: ById,
      answers: { 200: Organization },
      handle({ organization: { organizationId: id, name, personal, members } }) {
        const all = [...members].map(([userId, role]) => ({ userId, role }));
        return { status: 200, body: { id, name, personal, members: all } };
      },
    }),

    route({
      method: 'post',
      path: '/api/organizations/:id/members',
      summary: 'Add a user, by their e-mail address.',
      tag: TAG,
      access: 'organization:own',
      limit: 'device',
      params: ById,
      body: object({ email: Email, role: MemberRole }),
      answers: { 201: Membership },
      async handle({ body: { email, role }, organization, origin }) {
        const found = await findUser(email);
        if (found === undefined) throw new Problem('USER_NOT_FOUND');
        const { userId } = found;
        const { position } = accepted(
          await join(organization.organizationId, { userId, role }, origin()),
        );
        return { status: 201, body: { userId, role }, position };
      },
    }),

    route({
      method: 'patch',
      path: '/api/organizations/:id/members/:userId',
      summary: 'Give a member another role.',
      tag: TAG,
      access: 'organization:own',
      limit: 'device',
      params: MemberOf,
      body: object({ role: MemberRole }),
      answers: { 200: Membership },
      async handle({ params: { userId }, body: { role }, ...call }) {
        const { position } = accepted(
          await change(call, (state) => changeMemberRole(state, { userId, role })),
        );
        return { status: 200, body: { userId, role }, position };
      },
    }),

    route({
      method: 'delete',
      path: '/api/organizations/:id/members/:userId',
      summary: 'Take a member out, as an owner; or leave, as whoever you are in it.',
      tag: TAG,
      access: 'organization:view',
      limit: 'device',
      params: MemberOf,
      answers: { 204: null },
      async handle({ params: { userId }, user, ...call }) {
        // Anybody may be added without being asked: so nobody may be kept from leaving.
        if (userId !== user.userId && !mayOwn(call.organization.role))
          throw new Problem('FORBIDDEN');
        const { position } = accepted(
          await change(call, (state) => removeMember(state, { userId })),
        );
        return { status: 204, position };
      },
    }),
  ];
}

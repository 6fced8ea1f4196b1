import { Type } from 'typebox';
import { addMember, changeMemberRole, removeMember } from '../../commands/organization/members.js';
import type { OrganizationEvent } from '../../events/organization.js';
import type { Decision } from '../../commands/decider.js';
import type { OrganizationState } from '../../commands/organization/state.js';
import { organizationStream } from '../../events/streams.js';
import { Id, MemberRole } from '../../events/values.js';
import { userByEmail } from '../../commands/user/signUp.js';
import { accepted } from '../answers.js';
import type { RouteDeps } from '../deps.js';
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

const MemberOf = object({ id: Id, userId: Id });

export function organizationRoutes(deps: RouteDeps): readonly Route[] {
  const { states, handle } = deps;
  const findUser = userByEmail(deps);

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
      async handle({ body: { email, role }, ...call }) {
        const found = await findUser(email);
        if (found === undefined) throw new Problem('USER_NOT_FOUND');
        const { userId } = found;
        const { position } = accepted(
          await change(call, (state) => addMember(state, { userId, role })),
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
      summary: 'Take a member out.',
      tag: TAG,
      access: 'organization:own',
      limit: 'device',
      params: MemberOf,
      answers: { 204: null },
      async handle({ params: { userId }, ...call }) {
        const { position } = accepted(
          await change(call, (state) => removeMember(state, { userId })),
        );
        return { status: 204, position };
      },
    }),
  ];
}

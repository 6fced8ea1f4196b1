import { Type } from 'typebox';
import { changeUserAs } from '../../commands/user/changeUserAs.js';
import type { Position } from '../../events/envelope.js';
import { userStream } from '../../events/streams.js';
import { Line, MemberRole, UserRole } from '../../events/values.js';
import { accepted, listAnswer, listedUser, userAnswer } from '../answers.js';
import type { RouteDeps } from '../deps.js';
import { Problem } from '../problem.js';
import { route, type Route } from '../route.js';
import { ById, listOf, object, optional, paging, User } from '../schemas.js';

const TAG = 'Users';

const ListedUser = object({
  id: Type.String(),
  name: Type.String(),
  email: Type.String(),
  role: UserRole,
  disabled: Type.Boolean(),
  organizations: Type.Record(Type.String(), MemberRole),
  createdAt: Type.String(),
});

export function userRoutes(deps: RouteDeps): readonly Route[] {
  const { states, queries, consistency } = deps;
  const change = changeUserAs(deps);

  /** Where the log has them, for one that the read models do not know yet. */
  async function registeredAt(userId: string): Promise<Position> {
    const { position } = await states.users.load(userStream(userId));
    if (await consistency.reached(['users'], position)) return position;
    throw new Problem('NOT_CONSISTENT_YET', { retryAfter: 1 });
  }

  return [
    route({
      method: 'get',
      path: '/api/users/profile',
      summary: 'Who you are, and which organizations you belong to.',
      tag: TAG,
      access: 'user',
      reads: ['users'],
      answers: { 200: ListedUser },
      async handle({ user, needs }) {
        const known = await queries.userById(user.userId, needs);
        // Who has just signed up may ask another process, or one that has just started.
        const { value: doc, cached } =
          known.value === undefined
            ? await queries.userById(user.userId, await registeredAt(user.userId))
            : known;
        if (doc === undefined) throw new Problem('NOT_CONSISTENT_YET', { retryAfter: 1 });
        return { status: 200, body: listedUser(doc), cached };
      },
    }),

    route({
      method: 'get',
      path: '/api/users/users',
      summary: 'All users, newest first.',
      tag: TAG,
      access: 'admin',
      reads: ['users'],
      query: object({ ...paging, text: optional(Line(100)) }),
      answers: { 200: listOf(ListedUser) },
      async handle({ query: { limit = 50, ...query } }) {
        const found = await queries.users({ ...query, limit });
        return { status: 200, body: listAnswer(found, listedUser, { limit, page: query.page }) };
      },
    }),

    route({
      method: 'patch',
      path: '/api/users/:id',
      summary: 'Change a user’s role, or disable them. It acts on their next request.',
      tag: TAG,
      access: 'admin',
      limit: 'device',
      params: ById,
      body: object({ role: optional(UserRole), disabled: optional(Type.Boolean()) }),
      conditional: true,
      answers: { 200: User },
      async handle({ params: { id }, body, user, origin, ifRevision }) {
        const givesUp = body.role === 'user' || body.disabled === true;
        if (id === user.userId && givesUp) throw new Problem('LAST_ADMIN');
        const { state, revision, position } = accepted(
          await change({
            callerId: user.userId,
            userId: id,
            change: body,
            origin: origin(),
            ifRevision,
          }),
        );
        if (state.kind === 'none') throw new Problem('USER_NOT_FOUND');
        return { status: 200, body: userAnswer(state), revision, position };
      },
    }),
  ];
}

import type { Position } from '../events/envelope.js';
import type { Queries } from '../queries/queries.js';
import type { UserCaller } from './route.js';

/** The organizations whose devices a user sees, as far as the user's document knows; every one's for an administrator. */
export async function visibleOrganizations(
  queries: Pick<Queries, 'userById'>,
  user: UserCaller,
  needs: Position,
): Promise<readonly string[] | 'all'> {
  if (user.role === 'admin') return 'all';
  const { value: doc } = await queries.userById(user.userId, needs);
  return Object.keys(doc?.organizations ?? {});
}

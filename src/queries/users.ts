import type { Position } from '../events/envelope.js';
import { documentTag } from '../projections/projection.js';
import type { ReadModels } from '../projections/readModels.js';
import type { UserDoc } from '../projections/users.js';
import type { Cache, Cached } from './cache.js';
import { paged, type Paged, type Paging } from './paged.js';

export interface ListUsers extends Paging {
  /** What a word of the name, or the address, begins with. */
  readonly text?: string | undefined;
}

/** One page of users, newest first. Who has not come to the end of signing up is not among them. */
export function listUsers(reads: ReadModels) {
  return async ({ text, ...paging }: ListUsers): Promise<Paged<UserDoc>> => {
    const where =
      text === undefined ? { createdAt: { gt: 0 } } : { words: { prefix: text.toLowerCase() } };
    return paged(
      reads,
      'users',
      { where, sort: { field: 'createdAt', direction: 'desc' } },
      paging,
    );
  };
}

/** How long a user's document may be kept though nothing should have changed. */
const TTL_MS = 15 * 60_000;

/**
 * The user's document; undefined when there is none.
 * @param needs what the answer must show at least; the projection is there already
 */
export function userById(reads: ReadModels, cache: Cache) {
  return (id: string, needs: Position): Promise<Cached<UserDoc | undefined>> => {
    const tag = documentTag('users', id);
    const question = {
      key: tag,
      reads: ['users'],
      ttlMs: TTL_MS,
      tags: () => ({ users: [tag] }),
      load: () => reads.get<UserDoc>('users', id),
    };
    return cache.answer<UserDoc>(question, needs);
  };
}

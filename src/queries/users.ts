import type { ReadModels } from '../projections/readModels.js';
import type { UserDoc } from '../projections/users.js';
import { byId } from './byId.js';
import type { Cache } from './cache.js';
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

/** The user's document. */
export function userById(reads: ReadModels, cache: Cache) {
  return byId<UserDoc>({ reads, cache, projection: 'users', ttlMs: TTL_MS });
}

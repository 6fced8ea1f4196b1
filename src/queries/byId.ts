import type { Position } from '../events/envelope.js';
import { documentTag } from '../projections/projection.js';
import type { ReadModels } from '../projections/readModels.js';
import type { ProjectionName } from '../projections/registry.js';
import type { Cache, Cached } from './cache.js';

export interface ById {
  readonly reads: ReadModels;
  readonly cache: Cache;
  /** A projection whose collection has its name and whose documents are tagged each by itself. */
  readonly projection: ProjectionName;
  /** How long a document may be kept though nothing should have changed, in milliseconds. */
  readonly ttlMs: number;
}

/**
 * A document by its id, through the cache; undefined when the projection has none.
 * @param needs what the answer must show at least; the projection is there already
 */
export function byId<D extends Readonly<Record<string, unknown>>>(deps: ById) {
  const { reads, cache, projection, ttlMs } = deps;
  return (id: string, needs: Position): Promise<Cached<D | undefined>> => {
    const tag = documentTag(projection, id);
    const question = {
      key: tag,
      reads: [projection],
      ttlMs,
      tags: () => ({ [projection]: [tag] }),
      load: () => reads.get<D>(projection, id),
    };
    return cache.answer<D>(question, needs);
  };
}

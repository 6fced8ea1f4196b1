import { toUSVString } from 'node:util';

/** FNV-1a's start and prime for 32 bits (https://datatracker.ietf.org/doc/html/draft-eastlake-fnv). */
const FNV_START = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Which of `of` shards folds the document of `key`. What it says must never change while read models
 * are shared out by it: a document would have two owners, or none.
 */
export function shardOf(key: string, of: number): number {
  if (of === 1) return 0;
  let hash = FNV_START;
  // Stores take a lone surrogate for U+FFFD: such keys are one document, and belong to one shard.
  const text = toUSVString(key);
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  }
  // Keys that differ in their last letters alone differ in few bits so far (MurmurHash3's finalizer).
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % of;
}

import { LRUCache } from 'lru-cache';
import { START, type Position } from '../../events/envelope.js';
import type { Tags } from '../../queries/cache.js';
import type { Change } from './cacheProgress.js';

/** An answer that is kept. */
export interface Entry {
  readonly value: object;
  /** By projection: the answer shows every change up to there. */
  readonly asOf: ReadonlyMap<string, Position>;
  readonly tags: Tags;
  /** By `Runtime.monotonic`. */
  readonly expiresAt: number;
  /** As JSON, in characters. */
  readonly size: number;
}

export interface CacheBounds {
  readonly maxEntries: number;
  /** Of all answers as JSON, in characters; as objects they take a few times that. */
  readonly maxSize: number;
}

/** Answers by their keys, found by their tags, the least recently used given up first. */
export interface CacheEntries {
  get(key: string): Entry | undefined;
  set(key: string, entry: Entry): void;
  delete(key: string): void;
  /** Drops what a change has made untrue. */
  apply(change: Change): void;
}

export function cacheEntries({ maxEntries, maxSize }: CacheBounds): CacheEntries {
  const keysByTag = new Map<string, Set<string>>();
  const entries = new LRUCache<string, Entry>({
    max: maxEntries,
    maxSize,
    sizeCalculation: ({ size }, key) => size + key.length,
    dispose(entry, key) {
      for (const tag of namedTags(entry.tags)) {
        const keys = keysByTag.get(tag);
        keys?.delete(key);
        if (keys?.size === 0) keysByTag.delete(tag);
      }
    },
  });

  return {
    get: (key) => entries.get(key),
    set(key, entry) {
      entries.set(key, entry);
      // One that is too large by itself was not taken.
      if (!entries.has(key)) return;
      for (const tag of namedTags(entry.tags)) {
        const keys = keysByTag.get(tag);
        if (keys === undefined) keysByTag.set(tag, new Set([key]));
        else keys.add(key);
      }
    },
    delete(key) {
      entries.delete(key);
    },
    apply({ projection, position, tags }) {
      if (tags === 'all') {
        for (const [key, { asOf }] of [...entries.entries()]) {
          if (asOf.has(projection)) entries.delete(key);
        }
        return;
      }
      for (const tag of tags) {
        const keys = keysByTag.get(tagName(projection, tag));
        if (keys === undefined) continue;
        for (const key of [...keys]) {
          const shown = entries.peek(key)?.asOf.get(projection) ?? START;
          if (shown < position) entries.delete(key);
        }
      }
    },
  };
}

/** Whether a change makes an answer with these tags untrue, if it shows the projections as of `asOf`. */
export function makesUntrue(
  { projection, position, tags }: Change,
  asOf: ReadonlyMap<string, Position>,
  shown: Tags,
): boolean {
  const as = asOf.get(projection);
  if (as === undefined) return false;
  if (tags === 'all') return true;
  const own = shown[projection];
  return position > as && own !== undefined && tags.some((tag) => own.includes(tag));
}

function namedTags(tags: Tags): string[] {
  return Object.entries(tags).flatMap(([projection, own]) =>
    own.map((tag) => tagName(projection, tag)),
  );
}

/** No projection's name has a space. */
const tagName = (projection: string, tag: string) => `${projection} ${tag}`;

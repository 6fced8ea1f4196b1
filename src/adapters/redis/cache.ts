import type { Redis } from 'ioredis';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { later, parsePosition, START, type Position } from '../../events/envelope.js';
import type { Runtime } from '../../runtime.js';
import type { Cache } from '../../queries/cache.js';
import { memoryCache, type MemoryCacheDeps } from '../memory/cache.js';
import type { Found, SharedLayer } from '../memory/sharedLayer.js';
import { FIND, KEEP, RECORD } from './cacheScripts.js';
import type { RedisLink } from './link.js';

export interface RedisCacheDeps extends Omit<MemoryCacheDeps, 'shared'> {
  readonly link: RedisLink;
  /**
   * Names the log and the shape of what is answered from it: only equals share answers. With the name
   * of another log what was kept of that would be taken for true, since positions alone don't tell.
   * undefined for as long as that can't be said: then nothing is shared.
   */
  readonly prefix: () => string | undefined;
}

/** A tag is known for longer than any answer that has it. */
const TAG_TTL_MS = 2 * 3_600_000;
/** Larger answers are no gain to send about. */
const MAX_TEXT = 512 * 1024;

/** A cache in this process's memory, in front of one in Redis that all processes share. */
export function redisCache({ link, prefix, ...deps }: RedisCacheDeps): Cache {
  return memoryCache({ ...deps, shared: redisLayer(link, prefix, deps.runtime) });
}

/** The layer in Redis: without Redis it finds nothing and keeps nothing, which costs a process its head start. */
export function redisLayer(
  link: RedisLink,
  prefixOf: RedisCacheDeps['prefix'],
  runtime: Runtime,
): SharedLayer {
  const client = withScripts(link.client);
  const answerKey = (prefix: string, key: string) => `${prefix}answer:${key}`;
  /** The link has reported what is wrong; an answer is not worse for not being kept. */
  const quietly = (command: () => Promise<unknown>) => {
    if (link.up()) link.run(command).catch(() => undefined);
  };

  return {
    async find(key, reads) {
      const prefix = prefixOf();
      if (prefix === undefined || !link.up()) return {};
      try {
        const found = await link.run(() =>
          client.cacheFind(answerKey(prefix, key), prefix, ...reads),
        );
        return foundIn(found, reads);
      } catch {
        return {};
      }
    },

    keep(key, answer, { stamp }) {
      const prefix = prefixOf();
      if (prefix === undefined) return;
      const found = stampIn(stamp);
      const wanted =
        answer !== undefined &&
        answer.text.length <= MAX_TEXT &&
        [...answer.asOf.keys()].every((name) => found.epochs[name] !== undefined);
      const meta: Static<typeof Meta> | undefined = wanted
        ? {
            asOf: Object.fromEntries([...answer.asOf].map(([name, at]) => [name, at.toString()])),
            epochs: found.epochs,
            tags: Object.entries(answer.tags).flatMap(([name, tags]) =>
              tags.map((tag): [string, string] => [name, tag]),
            ),
          }
        : undefined;
      quietly(() =>
        client.cacheKeep(
          answerKey(prefix, key),
          prefix,
          found.stamp,
          runtime.uuid(),
          String(answer?.ttlMs ?? TAG_TTL_MS),
          String(TAG_TTL_MS),
          meta === undefined ? '' : JSON.stringify(meta),
          meta === undefined ? '' : (answer?.text ?? ''),
        ),
      );
    },

    record(projections, position) {
      const prefix = prefixOf();
      if (prefix === undefined) return;
      const moved = projections.map(({ name, shard, from, tags }) => ({
        name,
        ...shard,
        from: from.toString(),
        tags,
      }));
      quietly(() =>
        client.cacheRecord(
          prefix,
          position.toString(),
          runtime.uuid(),
          String(TAG_TTL_MS),
          JSON.stringify(moved),
        ),
      );
    },

    forget(projection) {
      const prefix = prefixOf();
      if (prefix !== undefined) quietly(() => link.client.del(`${prefix}at:${projection}`));
    },

    stop: () => link.stop(),
  };
}

/** Only an answer that is true by all that Redis knows of what it was read from. */
function foundIn(reply: unknown, reads: readonly string[]): Found {
  if (!findReply.Check(reply)) return {};
  const [hashes, stamp, metaText, text, tagPositions, ttlMs] = reply;
  const states = new Map(reads.map((name, index) => [name, stateIn(hashes[index] ?? [])]));
  const epochs: Record<string, string> = {};
  for (const [name, { epoch }] of states) {
    if (epoch !== undefined) epochs[name] = epoch;
  }
  const standing = { stamp: JSON.stringify({ stamp, epochs }) };
  // Before the first change is recorded, or after Redis has lost it, nothing can be said.
  if (Object.keys(epochs).length < states.size) return standing;
  const meta = metaText === '' ? undefined : parsed(metaText);
  const value = parsed(text);
  if (!metaCheck.Check(meta) || !isObject(value) || ttlMs <= 0) return standing;

  const asOf = new Map<string, Position>();
  for (const [name, { epoch, complete }] of states) {
    const as = parsePosition(meta.asOf[name] ?? '');
    if (as === undefined || meta.epochs[name] !== epoch) return standing;
    asOf.set(name, later(as, complete));
  }
  const stands = meta.tags.every(([name], index) => {
    const changed = parsePosition(tagPositions[index] ?? '');
    const as = parsePosition(meta.asOf[name] ?? '');
    return changed !== undefined && as !== undefined && changed <= as;
  });
  return stands ? { ...standing, answer: { value, asOf, ttlMs } } : standing;
}

interface State {
  readonly epoch: string | undefined;
  /** How far the changes of all shards are recorded. */
  readonly complete: Position;
}

function stateIn(hash: readonly string[]): State {
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < hash.length; index += 2) {
    fields.set(hash[index] ?? '', hash[index + 1] ?? '');
  }
  const of = Number(fields.get('of') ?? 0);
  let complete: Position | undefined;
  for (let shard = 0; shard < of; shard++) {
    const position = parsePosition(fields.get(String(shard)) ?? '') ?? START;
    if (complete === undefined || position < complete) complete = position;
  }
  return { epoch: fields.get('epoch'), complete: complete ?? START };
}

const Meta = Type.Object({
  asOf: Type.Record(Type.String(), Type.String()),
  epochs: Type.Record(Type.String(), Type.String()),
  /** Each with the projection whose tag it is. */
  tags: Type.Array(Type.Tuple([Type.String(), Type.String()])),
});
const metaCheck = Compile(Meta);

const findReply = Compile(
  Type.Tuple([
    Type.Array(Type.Array(Type.String())),
    Type.String(),
    Type.String(),
    Type.String(),
    Type.Array(Type.String()),
    Type.Integer(),
  ]),
);

const Stamp = Type.Object({
  stamp: Type.String(),
  epochs: Type.Record(Type.String(), Type.String()),
});
const stampCheck = Compile(Stamp);

/**
 * How things stood when the answer was looked for; of no epoch where that could not be told. Then it is not
 * kept, but what is there goes all the same: it may be older than what is answered with now.
 */
function stampIn(stamp: string | undefined): Static<typeof Stamp> {
  const found = stamp === undefined ? undefined : parsed(stamp);
  return stampCheck.Check(found) ? found : { stamp: '', epochs: {} };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Scripts {
  cacheFind(key: string, prefix: string, ...reads: string[]): Promise<unknown>;
  cacheKeep(key: string, ...argv: string[]): Promise<unknown>;
  cacheRecord(...argv: string[]): Promise<unknown>;
}

/** ioredis sends a script by its digest, and whole where the server does not have it. */
function withScripts(client: Redis): Scripts {
  client.defineCommand('cacheFind', { numberOfKeys: 1, lua: FIND });
  client.defineCommand('cacheKeep', { numberOfKeys: 1, lua: KEEP });
  client.defineCommand('cacheRecord', { numberOfKeys: 0, lua: RECORD });
  // defineCommand adds them under these names, which its types can't say.
  return client as unknown as Scripts;
}

import { later, type Position } from '../../events/envelope.js';
import type { ReadModels } from '../../projections/readModels.js';
import type { Signals } from '../../projections/signals.js';
import type { Cache, Cached, Question, Tags } from '../../queries/cache.js';
import type { Runtime } from '../../runtime.js';
import { cacheEntries, makesUntrue, type CacheBounds } from './cacheEntries.js';
import { cacheProgress, type Change } from './cacheProgress.js';
import type { Found, SharedLayer } from './sharedLayer.js';

export interface MemoryCacheDeps {
  readonly reads: Pick<ReadModels, 'checkpoint'>;
  readonly signals: Signals;
  readonly runtime: Runtime;
  readonly bounds?: CacheBounds;
  /** Asked before the read models are. */
  readonly shared?: SharedLayer;
}

const BOUNDS: CacheBounds = { maxEntries: 5_000, maxSize: 16 * 1024 * 1024 };

/** Changes in the order that they came: whoever holds a place in it sees what has changed since. */
interface News {
  next?: News & { readonly change: Change };
}

/** A load that has not ended. */
interface Load {
  /** It began when the projections were there. */
  readonly asOf: ReadonlyMap<string, Position>;
  readonly answer: Promise<Cached<object | undefined>>;
}

/** A cache in this process's memory, in front of a shared layer if there is one. */
export function memoryCache(deps: MemoryCacheDeps): Cache {
  const { reads, signals, runtime, shared } = deps;
  const entries = cacheEntries(deps.bounds ?? BOUNDS);
  /** The latest load of each key. */
  const loads = new Map<string, Load>();
  // Only loads under way hold on to what is behind it, so it is as long as the longest of them.
  let news: News = {};

  const progress = cacheProgress({
    reads,
    signals,
    runtime,
    changed(change) {
      const item: NonNullable<News['next']> = { change };
      news.next = item;
      news = item;
      entries.apply(change);
    },
    begunAnew: (projection) => shared?.forget(projection),
  });
  const leave = shared && recordFor(shared, signals);

  function load(question: Question<object>, needs: Position): Promise<Cached<object | undefined>> {
    const { key } = question;
    const asOf = new Map(
      question.reads.map((name) => [name, later(progress.seen(name), needs)] as const),
    );
    const since = news;
    const load: Load = { asOf, answer: run() };
    loads.set(key, load);
    return load.answer;

    async function run(): Promise<Cached<object | undefined>> {
      try {
        const found = await shared?.find(key, question.reads);
        const known = found?.answer;
        if (known !== undefined && covers(known.asOf, asOf)) {
          settle(known.value, known.ttlMs, undefined);
          return { value: known.value, cached: 'hit' };
        }
        const value = await question.load();
        settle(value, question.ttlMs, found);
        return { value, cached: 'miss' };
      } finally {
        if (loads.get(key) === load) loads.delete(key);
      }
    }

    /** Takes a value that is about to be answered; `found` when it was loaded. */
    function settle(value: object | undefined, ttlMs: number, found: Found | undefined) {
      const latest = loads.get(key) === load;
      // Of two loads at one time either may have read the later state. So once one of them has been
      // answered with, only a load that begins after that may be kept or joined.
      loads.delete(key);
      entries.delete(key);
      const tags = value === undefined ? undefined : question.tags(value);
      const kept = latest && tags !== undefined && staysTrue(since, asOf, tags);
      const text = kept ? JSON.stringify(value) : '';
      if (kept && value !== undefined) {
        const expiresAt = runtime.monotonic() + ttlMs;
        entries.set(key, { value, asOf, tags, expiresAt, size: text.length });
      }
      if (found !== undefined) {
        shared?.keep(key, kept ? { text, asOf, tags, ttlMs } : undefined, found);
      }
    }
  }

  /** Whether what is kept as of `asOf`, and was not dropped since, shows all up to `needs`. */
  function shows(asOf: ReadonlyMap<string, Position>, needs: Position): boolean {
    for (const [name, position] of asOf) {
      if (position < needs && progress.seen(name) < needs) return false;
    }
    return true;
  }

  async function answer(question: Question<object>, needs: Position) {
    if (!progress.follows(question.reads)) {
      try {
        await progress.follow(question.reads);
      } catch {
        // Whether the read models can be asked is for the question itself to find out.
        return { value: await question.load(), cached: 'miss' as const };
      }
    }
    const { key } = question;
    const entry = entries.get(key);
    if (entry !== undefined && entry.expiresAt > runtime.monotonic() && shows(entry.asOf, needs)) {
      return { value: entry.value, cached: 'hit' as const };
    }
    const running = loads.get(key);
    // A load that began before the reader's write was there may miss it, whatever is known by now.
    if (running !== undefined && [...running.asOf.values()].every((begun) => begun >= needs)) {
      return running.answer;
    }
    return load(question, needs);
  }

  return {
    // One key is one question: its answers are of one type.
    answer: answer as Cache['answer'],
    async stop() {
      leave?.();
      progress.stop();
      await shared?.stop();
    },
  };
}

/** Whether nothing that came to be known after `since` makes an answer with these tags untrue. */
function staysTrue(since: News, asOf: ReadonlyMap<string, Position>, tags: Tags): boolean {
  for (let item = since.next; item !== undefined; item = item.next) {
    if (makesUntrue(item.change, asOf, tags)) return false;
  }
  return true;
}

/** Whether each position is at least as far as what is wanted of it. */
function covers(
  positions: ReadonlyMap<string, Position>,
  wanted: ReadonlyMap<string, Position>,
): boolean {
  for (const [name, position] of wanted) {
    const known = positions.get(name);
    if (known === undefined || known < position) return false;
  }
  return true;
}

function recordFor(shared: SharedLayer, signals: Signals): () => void {
  return signals.listen((signal) => {
    if (signal.kind === 'projected') shared.record(signal.projections, signal.position);
  });
}

import { Worker, type WorkerOptions } from 'node:worker_threads';
import { StoreUnavailable } from '../../events/eventStore.js';
import { InvalidCursor, type Find, type Where } from '../../projections/readModels.js';
import { BATCH_THREAD_LIMITS } from '../threads/limits.js';
import { threadFile } from '../threads/threadFile.js';
import type { Answered, Asked, Failure } from './queryThread.js';
import type { TextPage } from './questions.js';

/** The query thread as the calling thread sees it. */
export interface QueryLink {
  find(collection: string, find: Find): Promise<TextPage>;
  count(collection: string, where: Where): Promise<number>;
  /** Answers what was asked and ends the thread. */
  stop(): Promise<void>;
}

/** Questions that may wait; more are refused at once, for they would be answered too late anyway. */
export const MAX_WAITING = 256;

interface Waiting {
  readonly resolve: (answer: Answered) => void;
  readonly reject: (error: Error) => void;
}

/** A question without its number. */
type Question =
  | { readonly collection: string; readonly find: Find }
  | { readonly collection: string; readonly count: Where };

/**
 * Starts the query thread, and starts it again for the next question should it ever die.
 * @param startThread how the thread is started: a test keeps hold of it here
 */
export function queryLink(
  file: string,
  startThread = (entry: URL, options: WorkerOptions) => new Worker(entry, options),
): QueryLink {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let stopped = false;
  let thread: Worker | undefined = start();

  function start(): Worker {
    const started = startThread(threadFile(import.meta.url, './queryThread.js'), {
      workerData: { file },
      resourceLimits: BATCH_THREAD_LIMITS,
    });
    started.on('message', (answer: Answered) => {
      waiting.get(answer.id)?.resolve(answer);
      waiting.delete(answer.id);
    });
    let cause: unknown;
    started.on('error', (error) => {
      cause = error;
    });
    started.on('exit', () => {
      thread = undefined;
      const detail = cause instanceof Error ? `: ${cause.message}` : '';
      const message = `${file}: the query thread has ended${detail}`;
      for (const { reject } of waiting.values()) {
        reject(new StoreUnavailable('unreachable', message, { cause }));
      }
      waiting.clear();
    });
    return started;
  }

  async function ask(question: Question): Promise<Answered> {
    if (stopped) throw new StoreUnavailable('stopped', 'the read models are stopped');
    if (waiting.size >= MAX_WAITING) {
      throw new StoreUnavailable('busy', `${file}: ${MAX_WAITING} questions wait already`);
    }
    const id = ++lastId;
    thread ??= start();
    thread.postMessage({ id, ...question } satisfies Asked);
    const answer = await new Promise<Answered>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
    if ('failed' in answer) throw toError(answer.failed);
    return answer;
  }

  return {
    async find(collection, find) {
      const answer = await ask({ collection, find });
      if (!('page' in answer)) throw new Error('a page was asked for');
      return answer.page;
    },

    async count(collection, where) {
      const answer = await ask({ collection, count: where });
      if (!('count' in answer)) throw new Error('a count was asked for');
      return answer.count;
    },

    async stop() {
      if (stopped) return;
      stopped = true;
      const ending = thread;
      if (ending === undefined) return;
      const exited = new Promise((resolve) => ending.once('exit', resolve));
      ending.postMessage(null);
      await exited;
    },
  };
}

function toError(failed: Failure): Error {
  switch (failed.kind) {
    case 'cursor':
      return new InvalidCursor(failed.message);
    case 'unavailable':
      return new StoreUnavailable(failed.reason, failed.message);
    case 'mistake':
      return new Error(failed.message);
  }
}

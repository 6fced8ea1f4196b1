import { parentPort, workerData } from 'node:worker_threads';
import { StoreUnavailable } from '../../events/eventStore.js';
import { InvalidCursor, type Find, type Where } from '../../projections/readModels.js';
import { questions, type TextPage } from './questions.js';
import { connectReadModelReader, readModelFault } from './readModelFile.js';

/** To the thread: a question, or null for "end". */
export type Asked =
  | { readonly id: number; readonly collection: string; readonly find: Find }
  | { readonly id: number; readonly collection: string; readonly count: Where };

/** From the thread: one for each question, in their order. */
export type Answered =
  | { readonly id: number; readonly page: TextPage }
  | { readonly id: number; readonly count: number }
  | { readonly id: number; readonly failed: Failure };

/** An error on its way between threads, where its class would be lost. */
export type Failure =
  | { readonly kind: 'cursor'; readonly message: string }
  | {
      readonly kind: 'unavailable';
      readonly reason: StoreUnavailable['reason'];
      readonly message: string;
    }
  | { readonly kind: 'mistake'; readonly message: string };

const port = parentPort;
if (port === null) throw new Error('queryThread runs in a worker thread only');
const { file } = workerData as { file: string };
const db = connectReadModelReader(file);
const asking = questions(db);

port.on('message', (asked: Asked | null) => {
  if (asked === null) {
    db.close();
    port.close();
    return;
  }
  port.postMessage(answer(asked));
});

function answer(asked: Asked): Answered {
  const { id, collection } = asked;
  try {
    if ('find' in asked) return { id, page: asking.find(collection, asked.find) };
    return { id, count: asking.count(collection, asked.count) };
  } catch (error) {
    return { id, failed: failure(readModelFault(error, file)) };
  }
}

function failure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof InvalidCursor) return { kind: 'cursor', message };
  if (error instanceof StoreUnavailable) {
    return { kind: 'unavailable', reason: error.reason, message };
  }
  return { kind: 'mistake', message };
}

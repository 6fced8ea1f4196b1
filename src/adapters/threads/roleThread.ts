import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { BATCH_THREAD_LIMITS } from './limits.js';

/** A role that runs on a thread of its own. */
export interface RoleThread {
  /** Resolves when the role has started; rejects with what kept it from it. */
  readonly started: Promise<void>;
  /** Rejects when the thread dies without having been told to. */
  readonly died: Promise<never>;
  /** Tells the role to stop, and waits until it has. */
  stop(): Promise<void>;
}

/**
 * Starts the thread of a role.
 * @param entry the JavaScript file that calls `runAsThread`
 * @param settings what its role is given; cloned
 */
export function startRoleThread(entry: URL, settings: unknown): RoleThread {
  const worker = new Worker(entry, { workerData: settings, resourceLimits: BATCH_THREAD_LIMITS });
  let stopping = false;

  const started = new Promise<void>((resolve, reject) => {
    worker.once('message', () => {
      resolve();
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      reject(new Error('the thread ended before it had started'));
    });
  });
  const died = new Promise<never>((_resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => {
      if (!stopping) reject(new Error(`the thread ended with code ${code}`));
    });
  });
  started.catch(() => undefined);
  died.catch(() => undefined);

  return {
    started,
    died,
    async stop() {
      stopping = true;
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage('stop');
      await Promise.race([ended, died.catch(() => undefined)]);
    },
  };
}

/**
 * Runs a role in the thread that was started for it.
 * @param start starts the role with its settings, and returns what stops it
 */
export async function runAsThread(
  start: (settings: unknown) => Promise<() => Promise<void>>,
): Promise<void> {
  if (isMainThread || parentPort === null) throw new Error('this file is a thread’s');
  const port = parentPort;
  const stop = await start(workerData);
  port.once('message', () => {
    void stop().finally(() => {
      port.close();
    });
  });
  port.postMessage('started');
}

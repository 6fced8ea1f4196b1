import { StoreUnavailable } from '../events/eventStore.js';
import type { Runtime } from '../runtime.js';

/**
 * What the read models show, for a command that is glad of it and does not wait for it: undefined where
 * that takes longer, or where they are away.
 * @param ms how long it may take at most, in milliseconds
 */
export async function inTime<Shown>(
  runtime: Runtime,
  ms: number,
  shown: Promise<Shown | undefined>,
): Promise<Shown | undefined> {
  const enough = new AbortController();
  try {
    return await Promise.race([shown, runtime.sleep(ms, enough.signal).then(() => undefined)]);
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  } finally {
    enough.abort();
  }
}

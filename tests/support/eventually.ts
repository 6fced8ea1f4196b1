import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 10;

/** Waits until `look` finds something, and gives it back. @throws what `look` last threw, when it never did */
export async function eventually<Found>(
  look: () => Promise<Found | undefined> | Found | undefined,
  patienceMs = 10_000,
): Promise<Found> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not there within ${patienceMs} ms`);
    await sleep(LOOK_EVERY_MS);
  }
}

import type { ResourceLimits } from 'node:worker_threads';

/**
 * What a thread's heap may take, in MiB. V8 lets a heap grow to four times what lives in it where
 * memory is plenty, and to less than twice where its limit is near: a thread needs no such room.
 */
export const THREAD_LIMITS: ResourceLimits = {
  maxOldGenerationSizeMb: 128,
  maxYoungGenerationSizeMb: 6,
};

/** Of a thread that works on thousands of things at once: what dies with them should die young. */
export const BATCH_THREAD_LIMITS: ResourceLimits = {
  maxOldGenerationSizeMb: 256,
  maxYoungGenerationSizeMb: 24,
};

import { messageOf } from '../errors.js';
import type { Remark } from './source.js';

/** Remarks a state only when it has changed; undefined is "well again". */
export type Say = (topic: string, state: string | undefined) => void;

export function onChange(remark: Remark): Say {
  const states = new Map<string, string>();
  return (topic, state) => {
    if (states.get(topic) === state) return;
    remark(state ?? `${topic}: well again`);
    if (state === undefined) states.delete(topic);
    else states.set(topic, state);
  };
}

/** What the disk takes and refuses, by what it is for. */
export interface DiskRemarks {
  takes(purpose: string): void;
  refuses(purpose: string, cause: unknown): void;
}

/**
 * A full disk is told of once, and not for each purpose and each way in which it says so; and it is
 * well again only when all that it has refused goes, and not while the smallest still finds a place.
 */
export function diskRemarks(say: Say): DiskRemarks {
  const refused = new Set<string>();
  return {
    takes: (purpose) => {
      if (refused.delete(purpose) && refused.size === 0) say('disk', undefined);
    },
    refuses: (purpose, cause) => {
      if (refused.size === 0) say('disk', `nothing can be kept: ${messageOf(cause)}; trying again`);
      refused.add(purpose);
    },
  };
}

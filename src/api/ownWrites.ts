import { LRUCache } from 'lru-cache';
import { later, START, type Position } from '../events/envelope.js';
import type { Caller } from './route.js';

/**
 * What each session has last written in this process: its own reads wait for that much,
 * so that a plain client that posts and then gets is never shown the past.
 */
export interface OwnWrites {
  wrote(caller: Caller, position: Position): void;
  last(caller: Caller): Position;
}

const REMEMBERED = 50_000;

export function ownWrites(): OwnWrites {
  const positions = new LRUCache<string, Position>({
    maxSize: REMEMBERED,
    sizeCalculation: () => 1,
  });
  return {
    wrote(caller, position) {
      const who = nameOf(caller);
      if (who !== undefined) positions.set(who, later(positions.peek(who) ?? START, position));
    },
    last(caller) {
      const who = nameOf(caller);
      return (who === undefined ? undefined : positions.peek(who)) ?? START;
    },
  };
}

function nameOf(caller: Caller): string | undefined {
  switch (caller.kind) {
    case 'user':
      return caller.sessionId;
    // Devices read nothing back, and write most.
    case 'device':
    case 'anonymous':
      return undefined;
  }
}

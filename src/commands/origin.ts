import { v5 } from 'uuid';
import type { Actor, EventMetadata } from '../events/envelope.js';

/** Where a command comes from; goes into the metadata of every event that it causes. */
export interface Origin {
  readonly actor: Actor;
  /** Unique to the command; the same for a repeat of it. */
  readonly commandId: string;
  /** Digest of the command's content, when the caller chose the id and so may reuse it by mistake. */
  readonly commandHash?: string;
  readonly requestId?: string;
}

const COMMANDS = '4f3dbb0e-6d3c-5b8a-9d0f-2b6a1f6e9c11';

/** The id of a command that a caller named: the same caller and key give the same id. */
export function namedCommandId(caller: string, key: string): string {
  return v5(`${caller}\n${key}`, COMMANDS);
}

/** An id that follows from a command, so that its repeat makes the same thing and not another. */
export function derivedId(commandId: string, purpose: string): string {
  return v5(purpose, commandId);
}

/**
 * Where it comes from that a command is taken back, which turned out not to be allowed where it stands
 * in the log. It follows from the command, so that a repeat of it can tell.
 */
export function takingBack({ commandId, ...origin }: Origin): Origin {
  return {
    ...origin,
    actor: { kind: 'system', id: 'taken-back' },
    commandId: derivedId(commandId, 'taken back'),
  };
}

/** The last 48 bits of a UUID, which in a command's id are random or a digest. */
const LAST_BITS = 0xffff_ffff_ffff;
const FIRST_DIGITS = 24;

/**
 * The id of a command's event number `index`: the command's own id counted on, so that the first has
 * just that, and a batch of thousands needs no digest for each.
 */
export function eventId(commandId: string, index: number): string {
  if (index === 0) return commandId;
  if (counted.commandId !== commandId) {
    const first = Number.parseInt(commandId.slice(FIRST_DIGITS), 16);
    counted = { commandId, prefix: commandId.slice(0, FIRST_DIGITS), first };
  }
  const sum = counted.first + index;
  const last = sum > LAST_BITS ? sum - LAST_BITS - 1 : sum;
  return counted.prefix + last.toString(16).padStart(12, '0');
}

/** The command last counted on: nearly always it is that of the next line too. */
let counted = { commandId: '', prefix: '', first: 0 };

/** The metadata of an event caused by a command from `origin`. */
export function metadataOf(origin: Origin, version: number): EventMetadata {
  const { actor, commandId, commandHash, requestId } = origin;
  if (commandHash === undefined && version === 1) {
    return requestId === undefined ? { actor, commandId } : { actor, commandId, requestId };
  }
  return {
    actor,
    commandId,
    ...(commandHash !== undefined && { commandHash }),
    ...(requestId !== undefined && { requestId }),
    ...(version !== 1 && { version }),
  };
}

import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { parsePosition, type Position } from '../../events/envelope.js';
import type { Projected, Signal } from '../../projections/signals.js';

/** Signals as they travel through Redis: JSON, with positions as decimal strings. */

const PositionText = Type.String({ pattern: '^(0|[1-9][0-9]{0,18})$' });

const Wire = Type.Object({
  /** Who sent it: a sender does not listen to itself. */
  from: Type.String(),
  position: PositionText,
  /** Absent for a signal of the log. */
  projections: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String(),
        shard: Type.Object({ index: Type.Integer(), of: Type.Integer({ minimum: 1 }) }),
        from: PositionText,
        tags: Type.Union([Type.Literal('all'), Type.Array(Type.String())]),
      }),
    ),
  ),
});

const wire = Compile(Wire);

export function toWire(sender: string, signal: Signal): string {
  const message: Static<typeof Wire> = { from: sender, position: signal.position.toString() };
  if (signal.kind === 'projected') {
    message.projections = signal.projections.map(({ name, shard, from, tags }) => ({
      name,
      shard,
      from: from.toString(),
      tags: tags === 'all' ? tags : [...tags],
    }));
  }
  return JSON.stringify(message);
}

/** The signal in a message; undefined for the receiver's own, and for whatever else is no signal. */
export function fromWire(receiver: string, text: string): Signal | undefined {
  const message = parsed(text);
  if (!wire.Check(message) || message.from === receiver) return undefined;
  const position = positionOf(message.position);
  if (message.projections === undefined) return { kind: 'log', position };
  const projections = message.projections.map((one): Projected => ({
    ...one,
    from: positionOf(one.from),
  }));
  return { kind: 'projected', projections, position };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function positionOf(text: string): Position {
  const position = parsePosition(text);
  if (position === undefined) throw new TypeError(`not a position: ${text}`);
  return position;
}

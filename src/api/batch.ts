import { Type } from 'typebox';
import { derivedId, namedCommandId, type Origin } from '../commands/origin.js';
import { isRefusal, type Refusal } from '../commands/refusal.js';
import { later, START, type Position } from '../events/envelope.js';
import { StoreUnavailable } from '../events/eventStore.js';
import { Id } from '../events/values.js';
import type { Runtime } from '../runtime.js';
import type { Line, Lines } from './body.js';
import { meanings, Problem, type Code } from './problem.js';
import type { Access, Answer, Call } from './route.js';
import { object, optional, PositionText } from './schemas.js';
import type { Check } from './validate.js';

export const BatchAnswer = object({
  accepted: Type.Integer(),
  rejected: Type.Integer(),
  position: PositionText,
  results: Type.Array(
    object({
      line: Type.Integer({ description: 'From 1, empty lines not counted.' }),
      status: Type.Integer(),
      code: optional(Type.String()),
      detail: optional(Type.String()),
      eventId: optional(Id),
      deviceId: optional(Id),
    }),
  ),
});

/** A line that has the right shape, and the command that it is. */
export interface BatchLine<Body> {
  readonly body: Body;
  readonly origin: Origin;
  /** Its place in the batch, from 0. */
  readonly index: number;
}

/** What a line came to. */
export type LineOutcome =
  | { readonly position: Position; readonly eventId?: string; readonly deviceId?: string }
  | Refusal
  | Problem;

interface LineResult {
  readonly line: number;
  readonly status: number;
  readonly code?: Code;
  readonly detail?: string;
  readonly eventId?: string | undefined;
  readonly deviceId?: string | undefined;
}

/** So many lines at a time are read and run: it bounds how long they hold the event loop, and what is kept of them. */
const LINES_AT_ONCE = 100;
/** So many parts of that size are under way at once: one is read and checked while others become durable. */
const PARTS_UNDER_WAY = 8;

type BatchCall<Allowed extends Access> = Call<unknown, unknown, unknown, Allowed>;

/** Tells what the line at an index came to. */
export type Settle = (index: number, outcome: LineOutcome) => void;

export interface BatchDeps<Body, Allowed extends Access> {
  readonly runtime: Runtime;
  /** What is wrong with a line, if anything; what passes is a Body. */
  readonly check: Check;
  readonly maxLines: number;
  readonly run: (call: BatchCall<Allowed>, settle: Settle) => BatchRun<Body>;
}

/** The run of one batch, which settles each line that it takes. */
export interface BatchRun<Body> {
  /** Takes the next lines, while others may be under way; resolves when all but those left to `end` are settled. */
  take(lines: readonly BatchLine<Body>[]): Promise<unknown>;
  /** When all others are settled: settles the rest. */
  end?(): Promise<unknown>;
}

/** A handler that answers each line of a batch by itself: a bad line spoils no other. */
export function batch<Body, Allowed extends Access>({
  runtime,
  check,
  maxLines,
  run,
}: BatchDeps<Body, Allowed>) {
  return async (call: BatchCall<Allowed>): Promise<Answer> => {
    // What `bodyKind: 'lines'` reads.
    const lines = call.body as Lines;
    if (lines.length > maxLines) {
      throw new Problem('TOO_MANY_LINES', { detail: `At most ${maxLines} lines.` });
    }
    const results = new Array<LineResult | undefined>(lines.length).fill(undefined);
    let position = START;
    // The result at once: what else an outcome holds need not be kept until all lines have theirs.
    const settle: Settle = (index, outcome) => {
      results[index] = resultOf(outcome, index);
      if ('position' in outcome) position = later(position, outcome.position);
    };
    const running = run(call, settle);
    const origin = call.origin();
    const underWay: Promise<unknown>[] = [];
    try {
      for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
        if (lines.length > LINES_AT_ONCE) await runtime.yield();
        if (underWay.length === PARTS_UNDER_WAY) await underWay.shift();
        const taken = running.take(goodLines(lines, from, origin, settle));
        // It may reject while another is waited for: that is thrown when its turn comes.
        taken.catch(() => undefined);
        underWay.push(taken);
      }
      await Promise.all(underWay);
      await running.end?.();
    } finally {
      // Whatever was thrown: what is answered is not under way any more.
      await Promise.allSettled(underWay);
    }
    const unsettled = new Problem('INTERNAL');
    const settled = results.map((result, index) => result ?? resultOf(unsettled, index));
    // Under the key of the whole request something else was sent: each line says so, and so does the answer.
    if (origin.commandHash !== undefined && settled.length > 0 && settled.every(isOfReusedKey)) {
      throw new Problem('IDEMPOTENCY_KEY_REUSED');
    }
    return answerOf(settled, position);
  };

  /** Those of the next lines that have the right shape; the others are settled. */
  function goodLines(
    lines: Lines,
    from: number,
    origin: Origin,
    settle: Settle,
  ): readonly BatchLine<Body>[] {
    const good: BatchLine<Body>[] = [];
    for (let index = from; index < Math.min(from + LINES_AT_ONCE, lines.length); index++) {
      const line = lines.at(index);
      const wrong = wrongWith(line);
      if (wrong !== undefined) settle(index, wrong);
      else if ('value' in line) good.push({ body: line.value as Body, origin, index });
    }
    return good;
  }

  function wrongWith(line: Line): Problem | undefined {
    if ('malformed' in line) return new Problem('MALFORMED_BODY');
    const errors = check(line.value);
    if (errors === undefined) return undefined;
    const detail = errors.map(({ at, message }) => `${at} ${message}`.trim()).join('; ');
    return new Problem('VALIDATION_FAILED', { detail });
  }
}

function isOfReusedKey({ code }: LineResult): boolean {
  return code === 'IDEMPOTENCY_KEY_REUSED';
}

function answerOf(results: readonly LineResult[], position: Position): Answer {
  const accepted = results.filter(({ status }) => status < 300).length;
  const rejected = results.length - accepted;
  const body = { accepted, rejected, position: position.toString(), results };
  return { status: 200, body, position: position > START ? position : undefined };
}

function resultOf(outcome: LineOutcome, index: number): LineResult {
  const line = index + 1;
  if (outcome instanceof Problem) {
    const { code, status, message: detail } = outcome;
    return { line, status, code, detail };
  }
  if (isRefusal(outcome)) {
    const { status, title } = meanings[outcome.refused];
    return { line, status, code: outcome.refused, detail: outcome.detail ?? title };
  }
  const { eventId, deviceId } = outcome;
  return { line, status: 200, eventId, deviceId };
}

/** What a fault is to the lines that it hit: the rest of the batch is answered as it went. */
export function faultOfLine(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailable) return new Problem('STORE_UNAVAILABLE');
  throw error;
}

/** The origin of a line whose sender gave it an id: the same id is the same command in any batch. */
export function lineOrigin(origin: Origin, deviceId: string, id: string, content: string): Origin {
  return { ...origin, commandId: namedCommandId(`line of ${deviceId}`, id), commandHash: content };
}

/** The origin of a line that makes a thing of its own. */
export function ownOrigin(origin: Origin, index: number): Origin {
  return { ...origin, commandId: derivedId(origin.commandId, `line ${index}`) };
}

import { later, type Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { deviceStream, telemetryStream } from '../../events/streams.js';
import type { Runtime } from '../../runtime.js';
import { reportPresence, type ReportPresence } from '../device/reportPresence.js';
import type { DeviceState } from '../device/state.js';
import type { Handle, Handled } from '../handle.js';
import { withState, type HotFamily } from '../hotFamily.js';
import { derivedId } from '../origin.js';
import { isRefusal, type Refusal } from '../refusal.js';
import { onceAppender } from './appendOnce.js';
import { chunked } from './chunked.js';
import {
  anyNamed,
  decideOn,
  toAppend,
  type Decided,
  type Recorded,
  type Report,
} from './decided.js';
import { changes, presenceIn } from './presence.js';

export interface ReportDeps {
  readonly store: EventStore;
  readonly runtime: Runtime;
  readonly devices: HotFamily<DeviceState>;
  readonly handle: Handle;
  /** How long after a heartbeat a device without an interval of its own counts as online, in milliseconds. */
  readonly offlineAfterMs: number;
}

/**
 * Records what one device reports, in order. A report whose caller chose its command id is recorded
 * once (see appendOnce); the others are appended as they are, since nothing in them depends on what
 * the stream holds. What the reports change of the device itself (it is online again, it says that
 * it is in maintenance) goes into the device's own stream.
 * @returns an answer for each report, in their order
 * @throws StoreUnavailable when not all of it may be in the log: repeat it unchanged
 */
export function reporter({ store, runtime, devices, handle, offlineAfterMs }: ReportDeps) {
  const appendOnce = onceAppender(store);

  return function report(
    deviceId: string,
    reports: readonly Report[],
  ): Promise<readonly (Recorded | Refusal)[]> {
    return Promise.resolve(
      withState(devices, deviceStream(deviceId), (state) => decide(deviceId, state, reports)),
    );
  };

  function decide(
    deviceId: string,
    state: DeviceState,
    reports: readonly Report[],
  ): Promise<readonly (Recorded | Refusal)[]> {
    const now = runtime.now();
    const decided = decideOn(state, reports, now);
    if (anyNamed(decided)) return reportOnce(deviceId, state, decided, now);
    const presence = presenceIn(state, decided, now, offlineAfterMs);
    return changes(state, presence)
      ? reportWith(deviceId, presence, decided, now)
      : append(deviceId, decided, now);
  }

  async function reportWith(
    deviceId: string,
    presence: ReportPresence | undefined,
    decided: readonly Decided[],
    now: number,
  ): Promise<readonly (Recorded | Refusal)[]> {
    const [answers, noted] = await Promise.all([
      append(deviceId, decided, now),
      note(deviceId, presence, decided),
    ]);
    return shownWith(answers, noted?.position);
  }

  /**
   * As `report`, where callers chose ids: what is refused changes nothing of the device, and what is
   * repeated only what it said for the first time and nobody else has said anything of since.
   */
  async function reportOnce(
    deviceId: string,
    state: DeviceState,
    decided: readonly Decided[],
    now: number,
  ): Promise<readonly (Recorded | Refusal)[]> {
    const answers = await appendOnce(deviceId, decided, now);
    const recorded = decided.flatMap((one, index) => {
      const answer = answers[index];
      if (answer === undefined || isRefusal(answer)) return [];
      return [{ ...one, firstAt: answer.firstAt }];
    });
    const presence = presenceIn(state, recorded, now, offlineAfterMs);
    const noted = await note(deviceId, presence, recorded);
    const shows = noted !== undefined && (noted.repeated || changes(state, presence));
    return shownWith(answers, shows ? noted.position : undefined);
  }

  function append(deviceId: string, decided: readonly Decided[], now: number) {
    return decided.length === 1
      ? appendAny(store, deviceId, decided, now)
      : appendChunks(deviceId, decided, now);
  }

  async function appendChunks(deviceId: string, decided: readonly Decided[], now: number) {
    const answers: (Recorded | Refusal)[] = [];
    for (const chunk of chunked(decided)) {
      answers.push(...(await appendAny(store, deviceId, chunk, now)));
    }
    return answers;
  }

  async function note(
    deviceId: string,
    presence: ReportPresence | undefined,
    reports: readonly Decided[],
  ): Promise<Handled<DeviceState> | undefined> {
    const [first] = reports;
    if (first === undefined || presence === undefined) return undefined;
    const { actor, requestId, commandHash } = first.origin;
    const noted = await handle({
      stream: deviceStream(deviceId),
      family: devices,
      decide: (device) => reportPresence(device, presence),
      origin: {
        actor,
        // Of these very reports: a batch is one command, which would give the presence of all its
        // devices one id, and a repeat must not undo what was done to the device since.
        commandId: derivedId(first.id, `presence ${reports.map(({ id }) => id).join(' ')}`),
        ...(commandHash !== undefined && { commandHash }),
        ...(requestId !== undefined && { requestId }),
      },
    });
    return isRefusal(noted) ? undefined : noted;
  }
}

export type ReportTelemetry = ReturnType<typeof reporter>;

/** The answers, with the position at which what was noted of the device shows too. */
function shownWith(
  answers: readonly (Recorded | Refusal)[],
  noted: Position | undefined,
): readonly (Recorded | Refusal)[] {
  if (noted === undefined) return answers;
  return answers.map((answer) =>
    isRefusal(answer) ? answer : { ...answer, position: later(answer.position, noted) },
  );
}

function appendAny(
  store: EventStore,
  deviceId: string,
  decided: readonly Decided[],
  now: number,
): Promise<readonly (Recorded | Refusal)[]> {
  const events = toAppend(decided, now);
  if (events.length === 0) return Promise.resolve(decided.map((one) => answerTo(one, undefined)));
  return store
    .append(telemetryStream(deviceId, now), events, 'any')
    .then(({ position }) => decided.map((one) => answerTo(one, position)));
}

function answerTo({ event, id }: Decided, position: Position | undefined): Recorded | Refusal {
  if (isRefusal(event)) return event;
  if (position === undefined) throw new Error(`event ${id} was not appended`);
  return { eventId: id, position };
}

import { START, type Position } from '../../events/envelope.js';
import {
  StoreUnavailable,
  type AppendOutcome,
  type StreamAppend,
} from '../../events/eventStore.js';
import { telemetryStream } from '../../events/streams.js';
import type { KnownDevice } from '../device/state.js';
import { isRefusal, type Refusal } from '../refusal.js';
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
import type { ReportDeps } from './report.js';

/** What one of several devices reports, and the device as it is decided upon. */
export interface DeviceReports {
  readonly device: KnownDevice;
  readonly reports: readonly Report[];
}

/** An answer for each report of a device, in their order; or why there are none. */
export type DeviceAnswers = readonly (Recorded | Refusal)[] | StoreUnavailable;

export interface PlainReports {
  /** Those that are not plain, by their places: nothing was done about them. */
  readonly left: readonly number[];
  /** Answers for each device, in the order given; for those that were left, none. */
  readonly answers: Promise<readonly (DeviceAnswers | undefined)[]>;
}

/**
 * Records the plain reports of several devices: those for which nothing has to be looked up and that
 * change nothing of their device. They are appended by one call, so that of each line of a batch
 * little is kept until it is durable. The others are for `report` (report.ts).
 */
export function plainReporter({
  store,
  runtime,
  offlineAfterMs,
}: Pick<ReportDeps, 'store' | 'runtime' | 'offlineAfterMs'>) {
  return function reportPlain(all: readonly DeviceReports[]): PlainReports {
    const now = runtime.now();
    const left: number[] = [];
    const appends: StreamAppend[] = [];
    const given: Given[] = [];
    const answers = new Array<DeviceAnswers | undefined>(all.length);
    all.forEach(({ device, reports }, place) => {
      const decided = plain(device, reports, now);
      if (decided === undefined) {
        left.push(place);
        return;
      }
      const results = decided.map(promised);
      answers[place] = results;
      const events = toAppend(decided, now);
      if (events.length === 0) return;
      appends.push({ stream: telemetryStream(device.deviceId, now), events, expected: 'any' });
      given.push({ place, results });
    });
    return { left, answers: whenAppended(store.appendEach(appends), given, answers) };
  };

  /** Undefined where a report may have come before, changes the device, or needs more than one append. */
  function plain(
    device: KnownDevice,
    reports: readonly Report[],
    now: number,
  ): readonly Decided[] | undefined {
    const decided = decideOn(device, reports, now);
    if (anyNamed(decided)) return undefined;
    if (changes(device, presenceIn(device, decided, now, offlineAfterMs))) return undefined;
    if (decided.length === 1) return decided;
    const [, more] = chunked(decided);
    return more === undefined ? decided : undefined;
  }
}

export type ReportPlain = ReturnType<typeof plainReporter>;

/** What reports are answered once they are durable: then they get their position. */
interface Given {
  readonly place: number;
  readonly results: readonly (Refusal | { readonly eventId: string; position: Position })[];
}

function promised({ event, id }: Decided): Given['results'][number] {
  return isRefusal(event) ? event : { eventId: id, position: START };
}

async function whenAppended(
  appends: Promise<readonly AppendOutcome[]>,
  given: readonly Given[],
  answers: (DeviceAnswers | undefined)[],
): Promise<readonly (DeviceAnswers | undefined)[]> {
  const outcomes = await appends;
  given.forEach(({ place, results }, nth) => {
    const outcome = outcomes[nth];
    if (outcome instanceof StoreUnavailable) {
      answers[place] = outcome;
      return;
    }
    // With 'any' no revision is wrong, and what `plain` lets through a store takes.
    if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('no outcome');
    for (const result of results) {
      if (!isRefusal(result)) result.position = outcome.position;
    }
  });
  return answers;
}

import { figure } from '../progress.js';
import { latencyHistogram, type LatencyHistogram } from './latency.js';

/** How one request went: stored, said no to (with the server's code), or no usable answer. */
export type Outcome =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Tally {
  sent(): void;
  /** `latencyMs` counts from when the request should have been sent. */
  settled(outcome: Outcome, latencyMs: number): void;
  readonly counts: Readonly<Record<'sent' | Outcome['kind'], number>>;
  /** One line: how it stands after so many milliseconds. */
  line(elapsedMs: number): string;
  /** The last word, several lines. */
  summary(elapsedMs: number, behind: number): string;
}

/** Counts what became of the requests of a run. */
export function tallyOf(): Tally {
  const counts = { sent: 0, acknowledged: 0, refused: 0, failed: 0 };
  const latency = latencyHistogram();
  const reasons = new Map<string, number>();
  const count = (reason: string) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1);

  return {
    counts,
    sent: () => {
      counts.sent += 1;
    },
    settled: (outcome, latencyMs) => {
      counts[outcome.kind] += 1;
      if (outcome.kind === 'acknowledged') latency.record(latencyMs);
      else count(outcome.kind === 'refused' ? outcome.code : outcome.reason);
    },
    line: (elapsedMs) =>
      `${Math.round(elapsedMs / 1_000)}s  sent ${figure(counts.sent)}  ` +
      `acknowledged ${figure(counts.acknowledged)}  refused ${figure(counts.refused)}  ` +
      `failed ${figure(counts.failed)}  ${perSecond(counts.acknowledged, elapsedMs)}/s  ` +
      quantiles(latency),
    summary: (elapsedMs, behind) =>
      [
        `sent          ${figure(counts.sent)}`,
        `acknowledged  ${figure(counts.acknowledged)}`,
        `refused       ${figure(counts.refused)}`,
        `failed        ${figure(counts.failed)}`,
        ...[...reasons].map(([reason, times]) => `  ${reason.padEnd(24)}${figure(times)}`),
        ...(behind > 0
          ? [`not sent      ${figure(behind)} (due, but every connection was busy)`]
          : []),
        `latency       ${quantiles(latency)}  max ${latency.max.toFixed(1)} ms`,
        `events/s      ${perSecond(counts.acknowledged, elapsedMs)} over ${(elapsedMs / 1_000).toFixed(1)} s`,
      ].join('\n'),
  };
}

function perSecond(count: number, elapsedMs: number): string {
  return figure(elapsedMs > 0 ? (count * 1_000) / elapsedMs : 0);
}

function quantiles(latency: LatencyHistogram): string {
  const ms = (part: number) => latency.quantile(part).toFixed(1);
  return `p50 ${ms(0.5)}  p95 ${ms(0.95)}  p99 ${ms(0.99)}`;
}

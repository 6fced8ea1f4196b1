import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../build/reliability', import.meta.url));

/** What a fault test has found out: a row of docs/reliability.md. */
export interface Figure {
  readonly fault: string;
  readonly criterion: string;
  readonly measured: string;
  /** How it was tested, in a sentence or two. */
  readonly how: string;
}

/**
 * Keeps a figure where scripts/reliability.mjs finds it, with the day and the machine.
 * @param name of the row; scripts/reliability.mjs has them in their order
 */
export function keepFigure(name: string, figure: Figure): void {
  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`;
  const load = Number(loadavg()[0]?.toFixed(1));
  const kept = { ...figure, date: new Date().toISOString().slice(0, 10), machine, load };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/${name}.json`, `${JSON.stringify(kept, undefined, 2)}\n`);
  process.stdout.write(`${name}: ${figure.measured}\n`);
}

/** Milliseconds, as they are read. */
export function ms(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 1_000)} s`;
  return value >= 1_000
    ? `${(value / 1_000).toFixed(1)} s`
    : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

/** The value that `part` of all values do not exceed (0.5 for the median). */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1);
  return sorted[Math.max(0, at)] ?? Number.NaN;
}

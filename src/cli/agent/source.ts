import type { LogLevel } from '../telemetry.js';

/** The event by which a source tells that it could not give all there was. */
export const LINES_LOST = 'lines-lost';

/** Something that happened on this machine, and how far its source is read with it. */
export interface Observed {
  readonly event: string;
  readonly level: LogLevel;
  readonly message: string;
  /** Milliseconds since the epoch; undefined when the source doesn't say. */
  readonly at?: number;
  readonly cursor: string;
}

/** Where log lines come from. Where it stands is kept by the spool, together with what it gave. */
export interface Source {
  /** Its cursors are kept under this name. */
  readonly name: string;
  /** What came after the cursor, oldest first and not all at once; [] when nothing has. */
  read(after: string | undefined): readonly Observed[];
  /** Whether the last read left more than the next one will take: then there's no need to wait. */
  readonly isBehind: boolean;
  /** The cursor of now, for a start without one: what was there before is left alone. */
  now(): string;
  close(): void;
}

/** Joins a source's trouble to the agent's own remarks. */
export type Remark = (line: string) => void;

import type { Position } from '../events/envelope.js';
import type { ReadModels } from '../projections/readModels.js';
import { projections } from '../projections/registry.js';

export interface ProjectionState {
  readonly name: string;
  readonly checkpoint: Position;
  /** How many events it could not fold. */
  readonly parked: number;
}

/** How far each projection has come, and what it could not fold. */
export function checkpointsOf(reads: ReadModels) {
  return (): Promise<readonly ProjectionState[]> =>
    Promise.all(
      projections.map(async ({ name }) => ({
        name,
        checkpoint: await reads.checkpoint(name),
        parked: await reads.parkedCount(name),
      })),
    );
}

export type Checkpoints = ReturnType<typeof checkpointsOf>;

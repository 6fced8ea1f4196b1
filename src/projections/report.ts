/** What an operator should hear of. */
export interface RunnerReport {
  /** The log or the read models can't be used; the runner starts over from its checkpoints. */
  fault(error: unknown): void;
  parked(event: { projection: string; key: string; eventId: string; error: string }): void;
  /** A new generation has caught up and is what queries see now. */
  activated(projection: string, generation: number): void;
  /** The read models are ahead of the log, which is then another one, and are built again. */
  reset(): void;
  /** What this process folds from now on, by the names of the leases: not what it did. */
  owns(shares: readonly string[]): void;
  /** Others fold in another number of shards, by the names of their leases: this process waits for their end. */
  standsBy(others: readonly string[]): void;
}

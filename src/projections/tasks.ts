/** What is under way in one attempt: the first that fails ends the others. */
export interface Tasks {
  /** @returns what resolves when the task has ended, however it did */
  run(task: () => Promise<void>): Promise<void>;
  /** Resolves when all have ended; rejects with what the first failure was. */
  ended(): Promise<void>;
}

export function tasksOf(attempt: AbortController): Tasks {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  return {
    run(task) {
      const ended = task()
        .catch((error: unknown) => {
          failure ??= { error };
          attempt.abort();
        })
        .finally(() => running.delete(ended));
      running.add(ended);
      return ended;
    },
    async ended() {
      while (running.size > 0) await Promise.all(running);
      if (failure !== undefined) throw failure.error;
    },
  };
}

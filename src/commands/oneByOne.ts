/** Runs tasks of the same name one after the other, in the order in which they were given. */
export type OneByOne = <Result>(name: string, task: () => Promise<Result>) => Promise<Result>;

export function oneByOne(): OneByOne {
  const last = new Map<string, Promise<unknown>>();
  return async (name, task) => {
    const before = last.get(name);
    const done = before === undefined ? task() : before.then(task);
    const over = done.catch(() => undefined);
    last.set(name, over);
    try {
      return await done;
    } finally {
      if (last.get(name) === over) last.delete(name);
    }
  };
}

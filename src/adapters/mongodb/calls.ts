import { StoreUnavailable } from '../../events/eventStore.js';
import type { Mongo } from './connection.js';
import { mongoFault } from './faults.js';

/** Runs calls until it is stopped; what the server does wrong is thrown as the port says it. */
export function calls(mongo: Mongo, stoppedMessage: string) {
  let stopped = false;
  async function call<Result>(work: () => Promise<Result>): Promise<Result> {
    if (stopped) throw new StoreUnavailable('stopped', stoppedMessage);
    try {
      return await work();
    } catch (error) {
      throw mongoFault(error, mongo.place);
    }
  }
  const stop = () => {
    stopped = true;
  };
  return Object.assign(call, { stop });
}

import { runAsThread } from './adapters/threads/roleThread.js';
import { yieldToServing } from './adapters/threads/priority.js';
import { makeLog } from './log.js';
import { startProjections, type ProjectionSettings } from './projectionsRole.js';

/** The thread that folds, in the one-process default. */
await runAsThread((given) => {
  // What superviseProjections gave, cloned.
  const settings = given as ProjectionSettings;
  yieldToServing();
  return startProjections(settings, makeLog(settings.logLevel));
});

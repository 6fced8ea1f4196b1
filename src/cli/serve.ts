import { defineCommand } from './command.js';

/** Starts the server in this process; from there on it is main.js that handles signals. */
export const serve = defineCommand({
  name: 'serve',
  description: 'Starts the server with the settings of the environment, like `npm start`.',
  options: {},
  run: async () => {
    // By address: a client that only sends a heartbeat must not load the server.
    await import(new URL('../../bundle/main.js', import.meta.url).href);
    return 0;
  },
});

import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { startServer } from '../support/server.js';

/** The server compiles schemas without holding them against the schema of schemas, which takes its time. */
it('every schema of a route is one', async () => {
  const server = await startServer();
  try {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    addFormats.default(ajv, ['date-time', 'email']);
    ajv.addVocabulary(['x-maxDepth', 'x-maxBytes', 'x-maxValues']);
    for (const { params, query, body, answers } of server.fleetbook.routes) {
      for (const schema of [params, query, body, ...Object.values(answers)]) {
        if (schema !== undefined && schema !== null) expect(ajv.validateSchema(schema)).toBe(true);
      }
    }
  } finally {
    await server.stop();
  }
});

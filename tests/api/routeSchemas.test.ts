import { Ajv2020 } from 'ajv/dist/2020.js';
import { withSchemaWords } from '../support/schemaWords.js';
import { startServer } from '../support/server.js';

/** The server compiles schemas without holding them against the schema of schemas, which takes its time. */
it('every schema of a route is one', async () => {
  const server = await startServer();
  try {
    const ajv = withSchemaWords(new Ajv2020({ strict: true, allowUnionTypes: true }));
    for (const { params, query, body, answers } of server.fleetbook.routes) {
      for (const schema of [params, query, body, ...Object.values(answers)]) {
        if (schema !== undefined && schema !== null) expect(ajv.validateSchema(schema)).toBe(true);
      }
    }
  } finally {
    await server.stop();
  }
});

import type { Ajv } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Teaches what the API's schemas say beside the words of JSON Schema. */
export function withSchemaWords<Of extends Ajv | Ajv2020>(ajv: Of): Of {
  addFormats.default(ajv, ['date-time', 'email']);
  ajv.addVocabulary(['x-maxDepth', 'x-maxBytes', 'x-maxValues']);
  return ajv;
}

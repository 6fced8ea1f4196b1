export { InvalidCursor } from '../projections/readModels.js';

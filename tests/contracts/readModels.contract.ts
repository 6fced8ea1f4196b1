import { leasesContract } from './leases.contract.js';
import { documentsContract } from './readModelDocuments.contract.js';
import { generationsContract } from './readModelGenerations.contract.js';
import { questionsContract } from './readModelQuestions.contract.js';
import { shardsContract } from './readModelShards.contract.js';
import { SIZES, type Setup, type Sizes } from './readModels.fixture.js';

/** What every pair of `ReadModelStore` and `ReadModels` keeps. */
export function readModelsContract(name: string, setup: Setup, sizes: Sizes = SIZES): void {
  documentsContract(name, setup);
  questionsContract(name, setup, sizes);
  generationsContract(name, setup);
  shardsContract(name, setup);
  leasesContract(name, setup);
}

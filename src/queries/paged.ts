import type { Doc, Find, Page, ReadModels } from '../projections/readModels.js';

/** Which page is wanted: the one after a cursor, or one by number, 1 being the first. */
export interface Paging {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly page?: number | undefined;
}

/** A page, with the number of all that there are when it was asked for by number. */
export type Paged<D extends Doc> = Page<D> & { readonly total?: number };

/** Finds one page, by cursor or by number. */
export async function paged<D extends Doc>(
  reads: ReadModels,
  collection: string,
  question: Pick<Find, 'where' | 'sort'>,
  { limit, cursor, page }: Paging,
): Promise<Paged<D>> {
  if (page === undefined) {
    return reads.find<D>(collection, {
      ...question,
      limit,
      ...(cursor !== undefined && { cursor }),
    });
  }
  const [found, total] = await Promise.all([
    reads.find<D>(collection, { ...question, limit, skip: (page - 1) * limit }),
    reads.count(collection, question.where),
  ]);
  return { ...found, total };
}

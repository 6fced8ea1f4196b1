/** Whose devices a question is about: these organizations', or every one's. */
export type Organizations = readonly string[] | 'all';

/** As many values as a condition of the read models takes. */
const MOST_SEARCHED = 1_000;

/**
 * The organizations that a question really asks for. Commands keep a user's memberships well below what
 * can be searched at once; who has got more before they did, or past them, is shown those that they
 * joined first, their own among them, instead of nothing: nobody can push these out by adding them to
 * others. What is left out is found by naming its organization.
 */
export function searched(organizations: Organizations): Organizations {
  return organizations === 'all' ? organizations : organizations.slice(0, MOST_SEARCHED);
}

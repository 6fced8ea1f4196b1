import { liveOf, type GenerationEntry, type ProjectionEntry } from './entries.js';
import { isGone } from './faults.js';

export interface Answers {
  /**
   * Asks the live generation; undefined where there is none.
   * @param name of what `lookUp` looks up
   * @param isNothing whether an answer is one that a dropped collection would give too
   */
  ask<Answer>(
    name: string,
    question: (generation: GenerationEntry, entry: ProjectionEntry) => Promise<Answer>,
    isNothing: (answer: Answer) => boolean,
  ): Promise<Answer | undefined>;
}

type Attempt<Answer> = { readonly answer: Answer } | { readonly error: unknown };

/**
 * Asks whatever generation is live without looking that up first: the one that was live the last time
 * is asked while it is looked up, so that an answer costs one round trip and not two.
 *
 * An answer counts when the generation was still live as it was given. That is so when a look
 * afterwards says so, since the entry is changed before the collection is dropped. A look at the same
 * time is enough for an answer that holds something: the generation was live during the call,
 * and a collection that is gone has nothing to tell.
 */
export function liveAnswers(
  lookUp: (name: string) => Promise<ProjectionEntry | undefined>,
): Answers {
  const lastSeen = new Map<string, ProjectionEntry>();

  async function look(name: string): Promise<ProjectionEntry | undefined> {
    const seen = await lookUp(name);
    if (seen === undefined) lastSeen.delete(name);
    else lastSeen.set(name, seen);
    return seen;
  }

  return {
    async ask(name, question, isNothing) {
      let known = lastSeen.get(name) ?? (await look(name));
      while (known !== undefined) {
        const [attempt, meanwhile] = await Promise.all([
          attempted(question(liveOf(known), known)),
          look(name),
        ]);
        const holds = 'answer' in attempt && !isNothing(attempt.answer);
        const now = holds ? meanwhile : await look(name);
        if (now?.revision === known.revision) {
          if ('answer' in attempt) return attempt.answer;
          if (!isGone(attempt.error)) throw attempt.error;
        }
        known = now;
      }
      return undefined;
    },
  };
}

/** An error may come of asking what is no longer there, so it is judged when that is known. */
async function attempted<Answer>(asked: Promise<Answer>): Promise<Attempt<Answer>> {
  try {
    return { answer: await asked };
  } catch (error) {
    return { error };
  }
}

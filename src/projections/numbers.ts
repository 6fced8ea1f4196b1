import { finite, MAX_NAMES, OTHER, type Summary } from './summary.js';

/**
 * Summaries of many numbers by name, side by side: of `names[i]` the count, sum, least and greatest
 * stand in `values` from `4 * i` on. Every heartbeat makes new ones, and two flat lists cost their
 * copying, their text and the collection of the old ones a fraction of what an object each would.
 */
export type Numbers = Readonly<{ names: readonly string[]; values: readonly number[] }>;

export const NO_NUMBERS: Numbers = { names: [], values: [] };

const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;
const WIDTH = 4;

/** With all the numbers of some records taken in. Names beyond MAX_NAMES are counted together, as OTHER. */
export function withNumbers(
  known: Numbers,
  records: readonly (Readonly<Record<string, number>> | undefined)[],
): Numbers {
  let { names } = known;
  const values = [...known.values];
  for (const record of records) {
    if (record === undefined) continue;
    // Records that follow each other mostly have the same names in the same order.
    let nth = 0;
    for (const name of Object.keys(record)) {
      let place = names[nth] === name ? nth : names.indexOf(name);
      if (place < 0 && names.length >= MAX_NAMES) place = names.indexOf(OTHER);
      if (place < 0) {
        place = names.length;
        names = [...names, names.length < MAX_NAMES ? name : OTHER];
        values.push(0, 0, Infinity, -Infinity);
      }
      takeIn(values, WIDTH * place, record[name] ?? 0);
      nth += 1;
    }
  }
  return { names, values };
}

function takeIn(values: number[], at: number, value: number): void {
  values[at + COUNT] = (values[at + COUNT] ?? 0) + 1;
  values[at + SUM] = finite((values[at + SUM] ?? 0) + value);
  values[at + MIN] = Math.min(values[at + MIN] ?? value, value);
  values[at + MAX] = Math.max(values[at + MAX] ?? value, value);
}

/** The summaries, each by its name. */
export function summariesOf({ names, values }: Numbers): Readonly<Record<string, Summary>> {
  return Object.fromEntries(
    names.map((name, nth) => {
      const [count = 0, sum = 0, min = 0, max = 0] = values.slice(WIDTH * nth, WIDTH * (nth + 1));
      return [name, { count, sum, min, max }];
    }),
  );
}

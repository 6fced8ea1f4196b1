/**
 * Measures several things in turn, round after round, so that whatever else the machine does meets
 * them all alike: their ratios mean something even where the figures themselves do not.
 * @returns the measurements of each thing, in the order of the rounds
 */
export async function inTurn<Name extends string, Measured>(
  rounds: number,
  things: Readonly<Record<Name, () => Promise<Measured>>>,
): Promise<Record<Name, Measured[]>> {
  const entries = Object.entries(things) as [Name, () => Promise<Measured>][];
  const measured = Object.fromEntries(entries.map(([name]) => [name, []])) as unknown as Record<
    Name,
    Measured[]
  >;
  for (let round = 0; round < rounds; round++) {
    for (const [name, measureOnce] of entries) measured[name].push(await measureOnce());
  }
  return measured;
}

/** The ratios of two things measured in the same rounds, each to its neighbour in time. */
export function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.map((value, round) => value / (to[round] ?? NaN));
}

/** One thing that is measured, with its own chapter in the results. */
export interface Benchmark {
  /** As it is chosen on the command line. */
  readonly name: string;
  readonly run: (bench: Bench) => Promise<Chapter>;
}

/** What every benchmark is given. */
export interface Bench {
  /** Short rounds and few of them: to see that it works, not to believe its figures. */
  readonly quick: boolean;
  /** A new, empty folder, deleted after the run. */
  readonly folder: (name: string) => string;
  /** Tells what is going on. */
  readonly say: (line: string) => void;
}

/** What a benchmark has to tell. */
export interface Chapter {
  readonly title: string;
  /** What was measured, beside what, and how. */
  readonly about: string;
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
}

export interface Table {
  readonly title?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a figure should be, and what it was. */
export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly reached: boolean;
}

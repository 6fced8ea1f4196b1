/** What was put in lately, by key. */
export interface Recent<Value> {
  /** Never lets go of anything. */
  get(key: string): Value | undefined;
  /** As the latest; may let go of what was put in before `most` others. */
  set(key: string, value: Value): void;
}

/**
 * Remembers the `most` values put in last, and up to as many before them. Of two maps the older is dropped as
 * a whole when the younger is full: to look costs a fraction of what keeping an order of use does.
 */
export function recent<Value>(most: number): Recent<Value> {
  let older = new Map<string, Value>();
  let younger = new Map<string, Value>();
  return {
    get: (key) => younger.get(key) ?? older.get(key),
    set(key, value) {
      if (younger.size >= most && !younger.has(key)) {
        older = younger;
        younger = new Map();
      }
      younger.set(key, value);
    },
  };
}

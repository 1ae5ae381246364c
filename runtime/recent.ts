/** Remembers by key what was set last, for as long as there is room. */
export interface Recent<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
}

/**
 * Remembers at least half of `most` keys, at most `most`; then those are forgotten that were set longest ago. In two maps, of which the
 * older one is dropped as a whole: to find the oldest key of one map, each key that was deleted before it is passed again.
 */
export const createRecent = <Value>(most: number): Recent<Value> => {
  const half = Math.ceil(most / 2);
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  return {
    get: (key) => young.get(key) ?? old.get(key),
    set(key, value) {
      if (young.size >= half && !young.has(key)) {
        old = young;
        young = new Map();
      }
      young.set(key, value);
    },
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
  };
};

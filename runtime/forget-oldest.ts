/** Deletes from a map what was set first, if it has more than `most` entries; returns its key. To be called after each `set`. */
export const forgetOldest = <Key>(map: Map<Key, unknown>, most: number): Key | undefined => {
  if (map.size <= most) return undefined;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
  return oldest;
};
